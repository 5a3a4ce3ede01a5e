"""Ids of headings, so that links can lead to a part of a text."""

import re
import unicodedata

# Ids that the theme's own pages use; a heading of that name gets a number.
RESERVED = frozenset(
    {
        "buy",
        "chapters",
        "chapters-title",
        "code",
        "complete",
        "courses",
        "curriculum",
        "decide",
        "downloads",
        "downloads-title",
        "email",
        "instructor",
        "lesson",
        "lesson-message",
        "main",
        "message",
        "network",
        "next-lesson",
        "notes",
        "outcomes",
        "questions",
        "related",
        "requirements",
        "resumed",
        "shortcuts",
        "shortcuts-title",
        "speed",
        "stage",
        "testimonials",
        "title",
        "transcript",
        "transcript-search",
        "transcript-title",
    }
)
_SIGNS = re.compile(r"[^\w\- ]+")


class Anchors:
    """The ids of one text; no two are equal."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def named(self, words: str) -> str:
        """An id made of a heading's words, in any script."""
        base = _SIGNS.sub("", unicodedata.normalize("NFC", words).casefold()).strip().replace(" ", "-") or "part"
        number, name = 0, base
        while name in self.used or name in RESERVED:
            number += 1
            name = f"{base}-{number}"
        self.used.add(name)
        return name

    def own(self, name: str) -> bool:
        """Take an id that the author chose; false where it is taken already."""
        if name in self.used or name in RESERVED:
            return False
        self.used.add(name)
        return True
