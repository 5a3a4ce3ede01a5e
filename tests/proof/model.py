"""What must be true when everything has come to rest. It asks the sandbox's bank, and never our own rules."""

from collections import defaultdict
from datetime import UTC, datetime

from sqlalchemy import select

from dynamic_api.core.models import Entitlement, Gift, Job, Order, User
from dynamic_api.core.states import JobState, OrderState
from scripts.sandbox.store import Json
from tests.proof.history import History
from tests.school import School

STRICT = "git-for-writers"  # a course that ends with a partial refund


def gives_access(school: School, session: Json) -> bool:
    """Whether this payment, as Stripe has it, pays for a course now."""
    if session["payment_status"] == "no_payment_required":
        return True
    if session["payment_status"] != "paid":
        return False
    intent = session["payment_intent"]
    disputes = [each["status"] for each in school.bank.store.all("dispute") if each["payment_intent"] == intent]
    refunded = refunded_of(school, session)
    kept = refunded == 0 or (refunded < session["amount_total"] and session["_course"] != STRICT)
    return kept and all(status == "won" for status in disputes)


def refunded_of(school: School, session: Json) -> int:
    """What really went back: refunded, or lost to the buyer's bank."""
    intent = session["payment_intent"]
    ends = {"refund": "succeeded", "dispute": "lost"}
    back: int = sum(
        each["amount"]
        for kind, end in ends.items()
        for each in school.bank.store.all(kind)
        if intent and each["payment_intent"] == intent and each["status"] == end
    )
    return min(back, int(session["amount_total"]))


async def verify(history: History) -> set[str]:
    """Compare the database with the model; which kinds of access there are. Raises AssertionError."""
    school = history.school
    async with school.service.database.reading() as db:
        orders = {order.public_id: order for order in await db.scalars(select(Order))}
        rows = list(await db.scalars(select(Entitlement)))
        gifts = {gift.order_id: gift for gift in await db.scalars(select(Gift))}
        users = {user.id: user for user in await db.scalars(select(User))}
        unfinished = list(await db.scalars(select(Job).where(Job.state.in_([JobState.DEAD, JobState.RUNNING]))))
    assert not unfinished, [(job.kind, job.last_error) for job in unfinished]
    deleted = {user.id for user in users.values() if user.email.is_deleted}
    expected: dict[int, set[int]] = defaultdict(set)
    sold = {session["client_reference_id"]: session for session in history.sessions}
    for name, order in orders.items():
        session = sold.get(name)
        pays = gives_access(school, session) if session else order.state is OrderState.PAID
        if session:
            _verify_money(school, order, session, pays=pays)
        _verify_times(order, school.clock())
        if order.is_gift:
            owner = users.get(order.owner_id or 0)
            assert owner is None or owner.id in history.friends, "a gift is never its buyer's"
            assert not pays or name in history.decisions.withdrawn or gifts[order.id].delivered_at, "gifts arrive"
        owner_id = order.owner_id or 0
        ended = name in history.decisions.withdrawn or (owner_id, f"order:{name}") in history.decisions.revoked
        if pays and not ended:
            expected[owner_id].add(order.course_id)
    for user_id, course_id in history.decisions.granted:
        expected[user_id].add(course_id)
    for nobody in {0, *deleted}:
        expected.pop(nobody, None)
    live: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        assert row.revoked_at is None or row.granted_at <= row.revoked_at
        if row.revoked_at is None:
            live[row.user_id].add(row.course_id)
    assert live == expected
    assert all(orders[name].owner_id is not None for name in history.claimed), "who claimed, stays the owner"
    _verify_messages(history)
    return {"live" if row.revoked_at is None else "ended" for row in rows}


def _verify_money(school: School, order: Order, session: Json, *, pays: bool) -> None:
    kept = ("paid",) if session["_course"] == STRICT else ("paid", "partially_refunded")
    assert (order.state in kept) == pays, (order.state, session["payment_status"])
    assert order.amount == session["amount_subtotal"]
    if order.paid_at is None:
        return
    assert (order.total_amount, order.total_currency) == (session["amount_total"], session["currency"].upper())
    assert order.refunded_amount == refunded_of(school, session)
    assert order.payment_intent_id == session["payment_intent"]


def _verify_times(order: Order, now: datetime) -> None:
    # Stripe's clock says when it was paid, and the tests' clock runs ahead of it.
    assert order.paid_at is None or order.paid_at <= now
    assert (order.paid_at is not None) == (order.state not in ("pending", "expired", "failed"))
    assert (order.refunded_at is not None) == (order.state is OrderState.REFUNDED)
    assert order.reconciled_at is None or order.created_at <= order.reconciled_at <= now
    assert order.created_at.tzinfo is UTC


def _verify_messages(history: History) -> None:
    sent = [(mail["to"], mail["message_id"]) for mail in history.school.mails()]
    doubled = {each for each in sent if sent.count(each) > 1}
    # Who dies between handing a message over and noting it down sends it again, under the same Message-ID.
    assert history.crashed or not doubled, doubled
