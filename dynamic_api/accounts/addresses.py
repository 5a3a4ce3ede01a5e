"""E-mail addresses: how they are checked and compared."""

import contextlib
import re
import unicodedata

# Deliberately loose: the only proof of an address is a mail that arrives (OWASP, Input Validation cheat sheet).
_PART = r"[^@\s\x00-\x1f\x7f<>\",;:\\()\[\]]+"
_ADDRESS = re.compile(rf"{_PART}@{_PART}\.[^@\s\x00-\x1f\x7f<>\",;:\\()\[\].]{{2,}}")


def email_key(address: str) -> str:
    """The form in which addresses are compared: NFC, no outer spaces, lower case, the domain in ASCII."""
    local, _, domain = unicodedata.normalize("NFC", address.strip()).lower().rpartition("@")
    with contextlib.suppress(UnicodeError):  # not a name DNS knows; compared as typed
        domain = domain.encode("idna").decode()
    return f"{local}@{domain}"


def is_address(text: str) -> bool:
    """Whether mail could be sent there at all."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text.strip()) is not None
