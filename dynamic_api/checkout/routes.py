"""Buying: a plain form post, and the page one comes back to."""

import asyncio
import contextlib
import logging
from datetime import timedelta

from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.checkout.buyer import AlreadyOwned, Buyer
from dynamic_api.checkout.free import EmailNeeded, SignInNeeded, give_free_course, take_free_course
from dynamic_api.checkout.offer import offer_of
from dynamic_api.checkout.start import Options, PaymentProcessing, start_checkout
from dynamic_api.claims.browser import checkout_browser, mark_checkout_browser
from dynamic_api.claims.claims import has_account, is_buyers, is_claimable_by_buyer, order_of_browser
from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.errors import OrderNotFound, RateLimited
from dynamic_api.core.models import Order
from dynamic_api.core.notices import FormRefused, Notice
from dynamic_api.core.operator_notices import tell_operator
from dynamic_api.core.outages import is_outage
from dynamic_api.core.states import OrderState
from dynamic_api.core.throttle import CHECKOUTS_BY_IP, ORDER_VIEWS_BY_IP, count_message
from dynamic_api.core.tokens import parse_public_order_id
from dynamic_api.gateways.payment_errors import PaymentsMisconfigured, PaymentsRefused, PaymentsUnavailable
from dynamic_api.orders.gifts import GIFT_OF_ORDER, describe_gift, read_gift_form
from dynamic_api.orders.reconcile import OrderBusy, reconcile_order
from dynamic_api.service import Service
from dynamic_api.web.identity import signed_in
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse, see_other
from dynamic_api.web.routing import open_route
from sitegen import urls
from sitegen.catalog.model import price_of_form

logger = logging.getLogger("coursewright.checkout")

ASK_STRIPE_EVERY = timedelta(seconds=3)  # while a success page waits

Form = dict[str, str]


async def buy(request: Request) -> Response:
    """Take the form of a course page, and answer 303 in every case: this works without JavaScript."""
    form = await request.read_form()
    course = _course(request.service, form.get("course", ""))
    if course is None or not course.is_for_sale:
        return see_other(f"{urls.COURSES}#{Notice.NOT_FOR_SALE}")
    response = RedirectResponse("/", 303)
    browser = mark_checkout_browser(request, response)
    try:
        buyer = Buyer(await signed_in(request), browser, _email(form))
        await request.service.throttle.hit(CHECKOUTS_BY_IP, request.client_ip)
        async with asyncio.timeout(request.service.gateways.payments.patience):
            response.headers["Location"] = await _checkout(request.service, course, buyer, form, request.client_ip)
    except AlreadyOwned as owned:
        if owned.order is not None:  # a guest: the page of that order says how to open it
            return see_other(f"{urls.CHECKOUT_SUCCESS}?order={owned.order}")
        return _back_to_form(course, form, Notice.ALREADY_YOURS)
    except PaymentProcessing:
        return _back_to_form(course, form, Notice.PAYMENT_PROCESSING)
    except SignInNeeded:
        return see_other(urls.SIGN_IN)
    except EmailNeeded:
        return _back_to_form(course, form, Notice.EMAIL_NEEDED)
    except FormRefused as refusal:
        return _back_to_form(course, form, refusal.notice)
    except (PaymentsRefused, PaymentsMisconfigured) as error:
        logger.error("%s cannot be sold: %s", course.definition.slug, error)
        async with request.service.database.transaction() as db:
            sentence = f"“{course.definition.title}” cannot be bought: {error}"
            await tell_operator(db, f"sale.{course.id}", sentence, now=request.service.clock())
        return _back_to_form(course, form, Notice.PAYMENT_REFUSED)
    except (PaymentsUnavailable, TimeoutError) as error:
        logger.warning("no payment page for %s: %s", course.definition.slug, error or "it took too long")
        return _back_to_form(course, form, Notice.PAYMENT_UNAVAILABLE)
    except RateLimited:
        return _back_to_form(course, form, Notice.TRY_LATER)
    except Exception as error:
        if not is_outage(error):
            raise
        logger.warning("no payment page for %s, since the database cannot answer: %r", course.definition.slug, error)
        return _back_to_form(course, form, Notice.PAYMENT_UNAVAILABLE)
    return response


def _course(service: Service, slug: str) -> CatalogCourse | None:
    """The course of a form, which may come from a page of before its slug changed."""
    catalog = service.catalog.current
    moved = catalog.moved(slug, None)
    return catalog.find_course(slug) or (catalog.find_course(moved[0]) if moved else None)


async def _checkout(service: Service, course: CatalogCourse, buyer: Buyer, form: Form, client_ip: str) -> str:
    site, now = service.catalog.current.site, service.clock()
    if form.get("price", price := price_of_form(course.definition.price)) != price:
        raise FormRefused(Notice.PRICE_CHANGED)  # nobody is asked for more, or less, than the page said
    if course.definition.price is not None:
        options = Options(
            gift=read_gift_form(form, timezone=site.timezone, now=now) if form.get("gift") else None,
            code=form.get("code", "").strip() if site.promotion_codes == "own" else "",
        )
        return await start_checkout(service, offer_of(course), buyer, options)
    if form.get("gift"):
        details = read_gift_form(form, timezone=site.timezone, now=now)
        await count_message(service.throttle, details.recipient_email, client_ip)
        await give_free_course(service, course, buyer, details)
        return urls.GIFTS
    if buyer.learner is None and buyer.email:
        await count_message(service.throttle, buyer.email, client_ip)
    await take_free_course(service, course, buyer)
    return urls.LIBRARY if buyer.learner else urls.CHECK_EMAIL


def _email(form: Form) -> Email | None:
    try:
        return Email.parse(form.get("email", ""))
    except EmailInvalid:
        return None


async def show_order(request: Request) -> Response:
    """The true state of an order; more than the state only in the browser that bought, and for buyer and owner."""
    await request.service.throttle.hit(ORDER_VIEWS_BY_IP, request.client_ip)
    order = await _current_order(request.service, request.path_params["order"])
    learner = await signed_in(request)
    is_owner = learner is not None and order.owner_id == learner.id
    is_buyer = learner is not None and order.buyer_id == learner.id
    async with request.service.database.reading() as db:
        bought_here = await order_of_browser(db, order.public_id, checkout_browser(request)) is not None
        answer: dict[str, object] = {"state": order.state.value}
        if bought_here or is_owner or is_buyer:
            by_browser = learner is None or is_buyers(order, learner.email_key)
            claimable = bought_here and by_browser and await is_claimable_by_buyer(db, order)
            answer |= {
                "course_title": request.service.catalog.current.title_of(*order.course_ids),
                "yours": is_owner,
                "claimable": claimable,
                "claimed": order.owner_id is not None,
                "has_account": claimable and await has_account(db, order),
                "signed_in": learner is not None,
            }
            if bought_here and not by_browser and order.owner_id is None and order.buyer_email is not None:
                answer["sent_to"] = order.buyer_email.masked
            if order.is_gift and not is_owner:
                gift = await request.service.reader.one(GIFT_OF_ORDER, order_id=order.id)
                answer["gift"] = describe_gift(gift, request.service.catalog.current) if gift else None
    return JsonResponse(answer)


async def _current_order(service: Service, public_id: str) -> Order:
    """The order, reconciled with Stripe if it is pending and was not looked at just now. Raises OrderNotFound."""
    order = await _order(service, public_id)
    looked_at, now = order.reconciled_at, service.clock()
    if order.state is not OrderState.PENDING or (looked_at is not None and now - looked_at <= ASK_STRIPE_EVERY):
        return order
    with contextlib.suppress(PaymentsUnavailable, OrderBusy):  # the webhook will come; the page asks again
        await reconcile_order(service, order.id, actor="success page")
    return await _order(service, public_id)


async def _order(service: Service, public_id: str) -> Order:
    order_id, order = parse_public_order_id(public_id), None
    if order_id is not None:
        async with service.database.reading() as db:
            order = await db.scalar(select(Order).where(Order.public_id == order_id))
    if order is None:
        raise OrderNotFound
    return order


def _back_to_form(course: CatalogCourse, form: Form, notice: Notice) -> Response:
    """Back to the form it came from, beside which the page shows what happened."""
    slug = course.definition.slug
    page = urls.gift(slug) if form.get("gift") and course.definition.price else urls.course(slug)
    return see_other(f"{page}#{notice}")


routes = [
    open_route("POST", "/checkout", buy),
    open_route("GET", "/orders/{order}", show_order),
]
