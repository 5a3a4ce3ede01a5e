"""Every email that can be asked for, as a job: its recipient and its subject. `mail/` writes them when they are sent.

`id` is the same on every attempt: it keeps an email from being queued twice, and becomes its Message-ID.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Self

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.emails import Email
from dynamic_api.core.models import Json, Order, OrderId, User
from dynamic_api.core.outbox import EMAIL_KIND, Job, enqueue
from dynamic_api.core.tokens import hash_token


@dataclass(frozen=True, kw_only=True)
class Message(Job):
    """Base of all messages. `name` is stored, so it must never change."""

    kind = EMAIL_KIND
    name: ClassVar[str]

    id: str

    def payload(self) -> Json:
        """The fields, and which message it is."""
        return {"message": self.name, **super().payload()}

    @classmethod
    def parse(cls, payload: Json) -> Self:
        """The message of a stored job. Raises KeyError for an unknown name."""
        values = dict(payload)
        message = MESSAGES[str(values.pop("message"))](**values)  # type: ignore[arg-type]
        if not isinstance(message, cls):
            raise TypeError(message.name)
        return message


@dataclass(frozen=True, kw_only=True)
class OrderMessage(Message):
    """About an order."""

    order_id: OrderId

    @classmethod
    def about(cls, order: Order, *again: object) -> Self:
        """One for each order; `again` tells a repeat from the first."""
        parts = (cls.name, order.public_id, *again)
        return cls(id=".".join(str(part) for part in parts), order_id=order.id)


class Receipt(OrderMessage):
    """The order is paid; to its buyer."""

    name = "receipt"


class ClaimLink(OrderMessage):
    """A new claim link, to the owner of the order."""

    name = "claim"


class Refunded(OrderMessage):
    """The money is on its way back; to the buyer."""

    name = "refunded"


class PaidTwice(OrderMessage):
    """Somebody paid twice for the same; to them."""

    name = "paid_twice"


class PaidTwiceNotice(OrderMessage):
    """Somebody paid twice for the same; to the operator."""

    name = "paid_twice_notice"


class PaymentFailed(OrderMessage):
    """A delayed payment failed; to the buyer."""

    name = "payment_failed"


class AccessEnded(OrderMessage):
    """Access has ended with the payment; to the person who had it."""

    name = "access_ended"


class GiftDelivery(OrderMessage):
    """A course as a gift; to its recipient."""

    name = "gift"


class GiftConfirmation(OrderMessage):
    """The gift is paid; to its buyer."""

    name = "gift_confirmation"


class GiftUndeliverable(OrderMessage):
    """The recipient's address accepts no email; to the buyer."""

    name = "gift_undeliverable"


@dataclass(frozen=True, kw_only=True)
class AccountMessage(Message):
    """To somebody with an account."""

    user_id: int

    @classmethod
    def to(cls, user: User, *again: object) -> Self:
        """One for each account; `again` tells a repeat from the first."""
        return cls(id=".".join(str(part) for part in (cls.name, *(again or (user.id,)))), user_id=user.id)


class Welcome(AccountMessage):
    """The account was created."""

    name = "welcome"


class PasswordCleared(AccountMessage):
    """The address is proven, and a password that was set before no longer works."""

    name = "password_cleared"


@dataclass(frozen=True, kw_only=True)
class RequestedMessage(Message):
    """To an address that somebody typed. Whether it has an account is looked up when the email is written."""

    email: str

    @classmethod
    def to(cls, email: Email, now: datetime) -> Self:
        """One a minute for each address."""
        return cls(id=f"{cls.name}.{_digest(email)}.{minute(now)}", email=email.spelling)


class SignInLink(RequestedMessage):
    """A link and a code to sign in."""

    name = "sign_in"


class ResetLink(RequestedMessage):
    """A link to choose a new password."""

    name = "reset"


class SignUpLink(RequestedMessage):
    """A link to create an account."""

    name = "sign_up"


class NewsConfirmation(RequestedMessage):
    """Whether this address really wants news."""

    name = "news"


@dataclass(frozen=True, kw_only=True)
class NewEmailLink(Message):
    """A link that moves an account to a new address; to that address."""

    name = "new_email"

    user_id: int
    email: str
    asked_at: str  # ISO 8601

    @classmethod
    def to(cls, user: User, email: Email, now: datetime) -> Self:
        """One a minute for each account and address."""
        identity = f"{cls.name}.{user.id}.{_digest(email)}.{minute(now)}"
        return cls(id=identity, user_id=user.id, email=email.spelling, asked_at=now.isoformat())


@dataclass(frozen=True, kw_only=True)
class EmailChanged(Message):
    """The account has a new address; to the old one."""

    name = "email_changed"

    email: str
    new_email: str


@dataclass(frozen=True, kw_only=True)
class OperatorNotice(Message):
    """Something that only the operator can mend; to them."""

    name = "operator"

    sentence: str


_ALL: tuple[type[Message], ...] = (
    Receipt, ClaimLink, Refunded, PaidTwice, PaidTwiceNotice, PaymentFailed, AccessEnded,
    GiftDelivery, GiftConfirmation, GiftUndeliverable,
    Welcome, PasswordCleared, SignInLink, ResetLink, SignUpLink, NewsConfirmation, NewEmailLink, EmailChanged,
    OperatorNotice,
)  # fmt: skip
MESSAGES = {message.name: message for message in _ALL}


async def queue_message(db: AsyncSession, message: Message, *, now: datetime, delay: timedelta = timedelta()) -> None:
    """Have an email sent, in the caller's transaction; once for each id."""
    await enqueue(db, message, f"mail:{message.id}", now=now, delay=delay)


def minute(now: datetime) -> str:
    """A suffix that lets a message be asked for again after a minute."""
    return f"{now:%Y%m%d%H%M}"


def _digest(email: Email) -> str:
    return hash_token(email.key)[:16]
