"""What can be refused, as the API says it: a status, a stable code, and a sentence for a person."""

from collections.abc import Mapping

Details = Mapping[str, list[str]]


class ApiError(Exception):
    """Base of every refusal. Subclasses and callers give status, code and message."""

    status = 500
    code = "server_error"
    message = "Something went wrong on our side. Please try again."
    headers: Mapping[str, str] = {}

    def __init__(self, message: str | None = None, *, details: Details | None = None) -> None:
        self.message = message or self.message
        self.details = details
        super().__init__(self.message)

    def body(self) -> dict[str, object]:
        """The one shape of every refusal."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = dict(self.details)
        return {"error": error}


class Unauthenticated(ApiError):
    """Nobody is signed in, or no longer."""

    status, code, message = 401, "unauthenticated", "Please sign in."


class CourseForbidden(ApiError):
    """Signed in, and not entitled to the course."""

    status, code, message = 403, "course_forbidden", "This course is not in your library."


class ResourceForbidden(ApiError):
    """Signed in, and not entitled to the file."""

    status, code, message = 403, "resource_forbidden", "This file belongs to a course that is not in your library."


class TokenForbidden(ApiError):
    """The bearer token lacks the ability."""

    status, code, message = 403, "token_forbidden", "This device may not do that. Please sign in again."


class SignatureInvalid(ApiError):
    """A signed link was altered, or its time is over."""

    status, code, message = 403, "signature_invalid", "This link has run out. Go back and open the file again."


class CrossOrigin(ApiError):
    """Another site tried to act in this person's name."""

    status, code, message = 403, "cross_origin", "This request came from another site and was not carried out."


class NotFound(ApiError):
    """There is nothing at this address."""

    status, code, message = 404, "not_found", "There is nothing at this address."


class CourseNotFound(NotFound):
    """No such course, or not published."""

    code, message = "course_not_found", "This course is not here."


class LessonNotFound(NotFound):
    """No such lesson, or not published."""

    code, message = "lesson_not_found", "This lesson is not here."


class ResourceNotFound(NotFound):
    """No such file, or not published."""

    code, message = "resource_not_found", "This file is not here."


class OrderNotFound(NotFound):
    """No such order."""

    code, message = "order_not_found", "We do not know this order."


class ClaimLinkInvalid(ApiError):
    """A claim link is unknown, used or too old; one answer for all, since the holder can do the same about each."""

    status, code = 410, "claim_link_invalid"
    message = "This link has been used or has run out. We can send you a new one."


class LinkInvalid(ApiError):
    """A mailed link is unknown, used or too old."""

    status, code = 410, "link_invalid"
    message = "This link has been used or has run out. Ask for a new one."


class CodeInvalid(ApiError):
    """A six-digit code is wrong, used or too old, or was guessed at too often."""

    status, code = 422, "code_invalid"
    message = "This code is not right, or has run out. Use the link in the same mail, or ask for a new one."


class OrderNotClaimable(ApiError):
    """The order is not paid, was taken back, or has an owner."""

    status, code, message = 409, "order_not_claimable", "This purchase cannot be claimed here."


class DeletionMustWait(ApiError):
    """A bank debit is under way: what it pays for would belong to nobody."""

    status, code = 409, "payment_under_way"
    message = (
        "A payment of yours is still under way at your bank. Your account can be deleted as soon as it has arrived; "
        "that takes a few days."
    )


class ValidationFailed(ApiError):
    """The body does not fit; `details` says which field and why."""

    status, code, message = 422, "validation_failed", "Please check what you typed."


class InvalidCredentials(ApiError):
    """Wrong password, or no such address; never says which."""

    status, code, message = 422, "invalid_credentials", "The e-mail address or the password is not right."


class RateLimited(ApiError):
    """Too many tries."""

    status, code, message = 429, "rate_limited", "That was tried too often. Please wait a minute and try again."

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(max(1, retry_after))}


class BadSignature(ApiError):
    """A webhook that Stripe did not sign."""

    status, code, message = 400, "bad_signature", "The signature does not match."


class BodyTooLarge(ApiError):
    """More bytes than any request of ours has."""

    status, code, message = 413, "body_too_large", "That is more than we can take in one request."


class RangeNotSatisfiable(ApiError):
    """A part of a file that lies behind its end. RFC 9110, 15.5.17."""

    status, code, message = 416, "range_not_satisfiable", "This file is not that long. Open it anew."

    def __init__(self, size: int) -> None:
        super().__init__()
        self.headers = {"Content-Range": f"bytes */{size}"}


class MethodNotAllowed(ApiError):
    """The address is right, the method is not."""

    status, code, message = 405, "method_not_allowed", "This address does not take that kind of request."
