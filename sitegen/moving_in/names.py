"""Slugs and ids for what comes from elsewhere; the same name gives the same ones at every import."""

import hashlib
import re
import unicodedata

from sitegen.catalog.slugs import LONGEST, is_slug


def slug_for(name: str) -> str:
    """A name as a part of an address, in its own script; numbers in front are left out where words follow."""
    text = unicodedata.normalize("NFC", name).lower()
    words = "".join(sign if unicodedata.category(sign)[0] in "LMN" else "-" for sign in text)
    words = re.sub(r"-+", "-", words).strip("-")
    words = re.sub(r"^\d+-(?=.*[^\d-])", "", words)[:LONGEST].strip("-")
    return words if is_slug(words) else f"part-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def id_for(course: str, key: str, slug: str) -> str:
    """An id: the course's and the slug where that is plain, or else a digest of the key."""
    plain = f"{course}-{slug}"
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", plain) and len(plain) <= LONGEST:
        return plain
    base = course if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", course) else "c" + _digest(course)
    return f"{base[:40].strip('-')}-{_digest(key)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]
