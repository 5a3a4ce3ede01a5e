"""Random secrets that are handed to people. Only their hashes are stored."""

import hashlib
import re
import secrets
from typing import NewType

PublicOrderId = NewType("PublicOrderId", str)  # `ord_…`, the name of an order outside this service


def make_token(prefix: str = "") -> str:
    """256 random bits, safe in URLs. The prefix lets secret scanners recognise it."""
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """The stored form. A random token needs no slow hash (OWASP, Forgot Password cheat sheet)."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_public_order_id() -> PublicOrderId:
    """A name for an order that can be neither guessed nor counted."""
    return PublicOrderId(f"ord_{secrets.token_hex(12)}")


def parse_public_order_id(text: str) -> PublicOrderId | None:
    """The text as an order's public id, or None when it cannot be one."""
    return PublicOrderId(text) if re.fullmatch(r"[a-z]+_[0-9a-f]{24}", text) else None
