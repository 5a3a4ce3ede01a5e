"""The operator's commands, run as a person runs them."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from dynamic_api.config import Secret, Settings, variable
from dynamic_api.models import AuditEntry, Entitlement, Job
from tests.conftest import ROOT, Sandbox
from tests.school import LESSON, SOURDOUGH, School


def environment(settings: Settings) -> dict[str, str]:
    """These settings as a process gets them."""
    from dataclasses import fields

    def text(value: Any) -> str:
        if isinstance(value, tuple):
            return ",".join(text(each) for each in value)
        return value.reveal() if isinstance(value, Secret) else str(value)

    values = {variable(each): getattr(settings, each.name) for each in fields(settings)}
    return {**os.environ, **{name: text(value) for name, value in values.items() if value is not None}}


def command(school: School, *arguments: str, status: int = 0) -> str:
    """What the command says."""
    done = subprocess.run(
        [sys.executable, "-m", "dynamic_api.cli", *arguments], cwd=ROOT, env=environment(school.service.settings),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if status == 0 else done.stderr


async def test_why_tells_the_story(school: School) -> None:
    async with school.browser() as browser:
        session = await school.owner(browser)
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
    said = command(school, "why", "ANN@example.com", SOURDOUGH)
    lines = said.splitlines()
    assert lines[0] == "ANN@example.com may not watch Sourdough, from Starter to Loaf."
    story = [
        "An order was begun",
        "Stripe told of checkout.session.completed",
        "before pending, after paid",
        "The purchase found its owner",
        "Access was given",
        "Stripe told of refund.created",
        "Access was taken away",
    ]
    places = [[number for number, line in enumerate(lines) if part in line][:1] for part in story]
    assert all(places), said
    data = json.loads(command(school, "why", "ann@example.com", SOURDOUGH, "--json"))
    assert data["may_watch"] is False
    assert "no account" in command(school, "why", "nobody@example.com", SOURDOUGH)
    assert command(school, "why", "ann@example.com", "nope", status=1) == "This course is not here.\n"


async def test_grant_and_revoke_are_audited_and_payments_do_not_undo_them(school: School) -> None:
    lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
    async with school.browser() as browser:
        await school.learner(browser)
        assert "may now watch" in command(school, "grant", "bob@example.com", SOURDOUGH, "--reason", "raffle")
        assert "had" in command(school, "grant", "bob@example.com", SOURDOUGH, "--reason", "again")
        assert (await browser.get(lesson)).status_code == 200
        command(school, "revoke", "bob@example.com", SOURDOUGH, "--reason", "shared the password")
        assert (await browser.get(lesson)).status_code == 403
        session = await school.begin(browser)
        school.pay(session)
        await school.settle()
        assert (await browser.get(lesson)).status_code == 200  # bought afterwards: its own source
        command(school, "revoke", "bob@example.com", SOURDOUGH, "--reason", "again")
        school.bank.refund(session["payment_intent"], amount=100)
        await school.settle()
        assert (await browser.get(lesson)).status_code == 403  # a partial refund does not restore what was taken
        command(school, "grant", "bob@example.com", SOURDOUGH, "--reason", "forgiven")
        assert (await browser.get(lesson)).status_code == 200
    reasons = [entry.details.get("reason") for entry in await school.rows(AuditEntry) if entry.actor == "operator"]
    assert {"raffle", "forgiven", "operator: shared the password"} <= set(reasons)


async def test_grant_to_somebody_without_an_account_mails_a_link(school: School) -> None:
    assert "by mail" in command(school, "grant", "new@example.com", SOURDOUGH, "--reason", "press")
    school.clock.forward(minutes=1)  # the command has a clock of its own
    await school.work()
    assert school.claim_token("new@example.com")


async def test_move_brings_purchases_to_another_address(school: School) -> None:
    async with school.browser() as wrong, school.browser() as right:
        session = await school.owner(wrong, email="wrong@example.com")
        await school.learner(right, "right@example.com")
        assert "1 purchase(s) moved" in command(school, "move", "wrong@example.com", "right@example.com")
        lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
        assert (await right.get(lesson)).status_code == 200
        assert (await wrong.get(lesson)).status_code == 403
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await right.get(lesson)).status_code == 403
        assert len(await school.rows(Entitlement)) == 2
    assert "no account" in command(school, "move", "a@example.com", "b@example.com", status=1)


async def test_reconcile_prints_every_difference_and_mends_on_request(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        school.bank.emitted = []  # the webhook never arrives
        said = command(school, "reconcile")
        assert (
            f"{session['client_reference_id']}: we have “pending, refunded 0”, Stripe says “paid, refunded 0”" in said
        )
        assert (await school.order(session)).state == "pending"
        assert "1 difference(s), mended." in command(school, "reconcile", "--apply")
        assert (await school.order(session)).state == "paid"
        assert command(school, "reconcile").strip() == "0 difference(s)."


async def test_jobs_events_and_replay(school: School, sandbox: Sandbox) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        sandbox.outage.update(status=500, left=10**6)
        await school.deliver()
        while any(job.state == "waiting" for job in await school.rows(Job)):
            school.clock.forward(hours=20)
            await school.work()
        sandbox.outage.update(left=0)
        listed = json.loads(command(school, "jobs", "--json"))
        assert listed["counts"]["dead"] == 1
        assert "PaymentsDown" in listed["jobs"][0]["error"]
        assert "waiting" in command(school, "events")
        assert "1 event(s)" in command(school, "replay", "--failed")
        await school.work()
        assert (await school.order(session)).state == "paid"
        assert "1 dead job(s)" in command(school, "jobs", "--retry")
        assert "paid" in command(school, "orders")
        assert command(school, "learners").strip() == "Nothing."
        assert "event(s)" in command(school, "replay", "--all")
        await school.work()
        assert len(school.mails()) == 1


@pytest.mark.parametrize(
    "name", ["why", "grant", "revoke", "move", "orders", "learners", "events", "replay", "jobs", "reconcile"]
)
def test_every_command_has_an_example(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dynamic_api.cli", name, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"Example: scripts/coursewright {name}" in done.stdout
    assert "--json" in done.stdout
    assert f"coursewright {name}" in (ROOT / "docs/commands.md").read_text()
