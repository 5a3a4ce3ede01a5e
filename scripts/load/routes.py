"""The requests that are measured, as they go over the wire, and the figure that is wanted for each."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import stripe

from scripts.load.client import Requests
from scripts.load.crowd import COURSE, LEARNERS, REGULARS, Crowd, lesson_watched_by
from scripts.sandbox.stripe_objects import API_VERSION

WEBHOOK_SECRET = "whsec_load"


@dataclass(frozen=True)
class Measured:
    """A kind of request, and what share of a bare route's rate is wanted of it, by database."""

    requests: Requests
    sqlite: float
    postgresql: float | None = None

    def wanted(self, database: str) -> float | None:
        """The figure for one database; None where none was set."""
        return self.sqlite if database == "sqlite" else self.postgresql


def measured_routes(crowd: Crowd) -> Mapping[str, Measured]:
    """By name, in the order in which they are measured."""
    learn, phone = f"/api/learn/{COURSE}", f"/api/v1/mobile/courses/{COURSE}"

    def cookie(number: int) -> str:
        return f"Cookie: session={crowd.sessions[number % LEARNERS]}\r\nSec-Fetch-Site: same-origin"

    def bearer(number: int) -> str:
        return f"Authorization: Bearer {crowd.tokens[number % LEARNERS]}"

    def lesson(number: int) -> str:
        return crowd.lessons[number * 7 % len(crowd.lessons)]

    def own_lesson(number: int) -> str:
        return crowd.lessons[lesson_watched_by(number % LEARNERS)]

    def other_lesson(number: int) -> str:
        """One after the other of those that a learner has not opened."""
        return crowd.lessons[(lesson_watched_by(number % LEARNERS) + 1 + number // LEARNERS) % len(crowd.lessons)]

    return {
        "playback, web": Measured(lambda n: get(f"{learn}/{lesson(n)}/playback", cookie(n)), 0.40, 0.26),
        "playback, phone": Measured(
            lambda n: get(f"{phone}/lessons/{lesson(n)}/playback", bearer(n % REGULARS)), 0.36, 0.26
        ),
        # Writes a row, like a heartbeat, and counts the course anew.
        "first view, phone": Measured(
            lambda n: get(f"{phone}/lessons/{other_lesson(n)}/playback", bearer(n)), 0.28, 0.21
        ),
        "heartbeat, web": Measured(lambda n: heartbeat(f"{learn}/{own_lesson(n)}/progress", n, cookie(n)), 0.28, 0.21),
        "heartbeat, phone": Measured(
            lambda n: heartbeat(f"{phone}/lessons/{own_lesson(n)}/progress", n, bearer(n)), 0.28, 0.21
        ),
        "course, phone": Measured(lambda n: get(phone, bearer(n % REGULARS)), 0.17, 0.11),
        "session": Measured(lambda n: get("/api/session", cookie(n)), 0.38, 0.28),
        "lesson page, web": Measured(lambda n: get(f"{learn}/{lesson(n)}", cookie(n % REGULARS)), 0.20, 0.14),
        "library, web": Measured(lambda n: get("/api/library", cookie(n % REGULARS)), 0.10, 0.10),
        "library, phone": Measured(lambda n: get("/api/v1/mobile/library", bearer(n % REGULARS)), 0.10, 0.10),
        "webhook": Measured(webhook, 0.10),
        "unknown address": Measured(lambda n: get(f"/api/no/such/{n}"), 0.90),
    }


def get(address: str, *headers: str) -> bytes:
    """A GET."""
    return "\r\n".join((f"GET {address} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode()


def heartbeat(address: str, number: int, *headers: str) -> bytes:
    """A report of a position past the first minute."""
    return _post(address, json.dumps({"position_seconds": 60 + number % 320}), *headers)


def webhook(number: int) -> bytes:
    """A signed event that was never sent before. It is none that the service acts on, as most are."""
    event = {
        "id": f"evt_load_{time.time_ns()}_{number}",
        "object": "event",
        "api_version": API_VERSION,
        "created": int(time.time()),
        "data": {"object": {"id": f"ch_load_{number}", "object": "charge", "description": "x" * 1500}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "charge.succeeded",
    }
    body = json.dumps(event)
    signature = stripe.WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET)
    return _post("/webhooks/stripe", body, f"Stripe-Signature: {signature}")


def _post(address: str, body: str, *headers: str) -> bytes:
    lines = (f"POST {address} HTTP/1.1", "Host: 127.0.0.1", *headers, f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", body)).encode()
