"""Random secrets that are handed to people, of which only a hash is kept."""

import hashlib
import re
import secrets


def make_token(prefix: str = "") -> str:
    """256 random bits, safe in addresses. The prefix lets secret scanners recognise it."""
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What is stored. A random token needs no slow hash (OWASP, Forgot Password cheat sheet)."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_public_id(text: str) -> bool:
    """Whether an address could name an order at all."""
    return re.fullmatch(r"[a-z]+_[0-9a-f]{24}", text) is not None


def make_public_id(prefix: str) -> str:
    """A name for the outside world that cannot be guessed or counted."""
    return f"{prefix}_{secrets.token_hex(12)}"
