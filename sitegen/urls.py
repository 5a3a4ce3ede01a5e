"""Every public URL, once. URLs end in a slash; their files are `…/index.html`."""

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


PRIVATE_PICTURES = "/api/pictures/"  # what paid texts show; the service adds who may see it, and until when


def course(slug: str) -> str:
    """A course's sales page."""
    return f"/courses/{slug}/"


def gift(slug: str) -> str:
    """The form for giving a course as a gift."""
    return f"/courses/{slug}/gift/"


def intro(slug: str) -> str:
    """A course's introduction video."""
    return f"/preview/{slug}/"


def preview(slug: str, lesson: str) -> str:
    """A free preview lesson, complete and without an account."""
    return f"/preview/{slug}/{lesson}/"


def learn(slug: str, lesson: str) -> str:
    """A lesson for its owners: a page without content, which asks the service for it."""
    return f"/learn/{slug}/{lesson}/"


def any_lesson(slug: str, lesson: str) -> str:
    """A lesson of a course that is no longer in the files, for its owners."""
    return f"{ANY_LESSON}?course={slug}&lesson={lesson}"


def save_as(url: str) -> str:
    """The file of a URL, below the output folder."""
    return url.lstrip("/") + "index.html"


# First parts of addresses that belong to the program; a page of the school cannot have them.
RESERVED = frozenset(
    {"api", "webhooks", "assets", "courses", "news", "library", "sign-in", "sign-up", "reset", "welcome", "claim",
     "account", "gifts", "receipts", "checkout", "learn", "preview", "downloads", "healthz", "readyz", "metrics"}
)  # fmt: skip
