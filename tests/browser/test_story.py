"""The story, in a real Chromium: from the catalogue to a watched lesson, a download, and a refund."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.installation import Installation
from tests.browser.steps import buy_and_claim, newest_link, pay, video, wait_for_video

pytestmark = pytest.mark.browser


def test_visitor_looks_around_and_watches_a_preview(page: Page, installation: Installation) -> None:
    page.goto(installation.url)
    page.get_by_role("link", name="Courses", exact=True).first.click()
    page.get_by_role("link", name="Sourdough, from Starter to Loaf").click()
    for text in ("What you will learn", "Curriculum", "Your instructor", "€49"):
        expect(page.get_by_text(text).first).to_be_visible()
    assert not re.search(r"[0-9a-f]{32}", page.content())
    page.get_by_role("link", name=re.compile("^Free preview")).first.click()
    page.wait_for_url("**/preview/**")  # loaded: a click before that opens the player by itself, as without JavaScript
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    assert not any("/api/previews/" in url for url in requests)
    page.get_by_role("link", name=re.compile("Play this lesson")).click()
    wait_for_video(page, "v.readyState >= 1")
    video(page, "v => { v.muted = true; return v.play(); }")
    wait_for_video(page, "v.currentTime > 0.5")
    assert any("/api/previews/" in url for url in requests)
    expect(page.get_by_role("heading", name="Transcript")).to_be_visible()


def test_guest_buys_is_declined_pays_and_owns(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.url}/courses/sourdough/")
    page.get_by_role("button", name="Buy for €49").click()
    page.get_by_role("link", name="Cancel and go back").click()
    expect(page.get_by_text("You left the payment page. You haven’t been charged.")).to_be_visible()
    page.get_by_role("button", name="Buy for €49").click()
    page.get_by_label("Promotion code").fill("NOPE")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_have_text("This code is invalid.")
    page.get_by_label("Promotion code").fill("WELCOME20")
    page.get_by_role("button", name="Apply").click()
    page.get_by_label("Email").fill("decl@example.com")
    page.get_by_label("Card number").fill("4000 0000 0000 0002")
    page.get_by_role("button", name="Pay €39.20").click()
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Pay €39.20").click()
    expect(page.get_by_role("heading", name="Thank you for your purchase")).to_be_visible()
    page.get_by_label("Your name").fill("Dec")
    page.get_by_label("Choose a password").fill("short")
    page.get_by_role("button", name="Open your course").click()
    expect(page.get_by_text("Use at least 10 characters.")).to_be_visible()
    page.get_by_label("Choose a password").fill("bread on every table")
    page.get_by_role("button", name="Open your course").click()
    page.wait_for_url("**/library/")
    expect(page.get_by_role("heading", name="Sourdough, from Starter to Loaf")).to_be_visible()
    expect(page.get_by_role("link", name="Account")).to_be_visible()


def test_claim_by_mail_in_another_browser(page: Page, chromium: Browser, installation: Installation) -> None:
    page.goto(f"{installation.url}/courses/sourdough/")
    pay(page, "mail@example.com")
    expect(page.get_by_role("heading", name="Thank you for your purchase")).to_be_visible()
    link = newest_link(installation, "mail@example.com", "/claim/")
    with chromium.new_context() as elsewhere:
        other = elsewhere.new_page()
        other.goto(link)
        expect(other.get_by_text("was bought with mail@example.com")).to_be_visible()
        assert "token" not in other.url
        other.get_by_label("Your name").fill("Mail")
        other.get_by_label("Choose a password").fill("bread on every table")
        other.get_by_role("button", name="Open your course").click()
        other.wait_for_url("**/library/")
        expect(other.get_by_role("heading", name="Sourdough, from Starter to Loaf")).to_be_visible()
        other.goto("about:blank")
        other.goto(link)
        expect(other.get_by_text("This link has been used or has expired.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_lesson_plays_resumes_completes_and_hands_out_files(page: Page, installation: Installation) -> None:
    buy_and_claim(page, installation, "watch@example.com")
    page.get_by_role("link", name="Start").click()
    wait_for_video(page, "v.readyState >= 1")
    expect(page.get_by_role("heading", name="What each of them does")).to_be_visible()  # paid notes
    video(page, "v => { v.muted = true; v.currentTime = 120; return v.play(); }")
    with page.expect_response(lambda response: response.url.endswith("/progress") and response.ok):
        wait_for_video(page, "v.currentTime > 121")
        video(page, "v => v.pause()")
    page.reload()
    wait_for_video(page, "v.currentTime >= 120")
    with page.expect_download() as download:
        page.get_by_role("link", name="Weekend baking schedule").click()
    assert download.value.suggested_filename == "Weekend baking schedule.pdf"
    video(page, "v => { v.currentTime = 390; }")
    expect(page.get_by_role("button", name="Completed ✓")).to_be_visible()
    expect(page.locator('[data-lesson-link="what-lives-in-the-jar"]')).to_have_attribute("data-status", "completed")
    page.locator("a[rel=next]").click()
    expect(page.get_by_role("heading", level=1, name="A starter from nothing")).to_be_visible()
    expect(page.locator('[data-lesson-link="what-lives-in-the-jar"]')).to_have_attribute("data-status", "completed")
    page.locator("a[rel=prev]").click()
    expect(page.get_by_role("heading", level=1, name="What lives in the jar")).to_be_visible()
    page.goto(f"{installation.url}/library/")
    expect(page.get_by_text("1 of 10 lessons")).to_be_visible()


def test_refund_in_the_dashboard_takes_the_lesson_away(
    page: Page, chromium: Browser, installation: Installation
) -> None:
    buy_and_claim(page, installation, "back@example.com")
    with chromium.new_context() as merchant:
        dashboard = merchant.new_page()
        dashboard.goto(f"{installation.sandbox}/dashboard")
        dashboard.get_by_role("row", name=re.compile("back@example.com")).get_by_role(
            "button", name="Refund", exact=True
        ).click()
    page.wait_for_timeout(2500)
    page.goto(f"{installation.url}/learn/sourdough/a-starter-from-nothing/")
    expect(page.get_by_text("Owners of this course can watch this lesson.")).to_be_visible()
    assert page.locator("iframe").count() == 0
    assert page.locator("#notes").inner_text() == ""


def test_stranger_is_asked_to_sign_in_and_comes_back(page: Page, installation: Installation) -> None:
    buy_and_claim(page, installation, "again@example.com")
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{installation.url}/")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    page.goto(f"{installation.url}/learn/sourdough/feeding-and-keeping/")
    page.wait_for_url("**/sign-in/**")
    page.get_by_label("Email address").fill("again@example.com")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Wrong email address or password.")).to_be_visible()
    page.get_by_label("Password").fill("bread on every table")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/learn/sourdough/feeding-and-keeping/")
    page.wait_for_selector("iframe")


def test_buying_works_without_javascript(chromium: Browser, installation: Installation) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{installation.url}/courses/sourdough/")
        pay(page, "nojs@example.com")
        expect(page.get_by_text("We’ll also email you a receipt")).to_be_visible()
        page.goto(f"{installation.url}/courses/seven-useful-knots/")
        page.get_by_role("button", name="Get this course for free").click()
        expect(page.get_by_text("Please enter your email address")).to_be_visible()
    assert newest_link(installation, "nojs@example.com", "/claim/")


@pytest.mark.parametrize("width", [320, 1600])
def test_no_page_scrolls_sideways(chromium: Browser, installation: Installation, width: int) -> None:
    addresses = (
        "/", "/courses/", "/courses/sourdough/", "/preview/sourdough/what-lives-in-the-jar/", "/sign-in/", "/claim/",
        "/gifts/", "/courses/sourdough/gift/", "/account/email/", "/reset/", "/sign-up/", "/welcome/", "/account/",
        "/checkout/success/", "/library/", "/learn/git-for-writers/your-first-commit/", "/about/", "/news/",
    )  # fmt: skip
    with chromium.new_context(viewport={"width": width, "height": 800}, java_script_enabled=False) as context:
        page = context.new_page()
        for address in addresses:
            page.goto(installation.url + address)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_forgotten_password_and_mailed_sign_in(page: Page, installation: Installation) -> None:
    buy_and_claim(page, installation, "forget@example.com")
    page.context.clear_cookies()
    page.goto(f"{installation.url}/sign-in/")
    page.get_by_label("Email address").fill("forget@example.com")
    page.get_by_role("button", name="Reset my password").click()
    expect(page.get_by_text("If there is an account with this address")).to_be_visible()
    page.goto(newest_link(installation, "forget@example.com", "/reset/"))
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Save and sign in").click()
    expect(page.get_by_text("Use at least 10 characters.")).to_be_visible()
    page.get_by_label("New password").fill("remembered this time")
    page.get_by_role("button", name="Save and sign in").click()
    page.wait_for_url("**/library/")
    page.get_by_role("link", name="Account").click()
    page.get_by_text("Change your password").click()
    page.get_by_label("Current password").fill("remembered this time")
    page.get_by_label("New password").fill("and changed once more")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{installation.url}/sign-in/")
    page.get_by_label("Email address").fill("forget@example.com")
    page.get_by_role("button", name="Email me a sign-in link").click()
    expect(page.get_by_text("If there is an account with this address")).to_be_visible()
    page.goto(newest_link(installation, "forget@example.com", "/sign-in/link/"))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/library/")
    expect(page.get_by_role("heading", name="Sourdough, from Starter to Loaf")).to_be_visible()


def test_sign_up_devices_export_and_deletion(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.url}/sign-in/")
    page.get_by_role("link", name="Create one").click()
    page.get_by_label("Email address").fill("nele@example.com")
    page.get_by_role("button", name="Email me the link").click()
    expect(page.get_by_text("We've sent a link to this address.")).to_be_visible()
    page.goto(newest_link(installation, "nele@example.com", "/welcome/"))
    page.get_by_label("Your name").fill("Nele")
    page.get_by_label("Choose a password").fill("a name for a password")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/library/")
    expect(page.get_by_text("You don’t have any courses yet.")).to_be_visible()
    page.get_by_role("link", name="Account").click()
    page.get_by_text("Your devices").click()
    expect(page.get_by_text("(this device)")).to_be_visible()
    page.get_by_text("Your data", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all your data").click()
    assert download.value.suggested_filename == "my-data.json"
    page.locator("#deletion-password").fill("a name for a password")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    page.goto(f"{installation.url}/library/")
    page.wait_for_url("**/sign-in/**")
