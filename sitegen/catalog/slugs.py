"""The last part of an address, in any script: words of letters and digits, joined by single hyphens.

One address has one spelling: there are no capital letters, and letters are composed (Unicode's form NFC), as names from
a Mac are not.
"""

import hashlib
import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

HOW = "Use lower-case letters of any script, digits and single hyphens, such as “first-steps”."
LONGEST = 64  # letters, as in the service's database
_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 240  # bytes; a folder's name has at most 255


def is_slug(value: str) -> bool:
    """Whether it can be part of an address."""
    fits = 0 < len(value) <= LONGEST and len(value.encode("utf-8", "surrogateescape")) <= _LONGEST_NAME
    composed = unicodedata.normalize("NFC", value).lower() == value
    return fits and composed and all(_is_word(part) for part in value.split("-"))


def _is_word(part: str) -> bool:
    """Letters, the marks that belong to them, and digits; at least one, and no mark at the beginning."""
    kinds = [unicodedata.category(sign)[0] for sign in part]
    return bool(kinds) and kinds[0] != "M" and set(kinds) <= {"L", "M", "N"}


def slug_of(written: str | None, name: str) -> str:
    """What a file says, or else its name, or its folder's, in one spelling."""
    return written or unicodedata.normalize("NFC", name)


def id_for(course: str, part: str = "", *, key: str = "") -> str:
    """An id, which is plain letters: of slugs where they are, or else of a digest of `key`, or of the part itself."""
    plain = f"{course}-{part}" if part else course
    if _PLAIN.fullmatch(plain) and len(plain) <= LONGEST:
        return plain
    base = course if _PLAIN.fullmatch(course) else f"c{_digest(course)}"
    return f"{base[:40].strip('-')}-{_digest(key or part)}" if part else base


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _check(value: str) -> str:
    if not is_slug(value):
        raise ValueError(HOW[0].lower() + HOW[1:-1])
    return value


Slug = Annotated[
    str,
    AfterValidator(_check),
    Field(max_length=LONGEST),
    WithJsonSchema({"type": "string", "maxLength": LONGEST, "pattern": r"^[^\sA-Z/?#%.]+$"}),
]
