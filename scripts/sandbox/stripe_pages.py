"""The hosted payment page, and a small dashboard to do to payments what happens to payments."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from .bank import Bank, CardDeclined
from .deliveries import Deliveries
from .store import Json
from .templates import page


def _bank(request: Request) -> Bank:
    bank: Bank = request.app.state.bank
    return bank


def _session(request: Request) -> Json | None:
    return _bank(request).store.get("checkout.session", request.path_params["session"])


def _payment_page(
    request: Request, session: Json | None, *, status: int = 200, error: str = "", **values: str
) -> Response:
    if session is None:
        return page("layout.html", status=404)
    lines, address = _bank(request).store.line_items[session["id"]], _bank(request).address_of(session)
    return page("pay.html", status=status, session=session, lines=lines, address=address, error=error, values=values)


async def show_payment_page(request: Request) -> Response:
    """Where Stripe's buyers type their card."""
    return _payment_page(request, _session(request))


async def apply_code(request: Request) -> Response:
    """A promotion code."""
    session = _session(request)
    if session is None:
        return _payment_page(request, None)
    try:
        _bank(request).discount(session, str((await request.form()).get("code", "")))
    except CardDeclined as refusal:
        return _payment_page(request, session, status=402, error=str(refusal))
    return RedirectResponse(f"/c/pay/{session['id']}", 303)


async def pay(request: Request) -> Response:
    """The Pay button."""
    session = _session(request)
    if session is None:
        return _payment_page(request, None)
    form = {name: str(value) for name, value in (await request.form()).items()}
    try:
        _bank(request).pay(
            session,
            card=form.get("card", ""),
            email=_bank(request).address_of(session) or form.get("email", ""),
            name=form.get("name", ""),
            delayed="delayed" in form,
        )
    except CardDeclined as refusal:
        return _payment_page(request, session, status=402, error=str(refusal), **form)
    address = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    return RedirectResponse(address, 303)


async def receipt(request: Request) -> Response:
    """Stripe's hosted receipt."""
    return page("receipt.html", charge=_bank(request).store.objects[request.path_params["charge"]])


async def invoice(request: Request) -> Response:
    """Stripe's hosted invoice; it has no PDF here."""
    found = _bank(request).store.get("invoice", request.path_params["invoice"])
    return page("invoice.html", invoice=found) if found else page("layout.html", status=404)


async def dashboard(request: Request) -> Response:
    """Everything, on one page."""
    store = _bank(request).store
    answers: dict[str, list[str]] = {}
    for delivery in store.deliveries:
        answers.setdefault(delivery["event"], []).extend(str(each) for each in delivery["attempts"])
    return page(
        "dashboard.html",
        rows=[_row(_bank(request), session) for session in store.all("checkout.session")],
        events=store.all("event")[:40],
        answers=answers,
        deliveries=request.app.state.deliveries,
        outage=request.app.state.outage,
    )


def _row(bank: Bank, session: Json) -> Json:
    store, intent_id = bank.store, session["payment_intent"]
    intent = store.objects.get(intent_id or "", {})
    charge = store.objects.get(intent.get("latest_charge") or "", {})
    return {
        "session": session,
        "title": store.line_items[session["id"]][0]["description"],
        "processing": intent.get("status") == "processing",
        "refunded": charge.get("amount_refunded"),
        "refundable": bool(charge) and not charge["refunded"],
        "refunds": [each for each in store.all("refund") if each["payment_intent"] == intent_id],
        "disputes": [each for each in store.all("dispute") if each["payment_intent"] == intent_id],
    }


async def act(request: Request) -> Response:
    """A button beside a payment."""
    bank, session = _bank(request), _session(request)
    if session is None:
        return page("layout.html", status=404)
    intent = session["payment_intent"]
    match request.path_params["act"]:
        case "refund":
            bank.refund(intent, amount=None)
        case "refund-half":
            bank.refund(intent, amount=session["amount_total"] // 2)
        case "dispute":
            bank.dispute(intent)
        case "expire":
            bank.expire(session)
        case "arrive":
            bank.settle(session, succeeds=True)
        case "fail":
            bank.settle(session, succeeds=False)
    return RedirectResponse("/dashboard", 303)


async def close_dispute(request: Request) -> Response:
    """The bank decides."""
    dispute = _bank(request).store.objects[request.path_params["dispute"]]
    _bank(request).close_dispute(dispute, won=request.path_params["verdict"] == "won")
    return RedirectResponse("/dashboard", 303)


async def fail_refund(request: Request) -> Response:
    """A refund comes back."""
    _bank(request).fail_refund(_bank(request).store.objects[request.path_params["refund"]])
    return RedirectResponse("/dashboard", 303)


async def resend(request: Request) -> Response:
    """Deliver an event again."""
    deliveries: Deliveries = request.app.state.deliveries
    deliveries.send(_bank(request).store.objects[request.path_params["event"]])
    return RedirectResponse("/dashboard", 303)


async def set_webhooks(request: Request) -> Response:
    """Late, doubled, held back."""
    deliveries: Deliveries = request.app.state.deliveries
    form = await request.form()
    deliveries.double, deliveries.hold = "double" in form, "hold" in form
    deliveries.delay = float(str(form.get("delay", "0")))
    if "release" in form:
        deliveries.release(shuffled=True)
    return RedirectResponse("/dashboard", 303)


async def set_outage(request: Request) -> Response:
    """The next calls fail, or take long."""
    form = await request.form()
    names = ("status", "seconds", "left")
    request.app.state.outage.update({name: float(str(form.get(name) or 0)) for name in names})
    return RedirectResponse("/dashboard", 303)


routes = [
    Route("/c/pay/{session}", show_payment_page, methods=["GET"]),
    Route("/c/pay/{session}", pay, methods=["POST"]),
    Route("/c/pay/{session}/code", apply_code, methods=["POST"]),
    Route("/receipts/{charge}", receipt),
    Route("/invoices/{invoice}", invoice),
    Route("/invoices/{invoice}/pdf", invoice),
    Route("/dashboard", dashboard),
    Route("/dashboard/webhooks", set_webhooks, methods=["POST"]),
    Route("/dashboard/outage", set_outage, methods=["POST"]),
    Route("/dashboard/disputes/{dispute}/{verdict}", close_dispute, methods=["POST"]),
    Route("/dashboard/refunds/{refund}/fail", fail_refund, methods=["POST"]),
    Route("/dashboard/events/{event}/resend", resend, methods=["POST"]),
    Route("/dashboard/{session}/{act}", act, methods=["POST"]),
]
