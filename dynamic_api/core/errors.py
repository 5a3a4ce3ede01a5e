"""Every refusal the API can give: a status, a stable code, and a sentence for a person."""

from collections.abc import Mapping

from sitegen.catalog.words import Sentence, Words

Details = Mapping[str, list[str]]


class ApiError(Exception):
    """Base of every refusal. Subclasses and callers give status, code and message."""

    status = 500
    code = "server_error"
    message: str = Sentence("Something went wrong on our side. Please try again.")
    headers: Mapping[str, str] = {}

    def __init__(self, message: str | None = None, *, details: Details | None = None) -> None:
        self.message = message or self.message
        self.details = details
        super().__init__(self.message)

    def body(self, words: Words) -> dict[str, object]:
        """The body of every refusal, in the school's language."""
        error: dict[str, object] = {"code": self.code, "message": words.in_own(self.message)}
        if self.details:
            error["details"] = {name: [words.in_own(each) for each in said] for name, said in self.details.items()}
        return {"error": error}


class WillNotHeal(Exception):
    """What fails the same way each time: a job that meets it is given up at once, and the operator is told."""


class Moved(ApiError):
    """The course or lesson has another slug now; the same request is good at the new address."""

    status, code, message = 308, "moved", Sentence("This has moved.")

    def __init__(self, location: str) -> None:
        super().__init__()
        self.headers = {"Location": location}


class Unauthenticated(ApiError):
    """Nobody is signed in, or no longer."""

    status, code, message = 401, "unauthenticated", Sentence("Please sign in to continue.")


class CourseForbidden(ApiError):
    """Signed in, and not entitled to the course."""

    status, code, message = 403, "course_forbidden", Sentence("You don't own this course yet.")


class ResourceForbidden(ApiError):
    """Signed in, and not entitled to the file."""

    status, code, message = 403, "resource_forbidden", Sentence("This file belongs to a course you don't own yet.")


class TokenForbidden(ApiError):
    """The bearer token lacks the ability."""

    status, code, message = (
        403,
        "token_forbidden",
        Sentence("This device isn't allowed to do that. Please sign in again."),
    )


class SignatureInvalid(ApiError):
    """A signed link was altered, or has expired."""

    status, code, message = (
        403,
        "signature_invalid",
        Sentence("This link has expired. Go back and open the file again."),
    )


class CrossOrigin(ApiError):
    """Another site tried to act in this person's name."""

    status, code, message = (
        403,
        "cross_origin",
        Sentence("This request came from another site, so nothing was changed."),
    )


class NotFound(ApiError):
    """There is nothing at this address."""

    status, code, message = 404, "not_found", Sentence("Page not found.")


class CourseNotFound(NotFound):
    """No such course, or not published."""

    code, message = "course_not_found", Sentence("We couldn't find this course.")


class LessonNotFound(NotFound):
    """No such lesson, or not published."""

    code, message = "lesson_not_found", Sentence("We couldn't find this lesson.")


class ResourceNotFound(NotFound):
    """No such file, or not published."""

    code, message = "resource_not_found", Sentence("We couldn't find this file.")


class VideoUnavailable(ApiError):
    """The file store does not answer; it may in a moment."""

    status, code = 503, "video_unavailable"
    message = Sentence("The video can't be loaded right now. Please try again in a minute.")


class OrderNotFound(NotFound):
    """No such order."""

    code, message = "order_not_found", Sentence("We couldn't find this order.")


class ClaimLinkInvalid(ApiError):
    """A claim link is unknown, used or expired; one answer for all, since its holder can do the same about each."""

    status, code = 410, "claim_link_invalid"
    message = Sentence("This link has been used or has expired. We can send you a new one.")


class LinkInvalid(ApiError):
    """An emailed link is unknown, used or expired."""

    status, code = 410, "link_invalid"
    message = Sentence("This link has been used or has expired. Please ask for a new one.")


class CodeInvalid(ApiError):
    """A six-digit code is wrong, used or expired, or was guessed at too often."""

    status, code = 422, "code_invalid"
    message = Sentence("That code is wrong or has expired. Use the link in the same email, or ask for a new one.")


class OrderNotClaimable(ApiError):
    """The order is not paid, was refunded, or has an owner."""

    status, code, message = 409, "order_not_claimable", Sentence("This purchase can't be claimed here.")


class ReviewTooEarly(ApiError):
    """Whoever reviews a course has completed a quarter of it."""

    status, code = 409, "review_too_early"
    message = Sentence("You can review this course once you’ve completed a quarter of its lessons.")


class DeletionMustWait(ApiError):
    """A bank debit is being processed: what it pays for would belong to nobody."""

    status, code = 409, "payment_under_way"
    message = Sentence(
        "Your bank is still processing a payment. You can delete your account as soon as it is complete, "
        "usually within a few days."
    )


class ValidationFailed(ApiError):
    """The body does not have the right shape; `details` says which field and why."""

    status, code, message = 422, "validation_failed", Sentence("Please check the fields below.")


class InvalidCredentials(ApiError):
    """Wrong password or unknown address; never says which."""

    status, code, message = 422, "invalid_credentials", Sentence("Wrong email address or password.")


class RateLimited(ApiError):
    """Too many attempts."""

    status, code = 429, "rate_limited"

    def __init__(self, retry_after: int) -> None:
        self.retry_after = max(1, retry_after)
        super().__init__(self.sentence(_duration(self.retry_after)))
        self.headers = {"Retry-After": str(self.retry_after)}

    def sentence(self, wait: Sentence) -> Sentence:
        """What a person reads."""
        return Sentence("Too many attempts. Please try again in {wait}.", wait=wait)


class SignInsLimited(RateLimited):
    """Too many wrong passwords; an email is another way in."""

    def sentence(self, wait: Sentence) -> Sentence:
        """What a person reads."""
        return Sentence(
            "Too many attempts. Please try again in {wait}. Or sign in by email, with the link or the six digits.",
            wait=wait,
        )


def _duration(seconds: int) -> Sentence:
    """`20 seconds`, `a minute`, `5 minutes`, `an hour`, `3 hours`: rounded up."""
    if seconds < 50:
        return Sentence.counted("a second", "{count} seconds", seconds)
    if seconds <= 50 * 60:
        return Sentence.counted("a minute", "{count} minutes", -(-seconds // 60))
    return Sentence.counted("an hour", "{count} hours", -(-seconds // 3600))


class Busy(ApiError):
    """More people want the same costly thing at once than we have room for."""

    status, code = 503, "busy"
    message = Sentence("Many people are signing in right now. Please try again in a few seconds.")
    headers = {"Retry-After": "3"}  # noqa: RUF012 - never changed


class DatabaseAway(ApiError):
    """The database cannot answer. Phones know 500's code, and no other, for what failed on our side."""

    status = 503
    headers = {"Retry-After": "5"}  # noqa: RUF012 - never changed


class EmailChangeUnconfirmed(ApiError):
    """The link of a new address was opened where its account is not signed in."""

    status, code = 403, "sign_in_needed"
    message = Sentence("Please sign in here to the account that asked for this, then open the link in the email again.")


class BadSignature(ApiError):
    """A webhook that Stripe did not sign."""

    status, code, message = 400, "bad_signature", Sentence("The signature does not match.")


class BodyTooLarge(ApiError):
    """More bytes than any request of ours has."""

    status, code, message = 413, "body_too_large", Sentence("That is more than we can accept in one request.")


class RangeNotSatisfiable(ApiError):
    """A part of a file that begins after its end. RFC 9110, 15.5.17."""

    status, code, message = 416, "range_not_satisfiable", Sentence("This file has changed. Please open it again.")

    def __init__(self, size: int) -> None:
        super().__init__()
        self.headers = {"Content-Range": f"bytes */{size}"}


class MethodNotAllowed(ApiError):
    """The address is right, the method is not."""

    status, code, message = 405, "method_not_allowed", Sentence("This address does not accept that kind of request.")

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.headers = {"Allow": ", ".join(sorted(allowed))}
