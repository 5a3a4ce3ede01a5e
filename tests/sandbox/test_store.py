"""The sandbox's data is saved whole, also with several writers."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.sandbox.store import Store


def test_mails_and_payments_are_kept_at_the_same_moment(tmp_path: Path) -> None:
    """The mail server has a thread of its own, and must not tear down a payment that is being written."""
    path = tmp_path / "sandbox.json"
    store = Store(path)

    def keep(writer: int) -> None:
        for number in range(100):
            store.add({"id": f"ch_{writer}_{number}", "object": "charge"})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(keep, range(4)))
    assert len(json.loads(path.read_text())["objects"]) == 400
