"""Every public address, once. Addresses end in a slash and are files `…/index.html`."""

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
CHECKOUT_MAILED = "/checkout/mailed/"


def course(slug: str) -> str:
    """A course's sales page."""
    return f"/courses/{slug}/"


def gift(slug: str) -> str:
    """The form for giving a course to somebody."""
    return f"/courses/{slug}/gift/"


def intro(slug: str) -> str:
    """The page on which a course's short film plays."""
    return f"/preview/{slug}/"


def preview(slug: str, lesson: str) -> str:
    """A free preview lesson, whole and without an account."""
    return f"/preview/{slug}/{lesson}/"


def learn(slug: str, lesson: str) -> str:
    """A lesson as its owner sees it: a shell that asks the service."""
    return f"/learn/{slug}/{lesson}/"


def save_as(url: str) -> str:
    """The file below the output folder that answers at an address."""
    return url.lstrip("/") + "index.html"
