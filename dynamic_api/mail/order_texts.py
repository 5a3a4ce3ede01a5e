"""What we write about orders. Each function returns a Text: paragraphs, and at most one button.

`coursewright messages` shows every one of them, filled with samples.
"""

from dynamic_api.core.models import Gift, Order
from dynamic_api.mail.text import Button, Text
from sitegen.catalog.model import Site
from sitegen.catalog.money import format_money


def receipt(site: Site, order: Order, course_title: str, *, claim_url: str | None, library_url: str) -> Text:
    """The order is paid; how to open the course. `claim_url` when the purchase waits for its owner."""
    _ = site.say
    thanks = _("Thank you for buying “{course}” for {total}.", course=course_title, total=_total(order, site))
    if not order.total_amount:
        thanks = _("“{course}” is yours, free of charge.", course=course_title)
    if claim_url:
        return Text(
            _("Your course: {course}", course=course_title),
            (thanks, _("One last step: choose a name and a password, so that you can watch on every device.")),
            Button(_("Open my course"), claim_url),
            (*_claim_terms(site), *_refund_promise(site, order), *_order_details(site, order)),
        )
    return Text(
        _("Your course: {course}", course=course_title),
        (thanks, _("You'll find it in your library.")),
        Button(_("Open my library"), library_url),
        (*_refund_promise(site, order), *_order_details(site, order)),
    )


def claim(site: Site, order: Order, course_title: str, *, claim_url: str) -> Text:
    """A new claim link, on request."""
    _ = site.say
    return Text(
        _("Your link to {course}", course=course_title),
        (_("Here is a new link to “{course}”, from {school}.", course=course_title, school=site.name),),
        Button(_("Open my course"), claim_url),
        (*_claim_terms(site), _("Order {order}.", order=order.public_id)),
    )


def refunded(site: Site, order: Order, course_title: str) -> Text:
    """The money is on its way back, and the course is gone."""
    _ = site.say
    return Text(
        _("Refunded: {course}", course=course_title),
        (
            _(
                "We've refunded {amount} for “{course}”. Banks take up to ten days to show it.",
                amount=_refunded(order, site),
                course=course_title,
            ),
            _("Your gift was withdrawn.")
            if order.is_gift
            else _("The course is no longer in your library, unless another purchase keeps it there."),
        ),
        after=(_("Order {order}.", order=order.public_id),),
    )


def paid_twice(site: Site, order: Order, earlier: Order, course_title: str) -> Text:
    """To the buyer: one payment is one too many."""
    _ = site.say
    return Text(
        _("You paid twice: {course}", course=course_title),
        (
            _(
                "You have paid for “{course}” twice: {earlier_total} and {total}.",
                course=course_title,
                earlier_total=_total(earlier, site),
                total=_total(order, site),
            ),
            _(
                "Once is enough. {school} has been told and can refund one of the payments; the "
                "course stays yours. If you hear nothing within a few days, write to {email}.",
                school=site.name,
                email=site.contact_email,
            ),
        ),
        after=(_("Orders {earlier} and {order}.", earlier=earlier.public_id, order=order.public_id),),
    )


def paid_twice_notice(site: Site, order: Order, earlier: Order, course_title: str) -> Text:
    """To the operator: who paid twice, and the command that refunds one payment."""
    _ = site.say
    return Text(
        _("Paid twice: {course}", course=course_title),
        (
            _(
                "{buyer} paid twice for “{course}”: {earlier_total} with {earlier}, and {total} with "
                "{order}. They have been told.",
                buyer=order.buyer_email or _("A buyer"),
                course=course_title,
                earlier_total=_total(earlier, site),
                earlier=earlier.public_id,
                total=_total(order, site),
                order=order.public_id,
            ),
            _(
                "This refunds the second payment and leaves them the course: coursewright refund {order}",
                order=order.public_id,
            ),
        ),
    )


def payment_failed(site: Site, order: Order, course_title: str, *, course_url: str) -> Text:
    """A delayed payment failed."""
    _ = site.say
    return Text(
        _("Your payment failed: {course}", course=course_title),
        (_("Your payment for “{course}” failed. You have not been charged.", course=course_title),),
        Button(_("Try again"), course_url),
        (_("Order {order}.", order=order.public_id),),
    )


def access_ended(site: Site, order: Order, course_title: str) -> Text:
    """A course is gone because its payment is: a gift was refunded, or the buyer's bank reversed a payment."""
    _ = site.say
    reason = (
        _("“{course}”, which was a gift to you, was refunded to the person who bought it.", course=course_title)
        if order.is_gift
        else _("The payment for “{course}” was reversed by the bank.", course=course_title)
    )
    return Text(
        _("No longer in your library: {course}", course=course_title),
        (reason, _("The course is no longer in your library, unless another purchase keeps it there.")),
        after=(
            _("If you think this is a mistake, write to {email}.", email=site.contact_email),
            _("Order {order}.", order=order.public_id),
        ),
    )


def gift(site: Site, order: Order, gift: Gift, course_title: str, *, claim_url: str) -> Text:
    """To the recipient, on the delivery day: the gift, its sender, and how to open it."""
    _ = site.say
    sender = gift.sender_name or _("Somebody")
    greeting = _("Hello {name},", name=gift.recipient_name) if gift.recipient_name else _("Hello,")
    return Text(
        _("{sender} sent you a gift: {course}", sender=sender, course=course_title),
        (
            greeting,
            _(
                "{sender} has given you “{course}”, a video course by {school}.",
                sender=sender,
                course=course_title,
                school=site.name,
            ),
        ),
        Button(_("Open your gift"), claim_url),
        (*_claim_terms(site), _("Order {order}.", order=order.public_id)),
        quote=gift.message,
    )


def gift_confirmation(site: Site, order: Order, gift: Gift, course_title: str, *, gifts_url: str, day: str) -> Text:
    """To the buyer: the gift, its recipient, and when it arrives. `day` is empty when that is today."""
    _ = site.say
    recipient = f"{gift.recipient_name} ({order.owner_email})" if gift.recipient_name else order.owner_email
    paid = _("You paid {total}.", total=_total(order, site)) if order.total_amount else _("It was free of charge.")
    return Text(
        _("Your gift: {course}", course=course_title),
        (
            _(
                "Thank you. You're giving “{course}” to {recipient}. {paid}",
                course=course_title,
                recipient=recipient,
                paid=paid,
            ),
            _("They will get an email on {day}, with a link that opens the course.", day=day)
            if day
            else _("They will get an email today, with a link that opens the course."),
            _("The course is theirs, and not in your own library."),
        ),
        Button(_("See my gifts"), gifts_url),
        _order_details(site, order),
        quote=gift.message,
    )


def gift_undeliverable(site: Site, order: Order, gift: Gift, course_title: str) -> Text:
    """To the buyer: the recipient's address accepts no email."""
    _ = site.say
    name = gift.recipient_name or _("the person it is for")
    return Text(
        _("Your gift could not be delivered: {course}", course=course_title),
        (
            _(
                "We sent your gift, “{course}”, to {address}, but the email was rejected: this "
                "address doesn't seem to exist.",
                course=course_title,
                address=order.owner_email,
            ),
            _(
                "Nothing is lost. Reply to this email, or write to {email}, with {name}'s right address.",
                email=site.contact_email,
                name=name,
            ),
        ),
        after=(_("Order {order}.", order=order.public_id),),
        quote=gift.message,
    )


def _claim_terms(site: Site) -> tuple[str, ...]:
    _ = site.say
    return (
        _("This link is personal, works once and expires in 7 days."),
        _("If it has expired, the page it opens can send you a new one."),
    )


def _refund_promise(site: Site, order: Order) -> tuple[str, ...]:
    if site.refund_days is None or not order.total_amount:
        return ()
    return (
        site.say.plural(
            "Not for you? Write to {email} within a day, and you get your money back.",
            "Not for you? Write to {email} within {count} days, and you get your money back.",
            site.refund_days,
            email=site.contact_email,
        ),
    )


def _order_details(site: Site, order: Order) -> tuple[str, ...]:
    _ = site.say
    details = [_("Order {order}.", order=order.public_id)]
    if order.receipt_url:
        details.append(_("Your receipt from the payment provider: {url}", url=order.receipt_url))
    return tuple(details)


def _refunded(order: Order, site: Site) -> str:
    return format_money(order.refunded_amount, order.total_currency or order.currency, site.language)


def _total(order: Order, site: Site) -> str:
    amount = order.total_amount if order.total_amount is not None else order.amount
    return format_money(amount, order.total_currency or order.currency, site.language)
