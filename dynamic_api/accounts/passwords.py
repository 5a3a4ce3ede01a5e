"""argon2id, off the event loop. Parameters: OWASP, Password Storage cheat sheet (m=19 MiB, t=2, p=1)."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

SHORTEST = 10
LONGEST = 200

# Each check takes 19 MiB and some 25 ms of a core: two at a time leave room for everybody else.
_TURNS = 2

# zxcvbn's scale of 0 to 4: below this, an attacker with a list of leaked passwords is through in minutes.
_GUESSABLE = 2
_READ = 64  # characters of a password that are judged; the work grows with the square


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
    if zxcvbn(password[:_READ], user_inputs=[email, *email.split("@")])["score"] < _GUESSABLE:
        return ["This password is among the first that anybody tries. Choose another."]
    return []
