"""Buying: a plain form post, and the page one comes back to."""

import contextlib
import logging
from datetime import timedelta

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from dynamic_api.accounts.addresses import email_key, is_address
from dynamic_api.accounts.claims import has_account, is_claimable_by_buyer, order_of_browser
from dynamic_api.accounts.identity import checkout_browser, client_address, mark_checkout_browser, signed_in_user
from dynamic_api.accounts.throttle import (
    CHECKOUT_BY_ADDRESS,
    MAIL_BY_EMAIL,
    MAIL_BY_EMAIL_DAILY,
    ORDER_LOOKS_BY_ADDRESS,
)
from dynamic_api.catalog import LiveCourse
from dynamic_api.checkout.gifts import GiftRefused, describe_gift, gifts_given, read_wishes
from dynamic_api.checkout.promotion_codes import CodeRefused
from dynamic_api.checkout.reconcile import OrderBusy, reconcile_order
from dynamic_api.checkout.start import (
    AlreadyOwned,
    Buyer,
    EmailNeeded,
    PaymentUnderWay,
    Wishes,
    start_checkout,
    take_free_course,
)
from dynamic_api.errors import CourseNotFound, OrderNotFound, RateLimited
from dynamic_api.gateways.payments import PaymentsDown
from dynamic_api.models import Gift, Order, User
from dynamic_api.routing import learner_route, open_route, throttle_of
from dynamic_api.service import Service
from dynamic_api.tokens import is_public_id
from sitegen import urls

logger = logging.getLogger("coursewright.checkout")

LOOK_AGAIN = timedelta(seconds=3)  # a waiting success page asks Stripe at most this often


async def buy(request: Request, service: Service) -> Response:
    """Take the form of a course page, and answer 303 in every case: this works without JavaScript."""
    form = {name: str(value) for name, value in (await request.form(max_files=0, max_fields=10)).items()}
    slug, email = form.get("course", ""), form.get("email", "").strip()
    try:
        course = service.catalog.current.course(slug)
    except CourseNotFound:
        return _see_other(f"{urls.COURSES}#not-for-sale")
    known = checkout_browser(request, service)
    response = RedirectResponse("/", 303)
    browser = mark_checkout_browser(response, service, known)
    buyer = Buyer(await signed_in_user(request, service), browser, email if is_address(email) else None)
    try:
        throttle_of(request).hit(CHECKOUT_BY_ADDRESS, client_address(request))
        response.headers["Location"] = await _checkout(request, service, course, buyer, form)
    except AlreadyOwned as owned:
        if owned.order is not None:  # a guest: the page of that order says how it opens
            return _see_other(f"{urls.CHECKOUT_SUCCESS}?order={owned.order}")
        return _form_again(course, form, "already-yours")
    except PaymentUnderWay:
        return _form_again(course, form, "payment-under-way")
    except EmailNeeded:
        return _form_again(course, form, "email-needed")
    except (GiftRefused, CodeRefused) as refusal:
        return _form_again(course, form, refusal.notice)
    except PaymentsDown as error:
        logger.warning("no payment page for %s: %s", course.file.slug, error)
        return _form_again(course, form, "payment-unavailable")
    except RateLimited:
        return _form_again(course, form, "try-later")
    return response


async def _checkout(request: Request, service: Service, course: LiveCourse, buyer: Buyer, form: dict[str, str]) -> str:
    now, site = service.clock(), service.catalog.current.site
    if course.file.price is not None:
        return await start_checkout(
            service.database,
            service.gateways.payments,
            course,
            buyer,
            Wishes(
                gift=read_wishes(form, timezone=site.timezone, now=now) if form.get("gift") else None,
                code=form.get("code", "").strip() if site.promotion_codes == "own" else "",
            ),
            site=site,
            site_url=service.settings.site_url,
            now=now,
        )
    if buyer.user is None and buyer.email:
        # Anybody can type anybody's address here: one person gets few mails, whoever asks.
        throttle_of(request).hit(MAIL_BY_EMAIL, email_key(buyer.email))
        throttle_of(request).hit(MAIL_BY_EMAIL_DAILY, email_key(buyer.email))
    async with service.database.transaction() as db:
        await take_free_course(db, course, buyer, now=now)
    return urls.LIBRARY if buyer.user else urls.CHECKOUT_MAILED


async def show_order(request: Request, service: Service) -> Response:
    """The true state of an order; more than the state only in the browser that bought, and for its owner."""
    throttle_of(request).hit(ORDER_LOOKS_BY_ADDRESS, client_address(request))
    public_id = request.path_params["order"]
    order = await _order(service, public_id)
    now = service.clock()
    if order.state == "pending" and (order.reconciled_at is None or now - order.reconciled_at > LOOK_AGAIN):
        with contextlib.suppress(PaymentsDown, OrderBusy):  # the webhook will bring it; the page asks again
            await reconcile_order(service.database, service.gateways.payments, order.id, now=now, actor="success page")
        order = await _order(service, public_id)
    user = await signed_in_user(request, service)
    async with service.database.reading() as db:
        bought_here = await order_of_browser(db, public_id, checkout_browser(request, service) or "") is not None
        yours = user is not None and order.user_id == user.id
        answer: dict[str, object] = {"state": order.state}
        if bought_here or yours or (user is not None and order.buyer_id == user.id):
            title = service.catalog.current.title_of(order.course_id)
            claimable = bought_here and await is_claimable_by_buyer(db, order)
            answer |= {
                "course_title": title,
                "yours": yours,
                "claimable": claimable,
                "claimed": order.user_id is not None,
                "has_account": claimable and await has_account(db, order),
                "signed_in": user is not None,
            }
            if order.is_gift and not yours:
                answer["gift"] = await describe_gift(db, order, await db.get_one(Gift, order.id), title)
    return JSONResponse(answer, headers={"Cache-Control": "private, no-store"})


async def _order(service: Service, public_id: str) -> Order:
    if not is_public_id(public_id):
        raise OrderNotFound
    async with service.database.reading() as db:
        order = await db.scalar(select(Order).where(Order.public_id == public_id))
    if order is None:
        raise OrderNotFound
    return order


def _see_other(address: str) -> Response:
    return RedirectResponse(address, 303)


def _form_again(course: LiveCourse, form: dict[str, str], notice: str) -> Response:
    """Back to the form it came from, beside which the page shows what happened."""
    page = urls.gift(course.file.slug) if form.get("gift") and course.file.price else urls.course(course.file.slug)
    return _see_other(f"{page}#{notice}")


async def show_gifts(request: Request, service: Service, user: User) -> Response:
    """What this person gave, and what became of it."""
    async with service.database.reading() as db:
        given = await gifts_given(db, user, service.catalog.current.title_of)
    return JSONResponse({"gifts": given})


routes = [
    open_route("POST", "/checkout", buy),
    learner_route("GET", "/gifts", show_gifts),
    open_route("GET", "/orders/{order}", show_order),
]
