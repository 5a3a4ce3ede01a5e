"""The commands about orders and learners: orders, learners, refund, reconcile."""

from dataclasses import asdict
from datetime import UTC, datetime

import click
from sqlalchemy import select

from dynamic_api.commands.report import Report, operator_command
from dynamic_api.core.clock import timestamp
from dynamic_api.core.models import Entitlement, Order, User
from dynamic_api.gateways.payment_errors import PaymentsUnavailable
from dynamic_api.orders.reconcile import OrderBusy
from dynamic_api.orders.refund import refund_order
from dynamic_api.orders.sweep import Difference, find_differences
from dynamic_api.service import Service


@operator_command("--limit 20")
@click.option("--limit", type=int, default=50, show_default=True, help="How many at most.")
async def orders(service: Service, limit: int) -> Report:
    """List the newest orders."""
    async with service.database.reading() as db:
        rows = list(await db.scalars(select(Order).order_by(Order.id.desc()).limit(limit)))
    title_of = service.catalog.current.title_of
    data = [
        {
            "order": row.public_id,
            "state": row.state.value,
            "course": title_of(*row.course_ids),
            "email": row.buyer_email.spelling if row.buyer_email else None,
            "total": row.total_amount,
            "currency": row.total_currency or row.currency,
            "claimed": row.owner_id is not None,
            "created_at": timestamp(row.created_at),
        }
        for row in rows
    ]
    lines = [
        f"{row['created_at']}  {row['order']}  {row['state']:<18} {row['email'] or '-':<30} {row['course']}"
        for row in data
    ]
    return Report(lines, data)


@operator_command("--limit 20")
@click.option("--limit", type=int, default=50, show_default=True, help="How many at most.")
async def learners(service: Service, limit: int) -> Report:
    """List accounts, newest first, and the courses of each."""
    active = select(Entitlement.user_id, Entitlement.course_id).where(Entitlement.revoked_at.is_(None)).distinct()
    async with service.database.reading() as db:
        users = list(await db.scalars(select(User).order_by(User.id.desc()).limit(limit)))
        held: dict[int, list[str]] = {}
        for user_id, course_id in await db.execute(active.where(Entitlement.user_id.in_([user.id for user in users]))):
            held.setdefault(user_id, []).append(service.catalog.current.title_of(course_id))
    courses = {user.id: sorted(held.get(user.id, [])) for user in users}
    data = [{"email": user.email.spelling, "name": user.name, "courses": courses[user.id]} for user in users]
    lines = [f"{user.email.spelling:<32} {', '.join(courses[user.id]) or 'no course'}" for user in users]
    return Report(lines, data)


@operator_command("ord_0123456789abcdef01234567")
@click.argument("order")
@click.option("--line", type=int, help="Only this line of the order, counted from 1.")
async def refund(service: Service, order: str, line: int | None) -> Report:
    """Give the money of an order back, at Stripe. Access to what it paid for ends."""
    sentence = await refund_order(service, order, line=line)
    return Report([sentence], {"message": sentence})


@operator_command("--since 2026-11-01 --apply")
@click.option(
    "--since",
    type=click.DateTime(),
    help="Look at what was created at Stripe since this day; 30 days (disputes: 180) unless given.",
)
@click.option("--apply", is_flag=True, help="Fix the differences.")
async def reconcile(service: Service, since: datetime | None, apply: bool) -> Report:
    """Compare our orders with Stripe."""
    start = since.replace(tzinfo=UTC) if since is not None else None
    found: list[Difference] = []
    stopped = None
    try:
        async for each in find_differences(service, since=start, fix=apply):
            found.append(each)
    except (PaymentsUnavailable, OrderBusy) as error:  # what was found so far is reported all the same
        stopped = f"Stopped before the end: {error}. Run the command again."
    count = "1 difference" if len(found) == 1 else f"{len(found)} differences"
    summary = f"{count}, fixed." if apply else f"{count}; --apply fixes them." if found else f"{count}."
    lines = [*(str(each) for each in found), summary, *([stopped] if stopped else [])]
    data = {"differences": [asdict(each) for each in found], "applied": apply, "stopped": stopped}
    return Report(lines, data, failed=stopped is not None)
