"""The operator's commands, run as a person runs them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from dynamic_api.commands.__main__ import COMMANDS, coursewright
from dynamic_api.core.models import AuditEntry, Entitlement, Job, Order, WebhookEvent
from dynamic_api.core.states import OrderState
from dynamic_api.mail.send import WRITERS
from tests import commands
from tests.conftest import ROOT, Sandbox
from tests.school import GIT, LESSON, PASSWORD, SOURDOUGH, School

pytestmark = pytest.mark.slow


async def run(school: School, *arguments: str, status: int = 0) -> str:
    return await commands.run(school.service.settings, *arguments, status=status)


async def test_why_tells_the_story(school: School) -> None:
    async with school.browser() as browser:
        session = await school.owner(browser)
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
    said = await run(school, "why", "ANN@example.com", SOURDOUGH)
    lines = said.splitlines()
    assert lines[0] == "ANN@example.com may not watch Sourdough, from Starter to Loaf."
    story = [
        "An order was begun",
        "Stripe reported checkout.session.completed",
        "before pending, after paid",
        "The purchase was claimed",
        "Access was granted",
        "Stripe reported refund.created",
        "Access was revoked",
    ]
    places = [[number for number, line in enumerate(lines) if part in line][:1] for part in story]
    assert all(places), said
    data = json.loads(await run(school, "why", "ann@example.com", SOURDOUGH, "--json"))
    assert data["may_watch"] is False
    assert "no account" in await run(school, "why", "nobody@example.com", SOURDOUGH)
    assert await run(school, "why", "ann@example.com", "nope", status=1) == "Error: No course has this slug.\n"


async def test_grant_and_revoke_are_audited_and_payments_do_not_undo_them(school: School) -> None:
    lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
    async with school.browser() as browser:
        await school.learner(browser)
        assert "may now watch" in await run(school, "grant", "bob@example.com", SOURDOUGH, "--reason", "raffle")
        assert "did not have" in await run(school, "revoke", "bob@example.com", GIT, "--reason", "by mistake")
        assert "had" in await run(school, "grant", "bob@example.com", SOURDOUGH, "--reason", "again")
        assert (await browser.get(lesson)).status_code == 200
        await run(school, "revoke", "bob@example.com", SOURDOUGH, "--reason", "shared the password")
        assert (await browser.get(lesson)).status_code == 403
        session = await school.begin(browser)
        school.pay(session)
        await school.settle()
        assert (await browser.get(lesson)).status_code == 200  # bought afterwards: its own source
        await run(school, "revoke", "bob@example.com", SOURDOUGH, "--reason", "again")
        school.bank.refund(session["payment_intent"], amount=100)
        await school.settle()
        assert (await browser.get(lesson)).status_code == 403  # a partial refund does not restore what was taken
        await run(school, "grant", "bob@example.com", SOURDOUGH, "--reason", "forgiven")
        assert (await browser.get(lesson)).status_code == 200
    reasons = [entry.details.get("reason") for entry in await school.rows(AuditEntry) if entry.actor == "operator"]
    assert {"raffle", "forgiven", "operator: shared the password"} <= set(reasons)


async def test_grant_to_somebody_without_an_account_mails_a_link(school: School) -> None:
    assert "has no account yet; an email with a link" in await run(
        school, "grant", "new@example.com", SOURDOUGH, "--reason", "press"
    )
    school.clock.forward(minutes=1)  # the command has a clock of its own
    await school.work()
    assert school.claim_token("new@example.com")


async def test_move_brings_purchases_to_another_address(school: School) -> None:
    async with school.browser() as wrong, school.browser() as right:
        session = await school.owner(wrong, email="wrong@example.com")
        await school.learner(right, "right@example.com")
        assert "1 purchase moved" in await run(school, "move", "wrong@example.com", "right@example.com")
        lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
        assert (await right.get(lesson)).status_code == 200
        assert (await wrong.get(lesson)).status_code == 403
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await right.get(lesson)).status_code == 403
        assert len(await school.rows(Entitlement)) == 2
    assert "no account" in await run(school, "move", "a@example.com", "b@example.com", status=1)


async def test_reconcile_prints_every_difference_and_mends_on_request(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        school.bank.emitted = []  # the webhook never arrives
        said = await run(school, "reconcile")
        assert (
            f"{session['client_reference_id']}: we have “pending, refunded 0”, Stripe says “paid, refunded 0”" in said
        )
        assert (await school.order(session)).state == "pending"
        assert "1 difference, fixed." in await run(school, "reconcile", "--apply")
        assert (await school.order(session)).state == "paid"
        assert (await run(school, "reconcile")).strip() == "0 differences."


async def test_jobs_events_and_replay(school: School, sandbox: Sandbox) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        sandbox.outage.update(status=401, left=10**6)
        await school.deliver()
        while any(job.state == "waiting" for job in await school.rows(Job)):
            school.clock.forward(hours=20)
            await school.work()
        sandbox.outage.update(left=0)
        listed = json.loads(await run(school, "jobs", "--json"))
        assert listed["counts"]["dead"] == 1
        assert "PaymentsMisconfigured" in listed["jobs"][0]["error"]
        assert "failed, and given up" in await run(school, "events")
        assert "1 event " in await run(school, "replay", "--failed")
        await school.work()
        assert (await school.order(session)).state == "paid"
        assert "1 job" in await run(school, "jobs", "--retry")
        assert "paid" in await run(school, "orders")
        assert (await run(school, "learners")).strip() == "Nothing."
        assert "events" in await run(school, "replay", "--all")
        await school.work()
        assert len(school.mails("ann@example.com")) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_and_a_line_in_the_documents(name: str) -> None:
    said = CliRunner().invoke(coursewright, [name, "--help"], prog_name="coursewright")
    assert said.exit_code == 0
    assert f"Example: coursewright {name}" in said.stdout
    assert f"coursewright {name}" in (ROOT / "docs/commands.md").read_text()


@pytest.mark.parametrize(
    "name", ["why", "orders", "learners", "events", "replay", "jobs", "reconcile", "check", "build"]
)
def test_commands_that_tell_something_tell_it_as_json(name: str) -> None:
    assert "--json" in CliRunner().invoke(coursewright, [name, "--help"]).stdout


def test_help_lists_every_command_and_imports_none() -> None:
    program = (
        "import sys; from click.testing import CliRunner; from dynamic_api.commands.__main__ import coursewright;"
        "print(CliRunner().invoke(coursewright, ['--help']).stdout); print('starlette' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"  {name} " in said for name in COMMANDS)
    assert said.rstrip().endswith("False")


def test_a_command_that_there_is_not() -> None:
    said = CliRunner().invoke(coursewright, ["reconsile"], prog_name="coursewright")
    assert said.exit_code == 2
    assert "No such command 'reconsile'" in said.output


async def test_replay_into_an_empty_database_ends_in_the_same_state(school: School) -> None:
    """Guests, owners, gifts, refunds, disputes, and what the operator did by hand."""
    async with school.browser() as owner, school.browser() as guest, school.browser() as giver:
        session = await school.owner(owner)
        school.bank.refund(session["payment_intent"], amount=100)
        waiting = await school.buy(guest, email="guest@example.com")
        school.bank.dispute(waiting["payment_intent"])
        gift = await school.begin(giver, gift="1", recipient_email="friend@example.com")
        school.pay(gift)
        await school.settle()
        await giver.post(
            "/api/claims", json={"token": school.claim_token("friend@example.com"), "name": "F", "password": PASSWORD}
        )
        back = await school.buy(giver, GIT, email="back@example.com")
        school.bank.refund(back["payment_intent"], amount=None)
        await school.settle()
    await run(school, "grant", "friend@example.com", GIT, "--reason", "raffle")
    await run(school, "revoke", "ann@example.com", SOURDOUGH, "--reason", "abuse")
    before = len(school.mails())
    for seed in ("1", "2"):
        said = json.loads(await run(school, "replay", "--all", "--into-empty", "--seed", seed, "--json"))
        assert said["same"], said
        assert said["events"] == len(await school.rows(WebhookEvent)) > 8
        assert said["ours"] == said["replayed"]
    assert len(school.mails()) == before
    # A state no event led to is found.
    async with school.service.database.transaction() as db:
        order = (await db.scalars(select(Order).where(Order.public_id == back["client_reference_id"]))).one()
        order.state = OrderState.PAID
    said = json.loads(await run(school, "replay", "--all", "--into-empty", "--json", status=1))
    assert [line.split()[2] for line in (*said["only_ours"], *said["only_replayed"])] == ["paid", "refunded"]
    assert "write replay --all" in await run(school, "replay", "--failed", "--into-empty", status=1)


async def test_replay_of_a_school_with_one_guest(school: School) -> None:
    """No gift, no account, no decision of the operator's."""
    async with school.browser() as guest:
        await school.buy(guest)
    assert json.loads(await run(school, "replay", "--all", "--into-empty", "--json"))["same"]


async def test_every_message_can_be_seen(school: School, tmp_path: Path) -> None:
    names = (await run(school, "messages")).splitlines()
    assert {line.split()[0].partition("-")[0] for line in names} == {message.name for message in WRITERS}
    assert "Fran" in await run(school, "messages", "gift")
    await run(school, "messages", "--folder", str(tmp_path))
    assert len(list(tmp_path.glob("*.html"))) == len(names)
    for page in tmp_path.glob("*.html"):
        assert "prefers-color-scheme: dark" in page.read_text()
    assert "There is no message called nope" in await run(school, "messages", "nope", status=1)


async def test_replays_and_retries_are_audited(school: School) -> None:
    async with school.browser() as browser:
        await school.buy(browser)
    await run(school, "replay", "--all")
    await run(school, "jobs", "--retry")
    assert {"events:replayed", "jobs:retried"} <= {row.action for row in await school.rows(AuditEntry)}
