"""Passwords: what is refused, what is stored, and that both take as long for everybody."""

import asyncio
import random
import string
import time

import pytest
from argon2 import PasswordHasher

from dynamic_api.core.errors import Busy
from dynamic_api.core.passwords import LONGEST, MOST_WAITING, SHORTEST, Passwords, password_faults

EMAIL = "margaret.oven@bakery.example"


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("a" * (SHORTEST - 1), f"Use at least {SHORTEST} characters."),
        ("loaves and fishes " * 12, f"Use at most {LONGEST} characters."),
        *[(guessable, "This password is easy to guess. Please choose another.") for guessable in (
            "1234567890", "9876543210", "abcdefghij", "qwertyuiop", "qwertyuiop12", "aaaaaaaaaa", "lalalalala",
            "poiuytrewq", "qwertyuio!#%", "x7Kq" * 3, "passwordpassword", "P@ssw0rd2026!", "baseball2024",
            "Pa$$word12!!", "!!!password!!!", "margaret123", "Margaret2026", "bakery-oven-1", "１２３４５６７８９０",
        )],
    ],
)  # fmt: skip
def test_refused(password: str, fault: str) -> None:
    assert password_faults(password, email=EMAIL) == [fault]


@pytest.mark.parametrize(
    "password",
    [
        "a loaf on every table",
        "x7Kqm" * 2,  # a repetition of more than four characters is nothing that everybody tries
        "correct horse battery",
        "Gefüllte Paprika",
        "パンを焼くのが大好きです",
        "b" * 3 + "Lr0vqTz",
        "margaret bakes rye",
    ],
)
def test_accepted(password: str) -> None:
    assert password_faults(password, email=EMAIL) == []


def test_the_longest_is_accepted_and_short_names_count() -> None:
    longest = ("a loaf on every table, " * 9)[:LONGEST]
    assert password_faults(longest, email=EMAIL) == []
    assert password_faults(longest + "s", email=EMAIL) != []
    assert password_faults("kim2026kim!!", email="kim@bakery.example") != []
    assert password_faults("kim bakes rye", email="kim@bakery.example") == []


def test_nobodys_hostile_password_takes_long() -> None:
    """The work grows with the length alone, however the characters are chosen."""
    drawn = random.Random(7)  # noqa: S311 - a sample
    hostile = ["".join(drawn.choices(letters, k=LONGEST)) for letters in ("ab", "01", string.printable, "pas5w0rd@$")]
    hostile += ["password" * 25, "qwerty" * 33, "@430!1$57+8|69" * 14]
    before = time.thread_time()
    for password in hostile:
        password_faults(password, email=EMAIL)
    assert time.thread_time() - before < 1


async def test_only_the_right_password_matches_and_no_hash_never_does() -> None:
    passwords = Passwords()
    stored = await passwords.hash("a loaf on every table")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.matches(stored, "a loaf on every table")
    assert not await passwords.matches(stored, "a loaf on every tabl")
    assert not await passwords.matches(None, "nobody's password")
    assert not await passwords.matches("not a hash", "a loaf on every table")
    assert not passwords.is_outdated(stored)
    assert passwords.is_outdated(stored.replace("t=2", "t=1"))


async def test_two_are_hashed_at_a_time() -> None:
    """A burst of sign-ins takes two threads and 38 MiB, and leaves the other cores and threads to everybody else."""
    busy, most = 0, 0

    class Counting(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            time.sleep(0.002)  # so that others could begin
            busy -= 1
            return str(password)

    passwords = Passwords(Counting())
    await asyncio.gather(*(passwords.hash(str(number)) for number in range(8)))
    assert most == 2


async def test_a_queue_that_is_too_long_is_refused_and_a_class_is_not() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    class_room = [asyncio.create_task(passwords.matches(None, "x")) for _ in range(40)]
    crowd = [asyncio.create_task(passwords.matches(None, "x")) for _ in range(MOST_WAITING - 40)]
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refused:
        await passwords.matches(None, "x")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "3")
    assert await asyncio.gather(*class_room, *crowd) == [False] * MOST_WAITING
    assert await passwords.matches(None, "x") is False
