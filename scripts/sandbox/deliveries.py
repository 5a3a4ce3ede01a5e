"""Signed webhooks, delivered with retries; late, doubled or out of order when the dashboard says so."""

import asyncio
import contextlib
import json
import logging
import random

import httpx
import stripe

from .bank import Bank
from .store import Json

logger = logging.getLogger("sandbox.webhooks")

RETRIES = (1, 2, 5, 10, 20, 30, 60, 60, 60)  # seconds; Stripe goes on for days


def signed(event: Json, secret: str) -> tuple[bytes, str]:
    """Body and Stripe-Signature header. The SDK's own signer makes it, so that it is exactly Stripe's."""
    body = json.dumps(event, indent=2)
    header = stripe.WebhookSignature.generate_signature_header(body, secret)
    return body.encode(), str(header)


class Deliveries:
    """Takes events from the bank and brings them to the endpoints."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.delay = 0.0
        self.double = False
        self.hold = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(0.05)
            if self.bank.emitted and not self.hold:
                self.release()

    def release(self, *, shuffled: bool = False) -> None:
        """Send what has gathered."""
        events, self.bank.emitted = self.bank.emitted, []
        if shuffled:
            random.shuffle(events)
        for event in events:
            for _ in range(2 if self.double else 1):
                self.send(event)

    def send(self, event: Json) -> None:
        """Deliver one event, once, to every endpoint that wants it."""
        for endpoint in self.bank.store.all("webhook_endpoint"):
            wanted = endpoint["enabled_events"]
            if "*" in wanted or event["type"] in wanted:
                task = asyncio.create_task(self._deliver(event, endpoint))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _deliver(self, event: Json, endpoint: Json) -> None:
        record: Json = {"event": event["id"], "type": event["type"], "url": endpoint["url"], "attempts": []}
        self.bank.store.deliveries.append(record)
        await asyncio.sleep(self.delay)
        async with httpx.AsyncClient(timeout=20) as client:
            for wait in (*RETRIES, None):
                body, signature = signed(event, endpoint["secret"])
                try:
                    response = await client.post(
                        endpoint["url"],
                        content=body,
                        headers={"Content-Type": "application/json", "Stripe-Signature": signature},
                    )
                    record["attempts"].append(response.status_code)
                    if response.is_success:
                        break
                except httpx.HTTPError as error:
                    record["attempts"].append(type(error).__name__)
                if wait is not None:
                    await asyncio.sleep(wait)
        self.bank.store.save()

    async def stop(self) -> None:
        """Give up what is still under way."""
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
