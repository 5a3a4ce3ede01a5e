"""What a page tells a buyer after a form was sent: the page holds a sentence for each, shown by the URL's fragment."""

from enum import StrEnum


class Notice(StrEnum):
    """The fragment of the URL to which the buyer is sent back."""

    NOT_FOR_SALE = "not-for-sale"
    ALREADY_YOURS = "already-yours"
    PAYMENT_PROCESSING = "payment-under-way"
    PAYMENT_UNAVAILABLE = "payment-unavailable"
    PAYMENT_REFUSED = "payment-refused"
    PAYMENT_CANCELLED = "cancelled"
    PRICE_CHANGED = "price-changed"
    EMAIL_NEEDED = "email-needed"
    TRY_LATER = "try-later"
    CODE_UNKNOWN = "code-unknown"
    CODE_EXPIRED = "code-expired"
    CODE_OTHER_COURSE = "code-other-course"
    CODE_MINIMUM = "code-minimum"
    CODE_TOO_LARGE = "code-too-large"
    CODE_FIRST_ONLY = "code-first-only"
    CODE_OTHER_PERSON = "code-other-person"
    GIFT_ADDRESS = "gift-address"
    GIFT_TO_YOURSELF = "gift-to-yourself"
    GIFT_DAY = "gift-day"
    GIFT_MESSAGE = "gift-message"


class FormRefused(Exception):
    """A buyer's form cannot be carried out; `notice` says why."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice.value)
        self.notice = notice
