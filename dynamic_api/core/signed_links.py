"""Links that prove by themselves that we made them: nothing is stored, and nothing else can be made of them."""

import hashlib
import hmac
from typing import Protocol

from pydantic import SecretStr


class HasSecret(Protocol):
    """The part of the settings that links are signed with."""

    @property
    def secret_key(self) -> SecretStr: ...


def sign_link(settings: HasSecret, path: str, query: str) -> str:
    """Proof that we made a link to this path."""
    key = hashlib.sha256(b"download link:" + settings.secret_key.get_secret_value().encode()).digest()
    return hmac.new(key, f"{path}?{query}".encode(), hashlib.sha256).hexdigest()
