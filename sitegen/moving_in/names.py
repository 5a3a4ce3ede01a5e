"""Slugs for what comes from elsewhere; the same name gives the same one at every import."""

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
