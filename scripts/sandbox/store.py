"""The sandbox's data: objects by id, saved in one JSON file between runs."""

import copy
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_KINDS = {
    "cs": "checkout.session",
    "pi": "payment_intent",
    "ch": "charge",
    "re": "refund",
    "du": "dispute",
    "evt": "event",
    "promo": "promotion_code",
    "coupon": "coupon",
    "we": "webhook_endpoint",
}

_KEPT = (
    "objects",
    "line_items",
    "intents",
    "intent_metadata",
    "idempotency",
    "deliveries",
    "mails",
    "videos",
    "captions",
    "video_facts",
    "signing_keys",
)


@dataclass
class Upload:
    """A video that arrives in parts."""

    length: int
    metadata: dict[str, str]
    received: bytearray = field(default_factory=bytearray)


class Store:
    """Objects, idempotency keys, deliveries, mails and videos. `path` None keeps them in memory."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._saving = threading.Lock()  # the mail server has a thread of its own
        self.forget_everything()
        if path is not None and path.exists():
            self.__dict__.update(json.loads(path.read_text()))

    def forget_everything(self) -> None:
        """A store as new."""
        self.objects: dict[str, Json] = {}
        self.line_items: dict[str, list[Json]] = {}
        self.intents: dict[str, str] = {}
        self.intent_metadata: dict[str, Json] = {}
        self.idempotency: dict[str, Json] = {}
        self.deliveries: list[Json] = []
        self.mails: list[Json] = []
        self.videos: dict[str, int] = {}
        self.captions: dict[str, dict[str, str]] = {}  # video → language → WebVTT
        self.video_facts: dict[str, Json] = {}  # what differs from a video that is ready and signed
        self.machine_captions: dict[str, dict[str, int]] = {}  # video → language → how often it was asked about them
        self.uploads: dict[str, Upload] = {}  # videos that arrive; not kept
        self.upload_cuts = 0  # so many parts arrive by half, and nobody is told
        self.signing_keys: dict[str, str] = {}
        self.clock = time.time
        self.mail_down = False
        self.refused: set[str] = set()  # addresses of people who are not there

    def save(self) -> None:
        """Write everything down."""
        if self._path is None:
            return
        with self._saving:
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps({name: getattr(self, name) for name in _KEPT}))
            draft.replace(self._path)

    def now(self) -> int:
        """Seconds, as Stripe writes moments."""
        return int(self.clock())

    def add(self, thing: Json) -> Json:
        """Keep an object under its id."""
        self.objects[thing["id"]] = thing
        self.save()
        return thing

    def get(self, kind: str, name: str) -> Json | None:
        """An object of a kind, or None."""
        thing = self.objects.get(name)
        return thing if thing is not None and thing["object"] == kind else None

    def all(self, kind: str) -> list[Json]:
        """Newest first, as Stripe lists."""
        found = [thing for thing in self.objects.values() if thing["object"] == kind]
        return list(reversed(found))

    def snapshot(self, thing: Json) -> Json:
        """A copy that does not change with the object."""
        return copy.deepcopy(thing)


def new_id(prefix: str) -> str:
    """An id of Stripe's look; test-mode sessions carry `_test_`."""
    middle = "_test" if prefix == "cs" else ""
    return f"{prefix}{middle}_{secrets.token_hex(12)}"


def kind_of(name: str) -> str | None:
    """The kind of object an id belongs to."""
    return _KINDS.get(name.split("_", 1)[0])
