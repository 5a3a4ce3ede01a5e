"""Every public URL, once. URLs end in a slash; their files are `…/index.html`.

A slug may be in any script; in an address it is percent-encoded, as RFC 3986 demands, and in a file's name it is not.
"""

import unicodedata
from functools import lru_cache
from urllib.parse import quote as _quote
from urllib.parse import unquote

quote = lru_cache(32768)(_quote)  # a preview writes thousands of addresses after every save

HOME = "/"
COURSES = "/courses/"
NEWS = "/news/"
LIBRARY = "/library/"
SIGN_IN = "/sign-in/"
SIGN_IN_LINK = "/sign-in/link/"
RESET = "/reset/"
SIGN_UP = "/sign-up/"
WELCOME = "/welcome/"
CLAIM = "/claim/"
ACCOUNT = "/account/"
NEW_EMAIL = "/account/email/"
GIFTS = "/gifts/"
RECEIPTS = "/receipts/"
CHECKOUT_SUCCESS = "/checkout/success/"
ANY_LESSON = "/learn/"  # the page of a lesson whose course is no longer in the files
CHECK_EMAIL = "/checkout/check-email/"
NEWSLETTER = "/newsletter/"
NEWSLETTER_CONFIRM = "/newsletter/confirm/"
NEWSLETTER_END = "/newsletter/unsubscribe/"
REVIEW = "/review/"
SEARCH = "/search/"
STRIPE_WEBHOOK = "/webhooks/stripe"


PRIVATE_PICTURES = "/api/pictures/"  # what paid texts show; the service adds who may see it, and until when


def course(slug: str) -> str:
    """A course's sales page."""
    return f"/courses/{quote(slug)}/"


def gift(slug: str) -> str:
    """The form for giving a course as a gift."""
    return f"/courses/{quote(slug)}/gift/"


def intro(slug: str) -> str:
    """A course's introduction video."""
    return f"/preview/{quote(slug)}/"


def preview(slug: str, lesson: str) -> str:
    """A free preview lesson, complete and without an account."""
    return f"/preview/{quote(slug)}/{quote(lesson)}/"


def learn(slug: str, lesson: str) -> str:
    """A lesson for its owners: a page without content, which asks the service for it."""
    return f"/learn/{quote(slug)}/{quote(lesson)}/"


def any_lesson(slug: str, lesson: str) -> str:
    """A lesson of a course that is no longer in the files, for its owners."""
    return f"{ANY_LESSON}?course={quote(slug)}&lesson={quote(lesson)}"


def save_as(url: str) -> str:
    """The file of a URL, below the output folder."""
    return unquote(url).lstrip("/") + "index.html"


def page(slug: str) -> str:
    """A page of the school's own."""
    return f"/{quote(slug)}/"


def post(slug: str) -> str:
    """A post."""
    return f"{NEWS}{quote(slug)}/"


def tag(slug: str) -> str:
    """The courses about a subject."""
    return f"/topics/{quote(slug)}/"


def tag_slug(name: str) -> str:
    """A tag as a part of an address: its words in lower case, in any script. Empty where it has no letter."""
    text = unicodedata.normalize("NFC", name).casefold()
    signs = (sign if unicodedata.category(sign)[0] in "LMN" else "-" for sign in text)
    return "-".join(part for part in "".join(signs).split("-") if part)


def level(name: str) -> str:
    """The courses of a level."""
    return f"/levels/{name}/"


def teacher(identifier: str) -> str:
    """The courses of a teacher."""
    return f"/teachers/{identifier}/"


def twin(url: str) -> str:
    """A page as Markdown."""
    return f"{url}index.md"


def names(url: str) -> list[str]:
    """The parts of an address, as they are in the files: the page's kind first, then slugs."""
    return [unquote(part) for part in url.strip("/").split("/")]


# First parts of addresses that belong to the program; a page of the school cannot have them.
RESERVED = frozenset(
    {"api", "webhooks", "assets", "courses", "news", "library", "sign-in", "sign-up", "reset", "welcome", "claim",
     "account", "gifts", "receipts", "checkout", "learn", "preview", "downloads", "healthz", "readyz", "metrics",
     "topics", "levels", "teachers", "search", "newsletter", "review"}
)  # fmt: skip
