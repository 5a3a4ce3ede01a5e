"""Watching a lesson, in a real Chromium: transcript, keys, resume, and when a token or the network ends."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from scripts.installation import Installation
from tests.browser.steps import LESSON, buy_and_claim, faults, open_lesson, play_the_end, video, wait_for_video

pytestmark = pytest.mark.browser


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
    installation.upload_captions()
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
    """The addresses this device has stored heartbeats for, of every learner."""
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
    expect(page.get_by_text(re.compile(r"€49 on .* Order ord_"))).to_be_visible()
    page.get_by_role("link", name="View receipt").click()
    page.wait_for_url("**/receipts/ch_*")


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
