"""What a storefront does beyond showing pages: owners, search, reviews, news, other languages and directions."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scripts.installation import Installation
from tests.browser.steps import LESSON, faults, newest_link, video, wait_for_video
from tests.commands import QuickInstallation
from tests.conftest import ROOT
from tests.ports import free_ports

pytestmark = pytest.mark.browser

SPOKEN = (
    "/",
    "/courses/sourdough/",
    "/preview/sourdough/what-lives-in-the-jar/",
    "/courses/sourdough/gift/",
    "/sign-in/",
    "/review/",
    "/search/",
)


def shifts(page: Page) -> float:
    """The layout shift of a page so far, as browsers measure it."""
    return float(
        page.evaluate(
            """() => new Promise((done) => {
              let sum = 0;
              const watch = new PerformanceObserver((list) => list.getEntries().forEach((each) => (sum += each.value)));
              watch.observe({ type: "layout-shift", buffered: true });
              setTimeout(() => done(sum), 300);
            })"""
        )
    )


def test_an_owner_sees_a_way_on_and_a_visitor_a_price(
    owner: BrowserContext, page: Page, installation: Installation
) -> None:
    own = owner.new_page()
    own.goto(f"{installation.url}/courses/sourdough/")
    box = own.locator("#buy")
    expect(box.get_by_role("link", name=re.compile("Start|Continue"))).to_be_visible()
    expect(box.get_by_role("button", name="Buy for €49")).to_be_hidden()
    expect(box.get_by_text("% complete")).to_be_visible()
    assert shifts(own) < 0.05
    assert faults(own) == []
    own.goto(f"{installation.url}/courses/")
    expect(own.locator('[data-course-slug="sourdough"]')).to_contain_text("% complete")
    expect(own.locator('[data-course-slug="git-for-writers"]')).to_contain_text("€69")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{installation.url}/courses/sourdough/")
    expect(page.get_by_role("button", name="Buy for €49")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert [each for each in asked if "/api/" in each] == [], "a visitor asks the service nothing"


@pytest.mark.parametrize("address", ["/", "/courses/sourdough/"])
def test_the_introduction_plays_in_its_place(page: Page, installation: Installation, address: str) -> None:
    page.goto(f"{installation.url}{address}")
    page.get_by_role("link", name="Watch the introduction, 1:10").click()
    wait_for_video(page, "v.readyState >= 1")
    video(page, "v => { v.muted = true; }")
    assert page.url == f"{installation.url}{address}"


def test_searching_finds_public_words_and_no_paid_ones(page: Page, installation: Installation) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{installation.url}/search/")
    page.wait_for_load_state("networkidle")
    assert not any("pagefind" in each for each in asked), "nothing is loaded before somebody types"
    page.get_by_label("Search courses, free lessons and news").fill("sourdough")
    expect(page.locator("#found")).to_contain_text("found")
    expect(page.get_by_role("link", name="Sourdough, from Starter to Loaf").first).to_be_visible()
    assert faults(page) == []
    page.get_by_role("searchbox").fill("zyzzyva")
    expect(page.locator("#found")).to_have_text("No matches")
    page.reload()
    expect(page.locator("#found")).to_have_text("No matches")


def test_a_learner_reviews_and_takes_it_back(
    chromium: Browser, owner_state: object, installation: Installation
) -> None:
    with chromium.new_context(storage_state=owner_state) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{installation.url}/review/?course=seven-useful-knots")
        expect(page.locator("#message")).to_contain_text("You don't own this course yet.")
        page.goto(f"{installation.url}/review/?course=sourdough")
        lessons = page.request.get(f"{installation.url}/api/library").json()
        assert lessons["courses"]
        outline = ("what-lives-in-the-jar", "a-starter-from-nothing", "feeding-and-keeping")
        for slug in outline:
            page.request.put(
                f"{installation.url}/api/learn/sourdough/{slug}/completion", headers={"Sec-Fetch-Site": "same-origin"}
            )
        page.goto(f"{installation.url}/library/")
        page.get_by_role("link", name="Write a review").click()
        page.get_by_label("4 stars").check()
        page.get_by_label("What would you tell a friend about it?").fill("Calm.\nAnd <b>clear</b>.")
        assert faults(page) == []
        page.get_by_role("button", name="Send review").click()
        expect(page.locator("#message")).to_contain_text("The school reads each review")
        page.reload()
        expect(page.get_by_label("4 stars")).to_be_checked()
        expect(page.get_by_label("What would you tell a friend about it?")).to_have_value("Calm.\nAnd <b>clear</b>.")
        page.get_by_role("button", name="Delete my review").click()
        expect(page.locator("#message")).to_contain_text("Your review is deleted.")


def test_news_is_asked_for_twice_and_without_javascript(chromium: Browser, installation: Installation) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(installation.url)
        page.get_by_label("Your email address").fill("reader@example.com")
        page.get_by_role("button", name="Sign up for news").click()
        expect(page.get_by_text("Almost done: please open the link")).to_be_visible()
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(newest_link(installation, "reader@example.com", "/newsletter/confirm/"))
        page.get_by_role("button", name="Yes, send me news").click()
        expect(page.get_by_text("Thank you: you’ll get our news from now on.")).to_be_visible()


@pytest.fixture(scope="session", params=["de", "ar", "he"])
def other_language(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The sample with pages in another language; served without partners."""
    language = str(request.param)
    root = tmp_path_factory.mktemp(language) / "school"
    for name in ("content", "course_data"):
        shutil.copytree(ROOT / name, root / name)
    site = root / "course_data/site.yaml"
    site.write_text(site.read_text().replace("language: en", f"language: {language}"))
    service, sandbox, smtp = free_ports(3)
    with QuickInstallation(root.parent, service, sandbox, smtp, school=root).running() as installation:
        yield installation


@pytest.mark.parametrize("width", [360, 1440])
def test_pages_in_another_language_fit_and_are_accessible(
    chromium: Browser, other_language: Installation, width: int
) -> None:
    with chromium.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        for address in SPOKEN:
            page.goto(other_language.url + address)
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            assert faults(page) == [], address
        language = page.evaluate("document.documentElement.lang")
        if language == "de":
            page.goto(f"{other_language.url}/library/")
            expect(page).to_have_url(f"{other_language.url}/sign-in/?next=%2Flibrary%2F#needed")
            page.get_by_label("E-Mail-Adresse").fill("nobody@example.com")
            page.get_by_label("Passwort", exact=True).fill("kein Passwort von hier")
            page.get_by_role("button", name="Anmelden").click()
            expect(page.locator("#message")).to_contain_text("E-Mail-Adresse oder Passwort")
        else:
            assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"


@pytest.mark.parametrize("width", [390, 1440])
def test_a_lesson_page_stays_still(
    chromium: Browser, owner_state: object, installation: Installation, width: int
) -> None:
    """What comes from the service has its place from the beginning: transcript, notes, marks and buttons."""
    with chromium.new_context(storage_state=owner_state, viewport={"width": width, "height": 900}) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(installation.url + LESSON)
        wait_for_video(page, "v.readyState >= 1")
        page.wait_for_load_state("networkidle")
        assert shifts(page) < 0.05


def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until the focus is on what has this name; it must be seen to have it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
              const element = document.activeElement;
              const style = getComputedStyle(element);
              const label = element.labels?.[0]?.innerText ?? "";
              const name = element.getAttribute("aria-label") ?? (element.innerText || label);
              return [name.trim(), style.outlineStyle !== "none" || style.boxShadow !== "none"];
            }"""
        )
        if re.search(name, focused[0]):
            assert focused[1], f"the focus on {focused[0]!r} cannot be seen"
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def test_the_keyboard_alone_buys_and_learns(page: Page, installation: Installation) -> None:
    """Header → course → buy → pay → account → library → lesson → notes, without a mouse."""
    page.goto(installation.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to(page, "^Courses$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/courses/")
    tab_to(page, "^Sourdough, from Starter to Loaf$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/courses/sourdough/")
    tab_to(page, "^Buy for €49$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/pay/**")
    page.get_by_label("Email").fill("keys@example.com")
    page.get_by_role("button", name="Pay €49").press("Enter")
    page.wait_for_url("**/checkout/success/**")
    page.get_by_label("Your name").wait_for()
    tab_to(page, "^Your name")
    page.keyboard.type("Kay")
    tab_to(page, "^Choose a password")
    page.keyboard.type("bread on every table")
    tab_to(page, "^Open your course$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/library/")
    page.locator(".shelf .button").wait_for()
    tab_to(page, "^Start$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/learn/sourdough/**")
    expect(page.locator("#notes")).not_to_be_empty()
    tab_to(page, "^Mark as complete$")
    page.keyboard.press("Space")
    expect(page.locator("#complete")).to_contain_text("Completed")


def test_the_list_of_keys_closes_and_no_space_switches_them_off(
    owner: BrowserContext, installation: Installation
) -> None:
    page = owner.new_page()
    page.goto(installation.url + LESSON)
    expect(page.locator("#notes")).not_to_be_empty()
    for key in ("Space", "Enter"):
        page.keyboard.press("?")
        expect(page.get_by_role("button", name="Close")).to_be_focused()
        page.keyboard.press(key)
        expect(page.locator("#shortcuts")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts input")).to_be_checked()


@pytest.mark.parametrize("look", [{"forced_colors": "active"}, {"reduced_motion": "reduce"}])
def test_pages_are_accessible_in_other_ways_of_seeing(
    chromium: Browser, installation: Installation, look: dict[str, str]
) -> None:
    with chromium.new_context(**look) as context:  # type: ignore[arg-type]
        page = context.new_page()
        for address in ("/", "/courses/sourdough/", "/search/?q=bread"):
            page.goto(installation.url + address)
            page.wait_for_load_state("networkidle")
            assert faults(page) == [], address
