"""What holds for every page: accessibility, small scripts, room for large text."""

import gzip
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from scripts.installation import Installation
from tests.browser.steps import LESSON, faults, play_the_end, wait_for_video

pytestmark = pytest.mark.browser

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
    "/news/cold-kitchens/",
    "/topics/baking/",
    "/teachers/mira-holm/",
    "/search/?q=bread",
    "/newsletter/",
    "/newsletter/unsubscribe/",
    "/about/",
    "/terms/",
    "/404.html",
]
OWN = [
    "/library/",
    "/review/?course=sourdough",
    "/receipts/",
    "/gifts/",
    "/account/",
    LESSON,
    "/learn/git-for-writers/your-first-commit/",
]


# Pages where one only looks; what owners see of their courses is loaded for them alone.
LOOKED_AT = ("/", "/courses/", "/courses/sourdough/", "/about/", "/news/")
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


@pytest.mark.parametrize("address", [*PUBLIC, *OWN])
def test_script_of_a_page_is_small(owner: BrowserContext, installation: Installation, address: str) -> None:
    """At most 15 KB compressed, the player's own script aside; next to none where one only looks."""
    most = 3_000 if address in LOOKED_AT else 30_000 if address.startswith("/search/") else 15_000
    assert 0 < script_of(owner.new_page(), installation.url + address, installation.url) <= most


@pytest.mark.parametrize("address", LOOKED_AT)
def test_script_for_a_visitor_is_next_to_none(page: Page, installation: Installation, address: str) -> None:
    assert 0 < script_of(page, installation.url + address, installation.url) <= 1_000


def script_of(page: Page, address: str, site: str) -> int:
    """Bytes of a page's own scripts, compressed."""
    answers: list[Response] = []
    page.on("response", lambda response: answers.append(response))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    # Their bodies are asked for afterwards: what is asked while others arrive may come too late to be counted.
    scripts = [each.body() for each in answers if each.url.startswith(site) and each.url.endswith(".js")]
    return sum(len(gzip.compress(script)) for script in scripts)


def test_two_hundred_percent_zoom_and_long_words_fit(owner: BrowserContext, installation: Installation) -> None:
    page = owner.new_page()
    page.set_viewport_size({"width": 640, "height": 450})  # what 1280 by 900 is at 200 %
    for address in (*OWN, "/courses/sourdough/gift/"):
        page.goto(installation.url + address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640, address
