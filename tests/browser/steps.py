"""What the browser tests do again and again: buy, open a lesson, look into the player, ask axe."""

import re
import time

import httpx
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, Error, Page

from scripts.installation import Installation

LESSON = "/learn/sourdough/what-lives-in-the-jar/"


def pay(page: Page, email: str, *, button: str = "Buy for €49") -> None:
    """From the course page to the page after the payment."""
    page.get_by_role("button", name=button).click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Pay €49").click()


def newest_link(installation: Installation, to: str, page: str) -> str:
    """The newest link to a page in somebody's mail."""
    for _ in range(50):
        for mail in httpx.get(f"{installation.sandbox}/inbox?json").json():
            if mail["to"] == to and (match := re.search(rf"http\S+{page}#token=\S+", mail["text"])):
                return match[0]
        time.sleep(0.2)
    raise AssertionError(f"no link to {page} for {to}")


def video(page: Page, script: str) -> object:
    """Ask the player's own video element."""
    return page.frame_locator("iframe").locator("video").evaluate(script)


def wait_for_video(page: Page, condition: str) -> None:
    """Until the video says so."""
    asked = f"() => {{ const v = document.querySelector('video'); return v && ({condition}); }}"
    for _ in range(300):
        # A token that is replaced brings another frame, also while we look.
        frame = next((frame for frame in page.frames if "/iframe" in frame.url), None)
        try:
            if frame is not None and frame.evaluate(f"Boolean(({asked})())"):
                return
        except Error:
            pass
        page.wait_for_timeout(50)
    raise AssertionError(f"the video never was: {condition}")


def buy_and_claim(page: Page, installation: Installation, email: str) -> None:
    """A new owner, signed in, on the library page."""
    page.goto(f"{installation.url}/courses/sourdough/")
    pay(page, email)
    page.get_by_label("Your name").fill("Ann Baker")
    page.get_by_label("Choose a password").fill("bread on every table")
    page.get_by_role("button", name="Open your course").click()
    page.wait_for_url("**/library/")


def open_lesson(context: BrowserContext, installation: Installation, path: str = LESSON) -> Page:
    page = context.new_page()
    page.goto(installation.url + path)
    wait_for_video(page, "v.readyState >= 1")
    video(page, "v => { v.muted = true; }")
    return page


def play_the_end(page: Page) -> None:
    # Play at the end starts over, so the position is moved away from it first.
    video(page, "v => { v.currentTime = v.duration - 5; }")
    wait_for_video(page, "!v.ended && !v.seeking")
    video(page, "v => { v.currentTime = v.duration - 0.4; return v.play(); }")


def faults(page: Page) -> list[str]:
    """What axe has to say about a page; the player's own page is Cloudflare's."""
    results = Axe().run(page, context={"exclude": [["iframe"]]}).response
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in results["violations"]]
