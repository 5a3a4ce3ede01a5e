"""A mail server whose mail can be read on a page."""

import email
import email.policy
import secrets
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from .store import Json, Store
from .templates import page


class Inbox:
    """aiosmtpd's handler: keeps every mail it is given."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """Refuse addresses nobody has."""
        if address in self._store.refused:
            return "550 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Store one email; during a simulated outage, refuse it for now."""
        if self._store.mail_down:
            return "451 Requested action aborted: local error in processing"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if isinstance(message, EmailMessage):
            self._store.mails.insert(0, _readable(message, envelope.rcpt_tos[0]))
            self._store.save()
        return "250 OK"


def _readable(message: EmailMessage, to: str) -> Json:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return {
        "id": secrets.token_hex(6),
        "to": to,
        "sender": str(message["from"]),
        "subject": str(message["subject"]),
        "date": str(message["date"]),
        "message_id": str(message["message-id"]),
        "text": text.get_content() if text else "",
        "html": html.get_content() if html else "",
    }


def smtp_server(store: Store, port: int) -> Controller:
    """Start it with `.start()`; it runs in a thread of its own."""
    return Controller(Inbox(store), hostname="127.0.0.1", port=port)


async def show_inbox(request: Request) -> Response:
    """All mails, newest first."""
    store: Store = request.app.state.store
    if "json" in request.query_params:
        return JSONResponse(store.mails)
    return page("inbox.html", mails=store.mails)


async def show_mail(request: Request) -> Response:
    """One mail."""
    store: Store = request.app.state.store
    mail = next((each for each in store.mails if each["id"] == request.path_params["mail"]), None)
    return page("mail.html", mail=mail) if mail else RedirectResponse("/inbox", 303)


routes = [Route("/inbox", show_inbox), Route("/inbox/{mail}", show_mail)]
