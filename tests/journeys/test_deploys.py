"""A buyer who looks and buys all the time while the price is published again and again: shown is what is charged.

`DEPLOYS=50` publishes fifty times; a few are enough for every test run.
"""

import os
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from scripts.installation import Installation
from sitegen.commands.publish import publish
from tests.commands import QuickInstallation
from tests.journeys.test_publish import edit, folder, run
from tests.ports import free_ports
from tests.school import SOURDOUGH

__all__ = ["folder"]  # a fixture
pytestmark = pytest.mark.slow

DEPLOYS = int(os.environ.get("DEPLOYS", "4"))
PRICES = {4900: "amount: 4900", 5900: "amount: 5900"}


@dataclass
class Poller:
    """Looks at the course's page, presses Buy, and notes what was shown and charged."""

    installation: Installation
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    etags: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until it is over."""
        while not self.over.is_set():
            address = f"10.0.{len(self.wrong)}.{sum(self.seen.values()) % 250}"
            headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": address}
            with httpx.Client(base_url=self.installation.url, headers=headers, timeout=20) as browser:
                self._look(browser)

    def _look(self, browser: httpx.Client) -> None:
        page = browser.get(f"/courses/{SOURDOUGH}/")
        if page.status_code != 200 or not page.text.rstrip().endswith("</html>"):
            self.wrong.append(f"the page: {page.status_code}, {len(page.text)} letters")
            return
        self.etags.add(browser.get("/about/").headers["etag"])
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        [shown] = {amount for amount in PRICES if f"€{amount // 100}" in page.text}
        location = browser.post("/api/checkout", data=fields).headers["location"]
        if "/c/pay/" not in location:
            self.seen[location.partition("#")[2]] += 1
            return
        charged = int(re.findall(r"€(\d+)", httpx.get(location).text)[0]) * 100
        self.seen["charged as shown" if charged == shown else "wrong"] += 1
        if charged != shown:
            self.wrong.append(f"shown {shown}, charged {charged}")


def test_shown_is_charged_while_prices_are_published(folder: Path, tmp_path: Path) -> None:
    service, sandbox, smtp = free_ports(3)
    paths = {"OUTPUT": str(folder / "output"), "MANIFEST": str(folder / "build/catalog.json")}
    installation = QuickInstallation(tmp_path, service, sandbox, smtp, school=folder, extra=paths)
    run(publish, folder, "--yes")
    with installation.running():
        poller = Poller(installation)
        thread = threading.Thread(target=poller.run)
        thread.start()
        try:
            old, new = PRICES.values()
            for number in range(DEPLOYS):
                edit(folder, old, new)
                said = run(publish, folder, "--yes").output
                assert "files changed" in said, said
                old, new = new, old
                if number == 1:
                    _fail_to_publish(folder, installation)
        finally:
            poller.over.set()
            thread.join()
    assert poller.wrong == []
    assert poller.seen["charged as shown"] >= DEPLOYS
    assert set(poller.seen) <= {"charged as shown", "price-changed"}
    assert len(poller.etags) == 1, "a page that stays as it is keeps its ETag"


def _fail_to_publish(folder: Path, installation: Installation) -> None:
    """A mistake in the files leaves pages and catalogue as they are."""
    manifest = folder / "build/catalog.json"
    page, catalogue = httpx.get(f"{installation.url}/courses/{SOURDOUGH}/").text, manifest.read_bytes()
    edit(folder, "currency:", "curency:")
    assert run(publish, folder, "--yes").exit_code != 0
    assert httpx.get(f"{installation.url}/courses/{SOURDOUGH}/").text == page
    assert manifest.read_bytes() == catalogue
    edit(folder, "curency:", "currency:")
