"""Which sentences there are to translate, and how far a language is: gettext catalogues are written and compared.

`_("…")`, `n_("…", "…", n)` and `Sentence("…")` mark sentences in Python and in templates, `t("…")` in scripts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po
from jinja2.ext import babel_extract

from sitegen.catalog.words import Forms, read_catalogue
from sitegen.site.assets import sentences_of_script

PYTHON = {"_": None, "say": None, "Sentence": None, "plural": (1, 2), "counted": (1, 2)}
TEMPLATES = {"_": None, "n_": (1, 2)}
_IN_PYTHON = ("_(", "say(", "Sentence(", ".plural(", ".counted(")


@dataclass
class Sentences:
    """Every sentence with the places where it is said: sentence → files, and its plural where it has one."""

    places: dict[str, list[str]] = field(default_factory=dict)
    plurals: dict[str, str] = field(default_factory=dict)

    def add(self, message: str | tuple[str, ...], place: str) -> None:
        """One that was found."""
        one = message if isinstance(message, str) else message[0]
        if not isinstance(message, str) and len(message) > 1 and message[1]:
            self.plurals[one] = message[1]
        if place not in self.places.setdefault(one, []):
            self.places[one].append(place)


def find_sentences(themes: Iterable[Path], packages: Iterable[Path] = ()) -> Sentences:
    """What templates and scripts of these themes and modules of these packages say."""
    found = Sentences()
    for theme in themes:
        for path in sorted((theme / "templates").rglob("*.html")):
            _extract(found, path, theme.parent, babel_extract, TEMPLATES)
        for path in sorted((theme / "static" / "js").glob("*.js")):
            for sentence in sentences_of_script(path.read_text(encoding="utf-8")):
                found.add(sentence, path.relative_to(theme.parent).as_posix())
    for package in packages:
        for path in sorted(path for path in package.rglob("*.py") if "commands" not in path.parts):
            if any(mark in path.read_text(encoding="utf-8") for mark in _IN_PYTHON):
                _extract(found, path, package.parent, "python", PYTHON)
        for path in sorted(package.rglob("templates/message.*")):
            _extract(found, path, package.parent, babel_extract, TEMPLATES)
    return found


def updated(
    path: Path, language: str, sentences: Sentences, *, name: str, known: Mapping[str, Forms] | None = None
) -> bytes:
    """The catalogue with every sentence: translations are kept, what nobody says any more is left out, and `known`
    fills in what has none. Raises WordsUnreadable."""
    old = read_catalogue(path) if path.is_file() else {}
    catalogue = Catalog(locale=language.replace("-", "_"), project=name, charset="utf-8", creation_date=_NO_MOMENT)
    catalogue.revision_date = _NO_MOMENT
    catalogue.header_comment = f"# {name} in {catalogue.locale.english_name if catalogue.locale else language}."
    for sentence, places in sorted(sentences.places.items()):
        plural = sentences.plurals.get(sentence)
        forms = old.get(sentence) or (known or {}).get(sentence) or ()
        catalogue.add(
            (sentence, plural) if plural else sentence,
            forms if plural else (forms or ("",))[0],
            locations=[(place, 0) for place in places],
        )
    content = BytesIO()
    write_po(content, catalogue, width=0, include_lineno=False, sort_output=True)
    return _HEADER.sub(b"", content.getvalue())


def missing_in(known: Mapping[str, object], sentences: Sentences) -> list[tuple[str, str]]:
    """What has no translation, with the first place where it is said."""
    return [(places[0], sentence) for sentence, places in sentences.places.items() if sentence not in known]


# Babel writes these though nobody filled them in.
_HEADER = re.compile(
    rb'^#, fuzzy\n|^"(?:Report-Msgid|Last-Trans|Language-Team|POT-|PO-Rev|Generated|Project)[^\n]*\n', re.M
)
_NO_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)  # the same sentences are the same bytes


def _extract(found: Sentences, path: Path, root: Path, method: object, keywords: Mapping[str, object]) -> None:
    place = path.relative_to(root).as_posix()
    with path.open("rb") as file:
        # Babel's types know neither a function as a method nor a tuple of numbers.
        for _, message, _, _ in extract(method, file, keywords=keywords):  # type: ignore[arg-type]
            for text in _messages(message):
                found.add(text, place)


def _messages(message: str | tuple[str, ...]) -> Iterator[str | tuple[str, ...]]:
    if message and message != ("",):
        yield message
