"""How a command answers: sentences for a person, JSON for a program, or a refusal in one sentence."""

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

import asyncpg
import click
from sqlalchemy.exc import SQLAlchemyError

from dynamic_api.app import create_service
from dynamic_api.claims.by_operator import NoSuchGift, NoSuchLearner
from dynamic_api.core.audit import OPERATOR, Action, record
from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.errors import CourseNotFound
from dynamic_api.core.read_settings import load_settings
from dynamic_api.core.settings import Settings, SettingsInvalid
from dynamic_api.gateways import open_gateways
from dynamic_api.gateways.payment_errors import PaymentsUnavailable
from dynamic_api.gateways.stream_library import StreamRefused
from dynamic_api.migrations.schema import SchemaUnfit, check_schema
from dynamic_api.orders.reconcile import OrderBusy
from dynamic_api.orders.refund import RefundRefused
from dynamic_api.service import Service
from sitegen.catalog.manifest import ManifestUnreadable

P = ParamSpec("P")

DATABASE_FAULTS = (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class CommandRefused(click.ClickException):
    """Why a command was not carried out, in a sentence."""


@dataclass(frozen=True)
class Report:
    """What a command says. `failed` becomes the exit status."""

    lines: list[str]
    data: object
    failed: bool = False


class EmailType(click.ParamType[Email]):
    """An email address as an argument."""

    name = "email"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Email:
        """Refuse what is no address, before anything happens."""
        if isinstance(value, Email):
            return value
        try:
            return Email.parse(str(value))
        except EmailInvalid:
            self.fail(f"“{value}” is not an email address.", param, ctx)


EMAIL = EmailType()


def settings_or_refusal() -> Settings:
    """The settings. Raises CommandRefused with everything that is wrong with them."""
    try:
        return load_settings()
    except SettingsInvalid as error:
        raise CommandRefused(str(error)) from error


def settings_or_none() -> Settings | None:
    """The settings, for a command that does without them on another machine."""
    try:
        return load_settings()
    except SettingsInvalid:
        return None


def operator_command(
    example: str, *, name: str = ""
) -> Callable[[Callable[Concatenate[Service, P], Awaitable[Report]]], Callable[P, None]]:
    """A command that works on the running installation: opens it, reports, and leaves a line in the audit log."""

    def decorate(command: Callable[Concatenate[Service, P], Awaitable[Report]]) -> Callable[P, None]:
        written = name or command.__name__

        @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
        @functools.wraps(command)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            as_json = bool(kwargs.pop("as_json"))
            report = asyncio.run(_run(lambda service: command(service, *args, **kwargs), written))
            text = json.dumps(report.data, indent=2) if as_json else "\n".join(report.lines) or "Nothing."
            click.echo(text)
            if report.failed:
                raise SystemExit(1)

        return click.command(command.__name__, epilog=f"Example: coursewright {written} {example}".strip())(run)

    return decorate


def database_refusal(error: Exception) -> CommandRefused:
    """A fault of the database as a sentence; the driver's own words are its first line."""
    cause = getattr(error, "orig", None) or error
    words = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    return CommandRefused(
        f"The database cannot be used: {words}. Check COURSEWRIGHT_DATABASE_URL, and that it is running."
    )


async def _run(command: Callable[[Service], Awaitable[Report]], name: str) -> Report:
    settings = settings_or_refusal()
    service = create_service(settings, open_gateways(settings))
    try:
        await check_schema(settings.database_url)
        if not await service.catalog.look():
            raise CommandRefused("The service has read no catalogue yet. Start it once: coursewright serve.")
        report = await command(service)
        async with service.database.transaction() as db:  # without the person's name: it would outlive their account
            record(db, Action.COMMAND_RUN, at=service.clock(), actor=OPERATOR, command=name)
        return report
    except CourseNotFound:
        raise CommandRefused("No course has this slug.") from None
    except (
        NoSuchLearner,
        NoSuchGift,
        PaymentsUnavailable,
        RefundRefused,
        OrderBusy,
        StreamRefused,
        SettingsInvalid,
        ManifestUnreadable,
        SchemaUnfit,
    ) as error:
        raise CommandRefused(str(error)) from error
    except DATABASE_FAULTS as error:
        raise database_refusal(error) from error
    finally:
        await service.close()
