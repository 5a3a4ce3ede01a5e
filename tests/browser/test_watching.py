"""Watching a lesson, in a real Chromium: transcript, keys, resume, and when a token or the network ends."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, Response, Route, expect

from scripts.installation import Installation
from tests.browser.test_story import buy_and_claim, video, wait_for_video

pytestmark = pytest.mark.browser
LESSON = "/learn/sourdough/what-lives-in-the-jar/"


@pytest.fixture(scope="module")
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


def open_lesson(context: BrowserContext, installation: Installation, path: str = LESSON) -> Page:
    page = context.new_page()
    page.goto(installation.url + path)
    wait_for_video(page, "v.readyState >= 1")
    video(page, "v => { v.muted = true; }")
    return page


def expire_soon(page: Page) -> list[str]:
    """The first token lives for a second more; which addresses are asked for."""
    asked: list[str] = []

    def soon(route: Route) -> None:
        answer = route.fetch()
        playback = answer.json()
        asked.append(playback["iframe_url"])
        if len(asked) == 1:
            playback["expires_in_seconds"] = 1
        route.fulfill(response=answer, json=playback)

    page.route("**/playback", soon)
    return asked


def play_the_end(page: Page) -> None:
    # Whoever presses play while the end still stands there begins anew: so first away from it, then play.
    video(page, "v => { v.currentTime = v.duration - 5; }")
    wait_for_video(page, "!v.ended && !v.seeking")
    video(page, "v => { v.currentTime = v.duration - 0.4; return v.play(); }")


def at(page: Page) -> float:
    return float(str(video(page, "v => v.currentTime")))


def test_transcript_follows_is_searched_and_jumps(owner: BrowserContext, installation: Installation) -> None:
    page = open_lesson(owner, installation)
    cues = page.locator("#transcript ol button")
    expect(cues.first).to_be_visible()
    video(page, "v => { v.currentTime = 100; }")
    expect(page.locator("#transcript [aria-current=true]")).to_have_count(1)
    word = str(cues.nth(3).inner_text()).split()[-1].strip(".,").lower()
    page.get_by_label("Search the transcript").fill(word)
    expect(page.locator("#transcript mark").first).to_be_visible()
    expect(page.locator("#transcript [data-count]")).to_have_text(re.compile(r"\d+ found"))
    page.get_by_label("Search the transcript").fill("no such word at all")
    expect(page.get_by_text("No matches")).to_be_visible()
    page.get_by_label("Search the transcript").fill("")
    cues.nth(5).click()
    minutes, seconds = cues.nth(5).locator(".when").inner_text().split(":")
    wait_for_video(page, f"Math.abs(v.currentTime - {int(minutes) * 60 + int(seconds)}) < 2")
    cues.nth(5).press("ArrowDown")
    expect(cues.nth(6)).to_be_focused()


def test_captions_of_the_course_files_are_in_the_player(owner: BrowserContext, installation: Installation) -> None:
    installation.bring_captions()
    page = open_lesson(owner, installation)
    wait_for_video(page, "v.textTracks.length === 1 && v.textTracks[0].mode === 'showing'")
    wait_for_video(page, "v.textTracks[0].cues?.length > 5")


def test_chapters_jump(owner: BrowserContext, installation: Installation) -> None:
    page = open_lesson(owner, installation)
    page.get_by_role("button", name="Yeasts and bacteria").click()
    wait_for_video(page, "Math.abs(v.currentTime - 130) < 2")
    expect(page.get_by_role("button", name="Yeasts and bacteria")).to_have_attribute("aria-current", "true")


def test_keys_steer_and_can_be_switched_off(owner: BrowserContext, installation: Installation) -> None:
    page = open_lesson(owner, installation)
    video(page, "v => { v.currentTime = 60; }")
    wait_for_video(page, "v.currentTime >= 60")
    page.wait_for_timeout(300)
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    wait_for_video(page, "v.currentTime >= 69")
    page.keyboard.press("Space")
    wait_for_video(page, "!v.paused")
    page.keyboard.press("Space")
    wait_for_video(page, "v.paused")
    page.keyboard.press("Space")
    page.keyboard.press("Space")  # at once: the player has not told yet that it plays
    page.wait_for_timeout(500)
    wait_for_video(page, "v.paused")
    page.keyboard.press(".")
    wait_for_video(page, "v.playbackRate === 1.25")
    page.keyboard.press("m")
    wait_for_video(page, "!v.muted")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    page.get_by_label("Shortcuts are on").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press(",")
    page.wait_for_timeout(200)
    assert video(page, "v => v.playbackRate") == 1.25
    page.keyboard.press("?")  # it is a key too
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Shortcuts are on").check()
    page.get_by_role("button", name="Close").click()
    page.get_by_label("Search the transcript").press("n")
    assert page.url.endswith(LESSON)  # typing is typing
    page.locator("h1").click()
    page.keyboard.press("n")
    page.wait_for_url("**/a-starter-from-nothing/")
    wait_for_video(page, "v.playbackRate === 1.25")  # remembered


def test_resume_and_start_over(owner: BrowserContext, installation: Installation) -> None:
    path = "/learn/sourdough/feeding-and-keeping/"
    page = open_lesson(owner, installation, path)
    with page.expect_response(lambda response: response.url.endswith("/progress") and response.ok):
        video(page, "v => { v.currentTime = 95; }")
    page.reload()
    expect(page.get_by_text("Resumed at 1:35.")).to_be_visible()
    wait_for_video(page, "v.currentTime >= 95")
    page.get_by_role("button", name="Start over").click()
    wait_for_video(page, "v.currentTime < 5")


def test_next_lesson_is_offered_and_can_wait(owner: BrowserContext, installation: Installation) -> None:
    page = open_lesson(owner, installation)
    play_the_end(page)
    expect(page.locator("[data-countdown]")).to_have_text(re.compile(r"in \d s"))
    page.get_by_role("button", name="Stay on this lesson").click()
    expect(page.locator("#next-lesson")).to_be_hidden()
    page.wait_for_timeout(1200)
    assert page.url.endswith(LESSON)
    play_the_end(page)
    expect(page.locator("#next-lesson")).to_be_visible()
    video(page, "v => { v.currentTime = 100; }")  # back to something that was missed
    expect(page.locator("#next-lesson")).to_be_hidden()
    page.emulate_media(reduced_motion="reduce")
    play_the_end(page)
    expect(page.locator("#next-lesson")).to_be_visible()
    expect(page.locator("[data-countdown]")).to_have_text("")


def kept(page: Page) -> list[str]:
    """Which addresses this device keeps beats for, whoever watched."""
    return sorted(page.evaluate("Object.values(JSON.parse(localStorage.beats ?? '{}')).flatMap(Object.keys)"))


def test_beats_are_kept_while_the_network_is_away(owner: BrowserContext, installation: Installation) -> None:
    path = "/learn/sourdough/four-numbers/"
    page = open_lesson(owner, installation, path)
    page.wait_for_timeout(500)
    page.route("**/progress", lambda route: route.abort())
    video(page, "v => { v.currentTime = 88; }")
    page.wait_for_function("() => JSON.stringify(localStorage.beats ?? '').includes('88')")
    page.unroute("**/progress")
    with page.expect_response(lambda response: response.url.endswith("/progress") and response.ok) as sent:
        page.goto(f"{installation.url}/library/")
    assert json.loads(str(sent.value.request.post_data))["position_seconds"] == 88
    expect(page.get_by_text("at 1:28")).to_be_visible()
    assert kept(page) == []


def test_a_token_that_runs_out_is_replaced_in_mid_play(owner: BrowserContext, installation: Installation) -> None:
    page = owner.new_page()
    asked = expire_soon(page)
    page.goto(f"{installation.url}/learn/sourdough/reading-the-crumb/")
    wait_for_video(page, "v.readyState >= 1")
    video(page, "v => { v.muted = true; v.currentTime = 42; return v.play(); }")
    page.wait_for_function("() => true")
    for _ in range(80):
        if len(asked) == 2:
            break
        page.wait_for_timeout(100)
    assert len(asked) == 2
    page.wait_for_timeout(1500)
    wait_for_video(page, "v.currentTime >= 42 && !v.paused")


def test_kept_beats_belong_to_who_watched(owner: BrowserContext, installation: Installation) -> None:
    """The next one at this device neither sends nor loses them; signing out leaves nothing behind."""
    page = open_lesson(owner, installation, "/learn/sourdough/shaping-a-round/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/progress") else None)
    address = "/api/learn/sourdough/shaping-a-round/progress"
    page.evaluate(
        "(address) => localStorage.setItem('beats', JSON.stringify("
        "{999: {[address]: {position_seconds: 444, furthest: 444, at: Date.now()}}}))",
        address,
    )
    page.goto(f"{installation.url}/library/")
    expect(page.get_by_role("heading", name="Sourdough, from Starter to Loaf")).to_be_visible()
    assert sent == []
    assert kept(page) == [address]
    # A session that has ended is no reason to throw anything away.
    page.evaluate("localStorage.beats = localStorage.beats.replace('999', '1')")
    page.route("**/progress", lambda route: route.fulfill(status=401, json={"error": {"code": "unauthenticated"}}))
    page.reload()
    page.wait_for_load_state("networkidle")
    assert kept(page) == [address]


def test_signing_out_leaves_nothing_of_a_learner(chromium: Browser, installation: Installation) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        buy_and_claim(page, installation, "leaving@example.com")
        page.goto(f"{installation.url}/account/")
        page.evaluate("localStorage.setItem('beats', JSON.stringify({999: {'/api/x': {position_seconds: 1}}}))")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{installation.url}/")
        assert kept(page) == []


def test_a_full_device_still_tells_where_one_is(owner: BrowserContext, installation: Installation) -> None:
    page = owner.new_page()
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };")
    page.goto(f"{installation.url}/learn/sourdough/scoring-and-baking/")
    wait_for_video(page, "v.readyState >= 1")
    with page.expect_response(lambda response: response.url.endswith("/progress") and response.ok):
        video(page, "v => { v.currentTime = 70; }")


def test_the_network_drops_before_the_video(owner: BrowserContext, installation: Installation) -> None:
    path = "/learn/sourdough/a-night-in-the-fridge/"
    page = open_lesson(owner, installation, path)
    with page.expect_response(lambda response: response.url.endswith("/progress") and response.ok):
        video(page, "v => { v.currentTime = 123; }")
    page.route("**/playback", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("We can’t reach the school right now.")).to_be_visible()
    assert faults(page) == []
    page.unroute("**/playback")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Resumed at 2:03.")).to_be_visible()
    wait_for_video(page, "v.currentTime >= 123")


def test_a_tab_that_nobody_plays_disturbs_no_other_device(owner: BrowserContext, installation: Installation) -> None:
    """Its token runs out unnoticed, and it tells no position; a press of play brings a fresh one."""
    page = owner.new_page()
    asked = expire_soon(page)
    told: list[str] = []
    page.on("request", lambda request: told.append(request.url) if request.url.endswith("/progress") else None)
    page.goto(f"{installation.url}/learn/sourdough/when-is-bulk-done/")
    wait_for_video(page, "v.readyState >= 1")
    page.wait_for_timeout(6500)
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    assert len(asked) == 1
    assert told == []
    video(page, "v => { v.muted = true; return v.play(); }")
    for _ in range(100):
        if len(asked) == 2:
            break
        page.wait_for_timeout(100)
    wait_for_video(page, "!v.paused")
    assert len(asked) == 2


def test_arrows_scroll_what_scrolls(owner: BrowserContext, installation: Installation) -> None:
    page = open_lesson(owner, installation)
    page.locator("h1").click()
    before = at(page)
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => scrollY > 0")
    page.locator(".table-scroll").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert abs(at(page) - before) < 5


def test_offline_library_says_so_and_goes_on(owner: BrowserContext, installation: Installation) -> None:
    page = owner.new_page()
    page.route("**/api/library", lambda route: route.abort())
    page.goto(f"{installation.url}/library/")
    expect(page.get_by_text("We can’t reach the school right now.")).to_be_visible()
    page.unroute("**/api/library")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Sourdough, from Starter to Loaf")).to_be_visible()


def test_receipts_page(owner: BrowserContext, installation: Installation) -> None:
    page = owner.new_page()
    page.goto(f"{installation.url}/receipts/")
    expect(page.get_by_text(re.compile(r"€49\.00 on .* Order ord_"))).to_be_visible()
    page.get_by_role("link", name="View receipt").click()
    page.wait_for_url("**/receipts/ch_*")


PUBLIC = [
    "/",
    "/courses/",
    "/courses/sourdough/",
    "/courses/sourdough/gift/",
    "/preview/sourdough/what-lives-in-the-jar/",
    "/sign-in/",
    "/sign-up/",
    "/claim/",
    "/reset/",
    "/welcome/",
    "/checkout/success/",
    "/checkout/check-email/",
    "/news/",
    "/about/",
    "/terms/",
    "/404.html",
]
OWN = ["/library/", "/receipts/", "/gifts/", "/account/", LESSON, "/learn/git-for-writers/your-first-commit/"]


SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture
def reader(chromium: Browser, owner_state: object, scheme: str) -> Iterator[Page]:
    """A page of the owner's, in one colour scheme."""
    with chromium.new_context(storage_state=owner_state, color_scheme=scheme) as context:  # type: ignore[arg-type]
        yield context.new_page()


@SCHEMES
@pytest.mark.parametrize("first", range(0, len([*PUBLIC, *OWN]), 6))
def test_axe_finds_nothing_on_any_page(reader: Page, installation: Installation, first: int) -> None:
    for address in [*PUBLIC, *OWN][first : first + 6]:
        reader.goto(installation.url + address)
        reader.wait_for_load_state("networkidle")
        if address == "/account/":
            reader.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        assert faults(reader) == [], address


@SCHEMES
def test_axe_finds_nothing_on_a_lesson_that_is_used(reader: Page, installation: Installation) -> None:
    reader.goto(installation.url + LESSON)
    reader.keyboard.press("?")
    assert faults(reader) == [], "the list of shortcuts"
    reader.goto(installation.url + LESSON)
    wait_for_video(reader, "v.readyState >= 1")
    play_the_end(reader)
    expect(reader.locator("#next-lesson")).to_be_visible()
    assert faults(reader) == [], "the countdown"
    reader.goto(f"{installation.url}/learn/git-for-writers/your-first-commit/")
    expect(reader.locator("#lesson-message")).to_be_visible()
    assert faults(reader) == [], "a lesson of another course"


@SCHEMES
def test_axe_finds_nothing_in_a_library_without_courses(reader: Page, installation: Installation) -> None:
    reader.route("**/api/library", lambda route: route.fulfill(json={"learner": 1, "courses": []}))
    reader.goto(f"{installation.url}/library/")
    expect(reader.get_by_text("You don’t have any courses yet.")).to_be_visible()
    assert faults(reader) == [], "empty"
    reader.unroute("**/api/library")
    reader.route("**/api/library", lambda route: route.abort())
    reader.goto(f"{installation.url}/library/")
    expect(reader.get_by_text("We can’t reach the school right now.")).to_be_visible()
    assert faults(reader) == [], "offline"


def faults(page: Page) -> list[str]:
    """What axe has to say about a page; the player's own page is Cloudflare's."""
    results = Axe().run(page, context={"exclude": [["iframe"]]}).response
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in results["violations"]]


@pytest.mark.parametrize("address", [*PUBLIC, *OWN])
def test_script_of_a_page_is_small(owner: BrowserContext, installation: Installation, address: str) -> None:
    """At most 15 KB compressed, the player's own script aside; next to none where one only looks."""
    page = owner.new_page()
    answers: list[Response] = []
    page.on("response", lambda response: answers.append(response))
    page.goto(installation.url + address)
    page.wait_for_load_state("networkidle")
    # Their bodies are asked for afterwards: what is asked while others arrive may come too late to be counted.
    scripts = [each.body() for each in answers if each.url.startswith(installation.url) and each.url.endswith(".js")]
    size = sum(len(gzip.compress(script)) for script in scripts)
    most = 1_000 if address in ("/", "/courses/", "/courses/sourdough/", "/about/", "/news/") else 15_000
    assert 0 < size <= most, size


def test_two_hundred_percent_zoom_and_long_words_fit(owner: BrowserContext, installation: Installation) -> None:
    page = owner.new_page()
    page.set_viewport_size({"width": 640, "height": 450})  # what 1280 by 900 is at 200 %
    for address in (*OWN, "/courses/sourdough/gift/"):
        page.goto(installation.url + address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640, address


def test_code_can_be_copied(owner: BrowserContext, installation: Installation) -> None:
    owner.grant_permissions(["clipboard-read", "clipboard-write"], origin=installation.url)
    page = owner.new_page()
    page.goto(f"{installation.url}/preview/git-for-writers/what-a-commit-is/")
    if page.locator("pre").count() == 0:
        pages = sorted(Path(installation.folder / "output" / "preview").rglob("index.html"))
        address = next(each for each in pages if "<pre" in each.read_text())
        page.goto(f"{installation.url}/{address.parent.relative_to(installation.folder / 'output')}/")
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").strip() in page.locator("pre").first.inner_text()
