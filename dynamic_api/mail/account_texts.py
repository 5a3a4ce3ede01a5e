"""What we write about accounts, to their owners and to the operator. Each function returns a Text."""

from dynamic_api.mail.text import Button, Text
from sitegen.catalog.model import Site


def welcome(site: Site, *, name: str, library_url: str) -> Text:
    """The account was created."""
    _ = site.say
    return Text(
        _("Welcome to {school}", school=site.name),
        (
            _("Hello {name}, your account is ready.", name=name),
            _("Everything you buy is in your library, on every device you sign in on."),
        ),
        Button(_("Open my library"), library_url),
        (_("Questions? Reply to this email or write to {email}.", email=site.contact_email),),
    )


def new_email(site: Site, *, account: str, email: str, url: str) -> Text:
    """To the new address: whose account wants it, and the link that proves it."""
    _ = site.say
    return Text(
        _("Your new email address at {school}", school=site.name),
        (
            _(
                "The account {account} asked to use {address} as its address from now on.",
                account=account,
                address=email,
            ),
        ),
        Button(_("Use this address"), url),
        (
            _("Open the link in a browser where you are signed in to that account."),
            _(
                "It works once and expires in 30 minutes. If that isn't your account, ignore this "
                "email: nothing changes."
            ),
        ),
    )


def address_taken(site: Site, *, sign_in_url: str) -> Text:
    """To an address that somebody wants for an account, and that has one already."""
    _ = site.say
    return Text(
        _("You already have an account at {school}", school=site.name),
        (
            _(
                "Somebody asked to use this address for another account. It has an account already, "
                "so nothing was changed."
            ),
        ),
        Button(_("Sign in"), sign_in_url),
        (_("If you have two accounts and want to merge them, write to us."),),
    )


def email_changed(site: Site, *, new_address: str) -> Text:
    """To the old address: it no longer opens the account."""
    _ = site.say
    return Text(
        _("Your email address at {school} was changed", school=site.name),
        (
            _("Your account now uses {address}. You no longer sign in with this address.", address=new_address),
            _("If this wasn't you, write to {email} at once: we can change it back.", email=site.contact_email),
        ),
    )


def sign_in(site: Site, *, url: str, code: str) -> Text:
    """A link or a code, instead of a password."""
    _ = site.say
    return Text(
        _("Sign in to {school}", school=site.name),
        (_("You asked to sign in without a password."),),
        Button(_("Sign in"), url),
        (
            _("The link and the code work once and expire in 30 minutes."),
            _("Never share the code with anyone: we will never ask for it."),
            _not_you(site),
        ),
        code=code,
    )


def sign_up(site: Site, *, url: str) -> Text:
    """The beginning of an account."""
    _ = site.say
    return Text(
        _("Create your account at {school}", school=site.name),
        (_("One last step: choose a name and a password."),),
        Button(_("Create my account"), url),
        (_("The link works once and expires in 30 minutes."), _not_you(site)),
    )


def news_confirmation(site: Site, *, url: str) -> Text:
    """Whether this address really wants news."""
    _ = site.say
    return Text(
        _("News from {school}: please confirm", school=site.name),
        (_("Somebody asked for news from {school} at this address.", school=site.name),),
        Button(_("Yes, send me news"), url),
        (_("The link expires in 7 days. Without it, you get no news, and your address is not kept."), _not_you(site)),
    )


def reset(site: Site, *, url: str) -> Text:
    """A link to choose a new password."""
    _ = site.say
    return Text(
        _("Choose a new password for {school}", school=site.name),
        (_("You asked to choose a new password."),),
        Button(_("Choose a new password"), url),
        (
            _("The link works once and expires in 30 minutes. Every browser and phone will have to sign in again."),
            _not_you(site),
        ),
    )


def password_cleared(site: Site, *, reset_url: str) -> Text:
    """The address is proven; a password that was set before that no longer works."""
    _ = site.say
    return Text(
        _("Choose a new password for {school}", school=site.name),
        (
            _("You've just confirmed that this address is yours, with a link or a code from our email."),
            _(
                "A password was set for this account before that, perhaps by somebody else, so it no "
                "longer works. You stay signed in on this device."
            ),
        ),
        Button(_("Choose a password"), reset_url),
        (_("You can also continue without a password, and sign in by email each time."),),
    )


def operator_notice(site: Site, sentence: str) -> Text:
    """To the operator: something that only they can mend."""
    _ = site.say
    return Text(
        _("{school} needs you", school=site.name), (sentence, _("You are told of the same thing once a day at most."))
    )


def _not_you(site: Site) -> str:
    _ = site.say
    return _("If this wasn't you, ignore this email.")
