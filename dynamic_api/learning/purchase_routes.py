"""What somebody bought and gave, on their own pages."""

import contextlib

from starlette.responses import Response

from dynamic_api.gateways.payment_errors import PaymentsUnavailable
from dynamic_api.orders.gifts import GIFTS_GIVEN, describe_gift
from dynamic_api.orders.receipts import RECEIPTS, ReceiptRow, find_invoice
from dynamic_api.web.identity import Learner, learner_route
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse, see_other
from sitegen import urls
from sitegen.catalog.money import format_money


async def show_receipts(request: Request, learner: Learner) -> Response:
    """What this person paid, each with the payment provider's receipt."""
    rows = await request.service.reader.all(RECEIPTS, buyer_id=learner.id)
    catalog = request.service.catalog.current
    language = catalog.site.language
    return JsonResponse({"receipts": [_receipt(row, catalog.title_of(*row.course_ids), language) for row in rows]})


def _receipt(row: ReceiptRow, course_title: str, language: str) -> dict[str, object]:
    return {
        "order": row.order,
        "course_title": course_title,
        "is_gift": row.is_gift,
        "state": row.state.value,
        "total_amount": row.total_amount,
        "total": format_money(row.total_amount, row.currency, language),
        "refunded_amount": row.refunded_amount,
        "refunded": format_money(row.refunded_amount, row.currency, language) if row.refunded_amount else None,
        "currency": row.currency,
        "paid_at": row.paid_at,
        "receipt_url": row.receipt_url,
        "invoice_url": f"/api/receipts/{row.order}/invoice" if row.has_invoice else None,
    }


async def show_invoice(request: Request, learner: Learner) -> Response:
    """To the invoice at the payment provider, whose addresses expire. A link, so that it answers 303 in every case."""
    invoice = await find_invoice(request.service, learner.id, request.path_params["order"])
    address = None
    if invoice is not None:
        with contextlib.suppress(PaymentsUnavailable):
            address = await request.service.gateways.payments.invoice_address(invoice)
    return see_other(address or f"{urls.RECEIPTS}#invoice-unavailable")


async def show_gifts(request: Request, learner: Learner) -> Response:
    """What this person gave, and what became of it."""
    given = await request.service.reader.all(GIFTS_GIVEN, buyer_id=learner.id)
    catalog = request.service.catalog.current
    return JsonResponse({"gifts": [describe_gift(gift, catalog) for gift in given]})


routes = [
    learner_route("GET", "/receipts", show_receipts),
    learner_route("GET", "/receipts/{order}/invoice", show_invoice),
    learner_route("GET", "/gifts", show_gifts),
]
