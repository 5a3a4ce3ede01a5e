"""A service killed with -9 between payment and grant, and started again, loses nothing and does nothing twice."""

import re
import time

import httpx
import pytest

from scripts.installation import Installation


def wait_for(what: str, condition: object) -> object:
    """Poll until it is true."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := condition():  # type: ignore[operator]
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


def mails(installation: Installation, to: str) -> list[dict[str, str]]:
    return [mail for mail in httpx.get(f"{installation.sandbox}/inbox?json").json() if mail["to"] == to]


@pytest.mark.parametrize("moment", ["before the webhook", "with the event stored"])
def test_killed_between_payment_and_grant(installation: Installation, moment: str) -> None:
    buyer = f"{moment.replace(' ', '-')}@example.com"
    headers = {"Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=installation.url, headers=headers) as browser:
        page = browser.post("/api/checkout", data={"course": "sourdough"}).headers["location"]
        session = page.rpartition("/")[2]
        form = {"email": buyer, "card": "4242424242424242"}
        if moment == "before the webhook":
            installation.kill("service")
            paid = httpx.post(page, data=form)
        else:
            # Stripe cannot be reached by the worker, so the event is stored and its job waits: then the plug is pulled.
            httpx.post(f"{installation.sandbox}/dashboard/outage", data={"status": "500", "left": "6"})
            paid = httpx.post(page, data=form)
            time.sleep(1.5)
            installation.kill("service")
            httpx.post(f"{installation.sandbox}/dashboard/outage", data={"left": "0"})
        order = re.search(r"order=(ord_\w+)", paid.headers["location"])
        assert order
        installation.start_service()
        state = f"/api/orders/{order[1]}"
        wait_for("the order to be paid", lambda: browser.get(state).json()["state"] == "paid")
        wait_for("the mail", lambda: mails(installation, buyer))
        claim = {"name": "Kim", "password": "after the power came back"}
        assert browser.post(f"{state}/claim", json=claim).status_code == 200
        assert [course["slug"] for course in browser.get("/api/library").json()["courses"]] == ["sourdough"]
        time.sleep(2)
        assert len(mails(installation, buyer)) == 1
    assert session
