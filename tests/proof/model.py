"""What must be true when everything has come to rest. It asks the sandbox's bank, and never our own rules."""

from collections import defaultdict
from datetime import UTC, datetime

from sqlalchemy import select

from dynamic_api.core.models import Entitlement, Gift, Job, Order, User
from dynamic_api.core.states import JobState, OrderState
from dynamic_api.gateways.payment_facts import LINE
from scripts.sandbox.store import Json
from tests.proof.history import History
from tests.school import School

STRICT = "git-for-writers"  # a course that ends with a partial refund


def courses_paid(school: School, session: Json) -> set[str]:
    """The courses that this payment, as Stripe has it, pays for now."""
    lines = dict(zip(session["_courses"], school.bank.store.line_items[session["id"]], strict=True))
    if session["payment_status"] == "no_payment_required":
        return set(lines)
    if session["payment_status"] != "paid" or refunded_of(school, session) >= session["amount_total"]:
        return set()
    left = {course: line["amount_total"] for course, line in lines.items()}
    spoilt: set[str] = set()  # courses about which money went back in part
    unnamed = []
    for each in _money_back(school, session):
        number = (each.get("metadata") or {}).get(LINE)
        if number is None:
            unnamed.append(each)
            continue
        course = session["_courses"][int(number) - 1]
        left[course] = max(0, left[course] - each["amount"])
        spoilt.add(course)
    open_amount = sum(each["amount"] for each in unnamed if each["status"] == "needs_response")
    if open_amount and refunded_of(school, session) + open_amount >= session["amount_total"]:
        return set()
    for each in unnamed:
        meant = [course for course in left if left[course] == each["amount"]] if len(left) > 1 else list(left)
        is_open = each["status"] == "needs_response"
        if len(meant) == 1:
            left[meant[0]] = max(0, left[meant[0]] - each["amount"])
        if not is_open:
            spoilt.update(meant if len(meant) == 1 else left)
    return {course for course in lines if left[course] > 0 and not (course in spoilt and course == STRICT)}


def _money_back(school: School, session: Json) -> list[Json]:
    """Refunds, and disputes that are lost or open: lost and refunded ones first."""
    intent, ends = session["payment_intent"], {"refund": ("succeeded",), "dispute": ("lost", "needs_response")}
    found = [
        each
        for kind, statuses in ends.items()
        for each in school.bank.store.all(kind)
        if intent and each["payment_intent"] == intent and each["status"] in statuses
    ]
    return sorted(found, key=lambda each: each["status"] == "needs_response")


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
        if session:
            slugs = courses_paid(school, session)
            _verify_money(school, order, session, pays=bool(slugs))
            paid = {school.service.catalog.current.course(slug).id for slug in slugs}
        else:
            paid = set(order.course_ids) if order.state is OrderState.PAID else set()
        _verify_times(order, school.clock())
        if order.is_gift:
            owner = users.get(order.owner_id or 0)
            assert owner is None or owner.id in history.friends, "a gift is never its buyer's"
            assert (
                not paid
                or any((name, each) in history.decisions.withdrawn for each in paid)
                or gifts[order.id].delivered_at
            ), "gifts arrive"
        owner_id = order.owner_id or 0
        for course_id in paid:
            revoked = (owner_id, f"order:{name}", course_id) in history.decisions.revoked
            if (name, course_id) not in history.decisions.withdrawn and not revoked:
                expected[owner_id].add(course_id)
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
    if pays:
        assert order.state in ("paid", "partially_refunded"), (order.state, session["payment_status"])
    elif session["_courses"] != (STRICT,):
        assert order.state != "paid", session["payment_status"]
    assert sum(line.refunded_amount for line in order.lines) <= order.refunded_amount
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
