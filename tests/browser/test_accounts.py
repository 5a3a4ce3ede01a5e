"""Gifts, codes and addresses, in a real Chromium."""

import re
import time

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.installation import Installation
from tests.browser.steps import buy_and_claim, newest_link

pytestmark = pytest.mark.browser
PASSWORD = "bread on every table"


def newest_code(installation: Installation, to: str) -> str:
    """The six digits of the newest sign-in mail."""
    for _ in range(50):
        for mail in httpx.get(f"{installation.sandbox}/inbox?json").json():
            if mail["to"] == to and (match := re.search(r"sign-in page: (\d{6})", mail["text"])):
                return match[1]
        time.sleep(0.2)
    raise AssertionError(f"no code for {to}")


def test_gift_is_bought_opened_and_listed(page: Page, chromium: Browser, installation: Installation) -> None:
    buy_and_claim(page, installation, "giver@example.com")
    page.goto(f"{installation.url}/courses/sourdough/")
    box = page.locator("#buy")
    expect(box.get_by_role("link", name="Start")).to_be_visible()  # in the place of what visitors see
    box.get_by_role("link", name="Give as a gift").click()
    page.get_by_label("Recipient’s email address").fill("fran@example.com")
    page.get_by_label("Recipient’s name").fill("Fran")
    page.get_by_label("Your name").fill("Grandma")
    page.get_by_label("Message").fill("For slow Sundays.")
    page.get_by_role("button", name="Go to payment").click()
    page.get_by_role("button", name="Pay €49").click()
    expect(page.get_by_role("heading", name="Your gift is on its way")).to_be_visible()
    link = newest_link(installation, "fran@example.com", "/claim/")
    friend = chromium.new_context().new_page()
    friend.goto(link)
    expect(friend.get_by_text("is a gift for fran@example.com")).to_be_visible()
    friend.get_by_label("Your name").fill("Fran")
    friend.get_by_label("Choose a password").fill(PASSWORD)
    friend.get_by_role("button", name="Open your course").click()
    friend.wait_for_url("**/library/")
    expect(friend.get_by_role("heading", name="Sourdough, from Starter to Loaf")).to_be_visible()
    friend.context.close()
    page.goto(f"{installation.url}/gifts/")
    expect(page.get_by_text("For Fran, fran@example.com")).to_be_visible()
    expect(page.get_by_text("Opened.")).to_be_visible()
    expect(page.get_by_text("For slow Sundays.")).to_be_visible()


def test_gift_form_says_what_will_not_do(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.url}/courses/sourdough/gift/")
    for label, text in (("Recipient’s email address", "a@example.com"), ("Recipient’s name", "A"), ("Your name", "B")):
        page.get_by_label(label).fill(text)
    page.get_by_label("Delivery date").fill("2020-01-01")
    page.get_by_role("button", name="Go to payment").click()
    expect(page.get_by_text("Please choose a date within the next year")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Recipient’s name")).to_have_value("A")


def test_six_digits_instead_of_the_link(page: Page, chromium: Browser, installation: Installation) -> None:
    buy_and_claim(page, installation, "codes@example.com")
    other = chromium.new_context().new_page()
    other.goto(f"{installation.url}/sign-in/?next=/account/")
    other.get_by_label("Email address").fill("codes@example.com")
    other.get_by_role("button", name="Email me a sign-in link").click()
    code = newest_code(installation, "codes@example.com")
    other.get_by_label("6-digit code").fill(f"{(int(code) + 1) % 1_000_000:06}")
    other.get_by_role("button", name="Sign in with code").click()
    expect(other.get_by_text("That code is wrong or has expired")).to_be_visible()
    other.get_by_label("6-digit code").fill(f"{code[:3]} {code[3:]}")
    other.get_by_role("button", name="Sign in with code").click()
    # Another browser set the password, before the address was proven: nothing is ticked, and its owner decides.
    boxes = other.get_by_role("group", name="Is this yours?").get_by_role("checkbox")
    expect(boxes).to_have_count(2)
    for box in boxes.all():
        expect(box).not_to_be_checked()
    other.get_by_label("A password").check()
    other.get_by_role("button", name="Continue").click()
    expect(other.get_by_text("Signed in as")).to_be_visible()
    other.context.close()
    page.goto(f"{installation.url}/library/")
    page.wait_for_url("**/sign-in/**")
    page.get_by_label("Email address").fill("codes@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/library/")


def test_another_address(page: Page, installation: Installation) -> None:
    buy_and_claim(page, installation, "before@example.com")
    page.goto(f"{installation.url}/account/")
    page.get_by_text("Change your email address").click()
    page.get_by_label("New email address").fill("after@example.com")
    page.locator("#email-password").fill(PASSWORD)
    page.get_by_role("button", name="Send confirmation").click()
    expect(page.get_by_text("We've sent a link to after@example.com")).to_be_visible()
    page.goto(newest_link(installation, "after@example.com", "/account/email/"))
    page.get_by_role("button", name="Use this address").click()
    page.wait_for_url("**/account/")
    expect(page.get_by_text("after@example.com")).to_be_visible()
