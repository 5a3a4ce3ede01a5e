"""Passwords: hashed with argon2id outside the event loop, and refused when they are easy to guess.

Hash parameters: OWASP, Password Storage cheat sheet (m=19 MiB, t=2, p=1). The check for guessable passwords is a
blocklist (NIST SP 800-63B, 3.1.1.2) whose work grows with the length of the password only: zxcvbn's own scoring took
18 seconds for one hostile password of 62 characters.
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dynamic_api.core.errors import Busy
from sitegen.catalog.words import Sentence

SHORTEST = 10
LONGEST = 200

# Each check takes 19 MiB and some 25 ms of a core: two at a time leave room for everybody else, and a whole class that
# signs in at once waits about a second.
_AT_ONCE = 2
MOST_WAITING = 60

_BCRYPT = "$2"
_SEQUENCES = "abcdefghijklmnopqrstuvwxyz 01234567890123456789 qwertyuiop asdfghjkl zxcvbnm qwertzuiop azertyuiop"
# A sign may stand for either of two letters; two fixed readings are enough for what people really do.
_SIGNS = "@430!1$57+8|69"
_READINGS = (str.maketrans(_SIGNS, "aaeoilssttblgg"), str.maketrans(_SIGNS, "aaeolissttblgg"))
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")


class Passwords:
    """Hashes and verifies passwords, two at a time."""

    def __init__(self, hasher: PasswordHasher | None = None, *, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._nobodys_hash: str | None = None

    async def hash(self, password: str) -> str:
        """The stored form. Raises Busy."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is right. Takes as long when there is no hash to compare with. Raises Busy."""
        async with self._turn():
            return await asyncio.to_thread(self._verify, stored, password) and stored is not None

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for one's turn; a queue that is too long helps nobody in it."""
        if self._waiting >= self._most_waiting:
            raise Busy
        self._waiting += 1
        try:
            async with self._slots:
                yield
        finally:
            self._waiting -= 1

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return stored.startswith(_BCRYPT) or self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str | None, password: str) -> bool:
        if stored is None:
            self._nobodys_hash = self._nobodys_hash or self._hasher.hash("nobody's password")
        if stored is not None and stored.startswith(_BCRYPT):
            return _is_bcrypt_of(stored, password)
        try:
            return self._hasher.verify(stored or self._nobodys_hash or "", password)
        except (VerificationError, InvalidHashError):
            return False


def _is_bcrypt_of(stored: str, password: str) -> bool:
    """Hashes that were imported from PHP, which uses the first 72 bytes of a password, and nothing after a NUL."""
    try:
        return bcrypt.checkpw(password.encode().partition(b"\0")[0][:72], stored.encode())
    except ValueError:
        return False


def password_faults(password: str, *, email: str) -> list[str]:
    """Why a password is refused, in sentences; empty when it is accepted. Asks no third party."""
    if len(password) < SHORTEST:
        return [Sentence("Use at least {count} characters.", count=SHORTEST)]
    if len(password) > LONGEST:
        return [Sentence("Use at most {count} characters.", count=LONGEST)]
    if is_guessable(password, about=re.split(r"[@.]", email)):
        return [Sentence("This password is easy to guess. Please choose another.")]
    return []


def is_guessable(password: str, *, about: list[str]) -> bool:
    """Whether it is a common password, word or name, a sequence or a repetition, with the usual decorations.

    `about` are words that a guesser would try for this person.
    """
    plain = unicodedata.normalize("NFKC", password).casefold()
    # Signs at the ends are decoration, and may be letters as well: "!!pa$$word!!", "$ilverware".
    ends_removed = {plain, _ENDS.sub("", plain)}
    readings = ends_removed | {each.translate(reading) for each in ends_removed for reading in _READINGS}
    readings |= {_ENDS.sub("", reading) for reading in readings}
    personal = {word.casefold() for word in about if len(word) >= 3}
    return any(
        reading in load_common_passwords()
        or _is_sequence(reading)
        or _is_repetition(reading)
        or _is_personal(reading, personal)
        for reading in readings
    )


def _is_sequence(text: str) -> bool:
    """`abcdefghij`, `9876543210`, `qwertyuiop`; also followed by a few other characters."""
    head = text[: max(6, len(text) - 3)]
    return len(head) >= 6 and (head in _SEQUENCES or head[::-1] in _SEQUENCES)


def _is_repetition(text: str) -> bool:
    """`aaaaaaaaaa`, `lalalalala`, `passwordpassword`."""
    repeated = (text + text).find(text, 1, -1) if text else -1
    return repeated != -1 and (repeated <= 4 or text[:repeated] in load_common_passwords())


def _is_personal(text: str, personal: set[str]) -> bool:
    for word in sorted(personal, key=len, reverse=True):
        text = text.replace(word, "")
    return len(_ENDS.sub("", text)) < 4


@cache
def load_common_passwords() -> frozenset[str]:
    """The passwords, words and names people choose, from the lists that zxcvbn ships."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # 800 kB, which commands do without

    return frozenset(word for words in FREQUENCY_LISTS.values() for word in words if len(word) >= 4)
