"""The commands about access: why, grant, revoke, move, readdress."""

import click

from dynamic_api.claims import by_operator
from dynamic_api.commands.report import EMAIL, Report, operator_command
from dynamic_api.commands.why import explain_access
from dynamic_api.core.clock import timestamp
from dynamic_api.core.emails import Email
from dynamic_api.service import Service


@operator_command("ann@example.com sourdough")
@click.argument("email", type=EMAIL)
@click.argument("course")
async def why(service: Service, email: Email, course: str) -> Report:
    """Explain why somebody can watch a course, or cannot."""
    found = service.catalog.current.course(course)
    async with service.database.reading() as db:
        answer = await explain_access(db, email, found)
    may = "may" if answer.may_watch else "may not"
    lines = [f"{email} {may} watch {found.definition.title}.", ""]
    lines += [f"  {reason}" for reason in answer.reasons]
    lines += ["", *(f"  {fact.at:%Y-%m-%d %H:%M:%S}  {fact.sentence}" for fact in answer.history)]
    history = [{"at": timestamp(fact.at), "sentence": fact.sentence} for fact in answer.history]
    return Report(lines, {"may_watch": answer.may_watch, "reasons": answer.reasons, "history": history})


@operator_command("ann@example.com sourdough --reason 'won the raffle'")
@click.argument("email", type=EMAIL)
@click.argument("course")
@click.option("--reason", required=True, help="Kept in the audit log.")
async def grant(service: Service, email: Email, course: str, reason: str) -> Report:
    """Give somebody a course. Without an account, they are emailed a link."""
    found = service.catalog.current.course(course)
    async with service.database.transaction() as db:
        return _report(await by_operator.grant(db, email, found, reason=reason, now=service.clock()))


@operator_command("ann@example.com sourdough --reason abuse")
@click.argument("email", type=EMAIL)
@click.argument("course")
@click.option("--reason", required=True, help="Kept in the audit log.")
async def revoke(service: Service, email: Email, course: str, reason: str) -> Report:
    """Take a course away from somebody, whatever granted it. Nothing is refunded."""
    found = service.catalog.current.course(course)
    async with service.database.transaction() as db:
        return _report(await by_operator.revoke(db, email, found, reason=reason, now=service.clock()))


@operator_command("old@example.com new@example.com")
@click.argument("email", type=EMAIL)
@click.argument("to", type=EMAIL)
async def move(service: Service, email: Email, to: Email) -> Report:
    """Move everything bought with one address, or given to it, to another account."""
    async with service.database.transaction() as db:
        return _report(await by_operator.move_purchases(db, email, to, now=service.clock()))


@operator_command("ord_0123456789abcdef01234567 fran@example.com")
@click.argument("order")
@click.argument("to", type=EMAIL)
async def readdress(service: Service, order: str, to: Email) -> Report:
    """Send a gift that waits for its recipient to another address."""
    async with service.database.transaction() as db:
        return _report(await by_operator.readdress_gift(db, order, to, now=service.clock()))


def _report(sentence: str) -> Report:
    return Report([sentence], {"message": sentence})
