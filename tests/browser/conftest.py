"""A real Chromium."""

import itertools
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from scripts.installation import Installation
from tests.browser.steps import buy_and_claim

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium, or a visible skip; with CI=true its absence is a failure."""
    path = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed, and CI=true")
        pytest.skip("Chromium is not installed: the story in a real browser was not tested")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        plain, numbers = browser.new_context, itertools.count(1)

        def new_context(**how: Any) -> BrowserContext:
            """Each as from an address of its own, told as a trusted proxy would: limits count by address."""
            number = next(numbers)
            return plain(extra_http_headers={"X-Forwarded-For": f"198.51.{number // 250}.{number % 250 + 1}"}, **how)

        browser.new_context = new_context  # type: ignore[method-assign]
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser nobody has used before."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab that fails the test on any script error or broken policy."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def keep_broken_policies(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    page.on("console", keep_broken_policies)
    yield page
    assert faults == []


@pytest.fixture(scope="session")
def owner_state(chromium: Browser, installation: Installation) -> object:
    """The cookies of somebody who owns the course."""
    with chromium.new_context() as context:
        buy_and_claim(context.new_page(), installation, "watcher@example.com")
        return context.storage_state()


@pytest.fixture
def owner(chromium: Browser, owner_state: object) -> Iterator[BrowserContext]:
    """Their browser; in a state of its own for each test."""
    with chromium.new_context(storage_state=owner_state, viewport={"width": 1280, "height": 900}) as context:  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        yield context
