"""argon2id, off the event loop. Parameters: OWASP, Password Storage cheat sheet (m=19 MiB, t=2, p=1)."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
LONGEST = 200

# Each check takes 19 MiB and some 25 ms of a core: two at a time leave room for everybody else.
_TURNS = 2

_COMMON = frozenset(
    """
    password password1 password12 password123 passwort123 1234567890 12345678910 0123456789 qwertyuiop qwerty12345
    qwerty1234 iloveyou123 letmein1234 welcome1234 administrator abcdefghij abcd123456 aaaaaaaaaa 1111111111
    0000000000 changeme123 trustno1trustno1 football123 sunshine123 princess123 monkey12345 dragon12345
    """.split()  # noqa: SIM905 - words read better than a list of quotes
)


class Passwords:
    """Hashes and checks, two at a time."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._turns = asyncio.Semaphore(_TURNS)

    async def hash(self, password: str) -> str:
        """What is stored."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is right. Takes as long where there is none to compare with."""
        async with self._turns:
            return await asyncio.to_thread(self._verify, stored or _dummy_hash(), password) and stored is not None

    def is_dated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _dummy_hash() -> str:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash("nobody's password")


def password_faults(password: str, *, email: str) -> list[str]:
    """Why a password will not do, in sentences; empty when it will. Asks no third party."""
    if len(password) < SHORTEST:
        return [f"Use at least {SHORTEST} characters."]
    if len(password) > LONGEST:
        return [f"Use at most {LONGEST} characters."]
    simple = password.casefold().strip()
    if simple in _COMMON or len(set(simple)) < 4 or simple == email.casefold():
        return ["This password is among the first that anybody tries. Choose another."]
    return []
