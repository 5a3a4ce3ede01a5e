"""What Stripe's errors mean: whether waiting helps, and who has to do something.

https://docs.stripe.com/error-handling; the classes are those of the SDK.
"""

import stripe

from dynamic_api.core.errors import WillNotHeal


class PaymentsUnavailable(Exception):
    """Stripe did not answer, or not usefully; the same call may work later."""


class PaymentsMisconfigured(PaymentsUnavailable):
    """The key is wrong or lacks a permission: the same call works once the operator has fixed that."""


class PaymentsRefused(PaymentsUnavailable, WillNotHeal):
    """Stripe understood the call and will refuse it each time."""


class PaymentMissing(PaymentsRefused):
    """There is no such object in this account, or not in the mode of this key."""


class CustomerMissing(Exception):
    """The customer of an account is not in Stripe's any more."""


class CodeTaken(Exception):
    """A promotion code that was valid when it was looked up, and no longer was when it was used."""


class CodeTooLarge(Exception):
    """With this promotion code, less is left to pay than Stripe charges."""


def failure(error: stripe.StripeError) -> PaymentsUnavailable:
    """The error as ours, with Stripe's own words for the operator."""
    said = f"{type(error).__name__} {_code_of(error) or error.http_status or ''}: {error.user_message or error}"
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return PaymentsMisconfigured(f"Stripe refuses the key of this installation. {said}")
    if isinstance(error, stripe.InvalidRequestError | stripe.IdempotencyError | stripe.CardError):
        return PaymentMissing(said) if _code_of(error) == "resource_missing" else PaymentsRefused(said)
    return PaymentsUnavailable(said)


def code_refusal(error: stripe.InvalidRequestError, *, has_code: bool) -> Exception | None:
    """The refusal of a promotion code; None where the error is about something else."""
    if not has_code:
        return None
    if _code_of(error) == "amount_too_small":
        return CodeTooLarge()
    words = str(error.user_message or error).casefold()
    about = (error.param or "").startswith("discounts") or "promotion code" in words or words.startswith("coupon")
    return CodeTaken() if about else None


def is_about_product(error: stripe.InvalidRequestError) -> bool:
    """Whether somebody deleted or archived the product in Stripe's dashboard."""
    if is_about_customer(error):
        return False
    return _code_of(error) in ("resource_missing", "product_inactive") or "inactive" in str(error).casefold()


def is_about_customer(error: stripe.InvalidRequestError) -> bool:
    """Whether somebody deleted the customer there."""
    return _code_of(error) == "resource_missing" and error.param == "customer"


def _code_of(error: stripe.StripeError) -> str | None:
    # The SDK fills `code` on two of its classes only; the body has it for all.
    body = getattr(error, "error", None)
    return error.code or getattr(body, "code", None)
