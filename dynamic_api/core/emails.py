"""Email addresses: checked strictly, compared in one normal form.

Domains are compared as DNS knows them (IDNA 2008, UTS 46), so two domains that DNS tells apart never belong to one
person. The local part is compared without regard to case, since mail providers deliver that way.
"""

import re
import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from sitegen.catalog.words import Sentence

LONGEST = 254  # RFC 5321, 4.5.3.1.3
LONGEST_LABEL = 63  # RFC 1035, 2.3.4; as punycode, which is never shorter

_NO_ADDRESS = Sentence("This doesn't look like an email address.")
_DELETED_DOMAIN = "deleted.invalid"  # RFC 2606: nobody can ever have this address


class EmailInvalid(ValueError):
    """The text is not an address that a mail server could accept."""


@dataclass(frozen=True)
class Email:
    """An address as its owner spells it, and the key by which addresses are compared."""

    spelling: str
    key: str

    def __str__(self) -> str:
        return self.spelling

    @classmethod
    def parse(cls, text: str) -> "Email":
        """Raises EmailInvalid, with a sentence for the person who typed it."""
        spelling = unicodedata.normalize("NFC", text.strip())
        # RFC 2047 encoded words are legal in a local part, and let one mailbox have thousands of spellings.
        if len(spelling) > LONGEST or "=?" in spelling or _has_long_label(spelling.rpartition("@")[2]):
            raise EmailInvalid(_NO_ADDRESS)
        try:
            checked = validate_email(spelling, check_deliverability=False, strict=True)
        except EmailNotValidError:
            raise EmailInvalid(_NO_ADDRESS) from None
        return cls(spelling, _key(checked.local_part, checked.ascii_domain))

    @classmethod
    def lookup(cls, text: str) -> "Email":
        """For finding an account. A text that is no address finds nobody, except for an account that is older than
        today's rules."""
        try:
            return cls.parse(text)
        except EmailInvalid:
            return cls(text, unicodedata.normalize("NFC", text.strip().lower())[:LONGEST])

    @classmethod
    def deleted(cls, user_id: int) -> "Email":
        """What replaces the address of a deleted account."""
        alias = f"{user_id}@{_DELETED_DOMAIN}"
        return cls(alias, alias)

    @property
    def masked(self) -> str:
        """For somebody who may not be its owner, and would recognise it: `a…@example.com`."""
        local, _, domain = self.spelling.rpartition("@")
        return f"{local[:1]}…@{domain}"

    @property
    def is_deleted(self) -> bool:
        """Whether this replaced the address of a deleted account."""
        return self.key.endswith(f"@{_DELETED_DOMAIN}")


def _has_long_label(domain: str) -> bool:
    """Whether DNS cannot have this name; to find that out by IDNA's rules takes milliseconds."""
    return any(len(label) > LONGEST_LABEL for label in re.split(r"[.\u3002\uff0e\uff61]", domain))


def _key(local: str, ascii_domain: str) -> str:
    return f"{unicodedata.normalize('NFC', local.lower())}@{ascii_domain.lower()}"
