"""The commands `doctor` and `config`: whether an installation is ready."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict

import click

from dynamic_api.app import create_service
from dynamic_api.core.read_settings import load_settings
from dynamic_api.core.settings import Settings, SettingsInvalid
from dynamic_api.doctor.address import look_at_address
from dynamic_api.doctor.findings import Finding, State, failed, guarded, passed
from dynamic_api.doctor.house import look_at_house
from dynamic_api.doctor.partners import look_at_files, look_at_mail, look_at_stream
from dynamic_api.doctor.stripe import look_at_stripe
from dynamic_api.gateways import open_gateways
from dynamic_api.gateways.streaming import Streaming
from dynamic_api.service import Service
from dynamic_api.webhooks.handle import HANDLED
from sitegen.catalog.manifest import ManifestUnreadable, read_manifest


@click.command(epilog="Example: coursewright doctor --json")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def doctor(as_json: bool) -> None:
    """Ask everything that has to work: settings, database, mail, Stripe, Stream, files, the public address.

    Writes nothing anywhere. Exit status 1 if anything fails.
    """
    try:
        settings = load_settings()
    except SettingsInvalid as error:
        findings = [failed("settings", line, "Set it in .env; see “coursewright docs settings”.")
                    for line in str(error).splitlines()]  # fmt: skip
    else:
        findings = [passed("settings", "complete"), *asyncio.run(_all(settings))]
    _tell(findings, as_json)


@click.command(name="config", epilog="Example: coursewright config check")
@click.argument("what", type=click.Choice(["check"]))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def config(what: str, as_json: bool) -> None:
    """Check the settings: every fault at once, names that are none, folders that are not there."""
    try:
        Streaming(load_settings())  # which reads the key
        findings = [passed("settings", "complete")]
    except SettingsInvalid as error:
        findings = [failed("settings", line, "") for line in str(error).splitlines()]
    _tell(findings, as_json)


async def _all(settings: Settings) -> list[Finding]:
    try:
        service = create_service(settings, open_gateways(settings))
    except SettingsInvalid as error:
        return [failed("settings", str(error), "See “coursewright docs settings”.")]
    try:
        return [finding async for finding in _look(service)]
    finally:
        await service.close()


async def _look(service: Service) -> AsyncIterator[Finding]:
    settings, gateways, now = service.settings, service.gateways, service.clock()
    async for finding in look_at_house(service):
        yield finding
    yield await look_at_mail(settings)
    async for finding in guarded("Stripe", look_at_stripe(settings, HANDLED, now=now)):
        yield finding
    video, key = _examples(settings)
    async for finding in guarded("Stream", look_at_stream(gateways.streaming, video, now=now)):
        yield finding
    yield await look_at_files(gateways.storage, key)
    async for finding in guarded("address", look_at_address(settings)):
        yield finding


def _examples(settings: Settings) -> tuple[str | None, str | None]:
    """A video and a file of the courses, to ask for."""
    try:
        courses = read_manifest(settings.manifest).catalog.courses
    except ManifestUnreadable:
        return None, None
    lessons = [lesson for course in courses for lesson in course.lessons]
    resources = [each for course in courses for each in course.resources]
    resources += [each for lesson in lessons for each in lesson.resources]
    return next((each.video for each in lessons if each.video), None), next((each.key for each in resources), None)


def _tell(findings: list[Finding], as_json: bool) -> None:
    broken = [each for each in findings if each.state is State.FAILED]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings], ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(map(str, findings)))
        count = f"{len(broken)} of {len(findings)}"
        click.echo(f"\n{count} need attention." if broken else f"\nAll is well: {len(findings)} looked at.")
    if broken:
        raise SystemExit(1)
