"""The sentences of pages, messages and refusals, in the reader's language.

English is in the code and the templates. Another language is a gettext catalogue: `locales/<language>.po` beside this
file, and `locales/<language>.po` of a school's theme, which adds to it or replaces single sentences.
"""

import gettext
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import StringIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from markupsafe import Markup, escape

LOCALES = Path(__file__).parent / "locales"
ENGLISH = "en"
_LINE = re.compile(r'\s*(?:#.*|(?:(?:msgid|msgid_plural|msgctxt|msgstr(?:\[\d\])?)\s*)?"(?:[^"\\]|\\.)*"\s*)?')
_PLACE = re.compile(r"\{(\w+)\}")

Forms = tuple[str, ...]  # one sentence, or one for each plural form of the language


class Sentence(str):
    """A sentence in English that knows what it was made of, so that it can be said in another language later.

    `Sentence("Use at most {count} characters.", count=5)` is the text “Use at most 5 characters.”
    """

    source: str
    many: str | None
    values: Mapping[str, object]

    def __new__(cls, source: str, *, many: str | None = None, **values: object) -> "Sentence":
        """`many` is the sentence for any number but one; the number is `count`."""
        chosen = many if many is not None and values["count"] != 1 else source
        made = super().__new__(cls, _filled(chosen, values))
        made.source, made.many, made.values = source, many, values
        return made

    @classmethod
    def counted(cls, one: str, many: str, count: int, **values: object) -> "Sentence":
        """The sentence for so many."""
        return cls(one, many=many, count=count, **values)


class WordsUnreadable(Exception):
    """A file that is no gettext catalogue."""

    remedy = "Run “msgfmt --check” on it, or take the line out."

    def __init__(self, path: Path, line: int, problem: str) -> None:
        self.path, self.line = path, line
        super().__init__(f"This is not a gettext catalogue: {problem}")


@dataclass(frozen=True)
class Words:
    """One language. Called with an English sentence, it gives the sentence in that language, its `{names}` filled in.

    `missing` collects what was asked for and has no translation.
    """

    language: str
    known: Mapping[str, Forms]
    missing: set[str] = field(default_factory=set, compare=False)
    page_language: str = ""  # of the page they stand on, where nobody translated them into that

    def on_page_in(self, language: str) -> "Words":
        """The same sentences on a page in a language that has none."""
        return replace(self, page_language=language, missing=set())

    def __call__(self, sentence: str, **values: object) -> str:
        """The sentence. It is safe HTML when one of the values is; the others are escaped then."""
        return _filled(self._forms(sentence, 1)[0], values)

    def plural(self, one: str, many: str, count: int, **values: object) -> str:
        """The sentence for so many; `{count}` is the number."""
        forms = self.known.get(one)
        if forms is None:
            self._note(one)
            chosen = one if count == 1 else many
        else:
            chosen = forms[min(_plural_form(self.language)(count), len(forms) - 1)]
        return _filled(chosen, {"count": count, **values})

    def in_own(self, sentence: str) -> str:
        """A sentence that was made in English, values and all."""
        if not isinstance(sentence, Sentence):
            return self(sentence)
        values = {
            name: self.in_own(each) if isinstance(each, Sentence) else each for name, each in sentence.values.items()
        }
        if sentence.many is None:
            return self(sentence.source, **values)
        return self.plural(sentence.source, sentence.many, **values)  # type: ignore[arg-type]  # `count` is among them

    @property
    def locale(self) -> Locale:
        """For numbers, dates and names of languages."""
        return locale_of(self.language)

    @property
    def is_right_to_left(self) -> bool:
        """Whether the language is written from right to left."""
        return self.locale.text_direction == "rtl"

    @property
    def is_english(self) -> bool:
        """Whether the code's own sentences are meant."""
        return self.language.partition("-")[0] == ENGLISH

    def _forms(self, sentence: str, count: int) -> Forms:
        forms = self.known.get(sentence)
        if forms is None or self.page_language:
            self._note(sentence)
        return forms or (sentence,) * count

    def _note(self, sentence: str) -> None:
        if self.page_language or not self.is_english:
            self.missing.add(sentence)


def words_of(language: str, own: Mapping[str, Mapping[str, Forms]] | None = None) -> Words:
    """The words of a language; `own` are a school's, by language."""
    known = dict(_product(language))
    for name in _fallbacks(language):
        known.update((own or {}).get(name, {}))
    return Words(language, known)


def read_words(folders: Iterable[Path], languages: Iterable[str]) -> dict[str, dict[str, Forms]]:
    """What these folders of catalogues, the last one first, say in these languages. Raises WordsUnreadable."""
    found: dict[str, dict[str, Forms]] = {}
    places = list(folders)[::-1]
    for language in languages:
        for name in _fallbacks(language):
            for folder in places:
                if (path := folder / f"{name}.po").is_file():
                    found.setdefault(name, {}).update(read_catalogue(path))
    return found


def read_catalogue(path: Path) -> dict[str, Forms]:
    """Sentence → its translation, or its plural forms; what is not translated is left out. Raises WordsUnreadable."""
    from babel.messages.pofile import PoFileError, read_po  # takes 50 ms, and English needs none

    try:
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            if not _LINE.fullmatch(line):  # Babel reads on, and takes the rest for something else
                raise WordsUnreadable(path, number, "this line has no keyword, or a quote is not closed")
        catalogue = read_po(StringIO(text), abort_invalid=True)
    except (PoFileError, UnicodeError, ValueError) as error:
        raise WordsUnreadable(path, (getattr(error, "lineno", None) or 0) + 1, str(error)) from error
    known = {}
    for message in catalogue:
        key = message.id if isinstance(message.id, str) else message.id[0]
        forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        if key and forms and all(forms) and not message.fuzzy:
            known[key] = forms
    return known


def languages_of_product() -> tuple[str, ...]:
    """The languages that this program itself has, English first."""
    return (ENGLISH, *sorted(path.stem for path in LOCALES.glob("*.po")))


def is_language(name: str) -> bool:
    """Whether it is known how numbers and dates are written in it."""
    try:
        locale_of(name)
    except (ValueError, LookupError):
        return False
    return True


@lru_cache
def locale_of(language: str) -> Locale:
    """Raises ValueError or LookupError where nothing is known about the language."""
    try:
        return Locale.parse(language, sep="-")
    except UnknownLocaleError as error:
        raise LookupError(str(error)) from error


def _filled(sentence: str, values: Mapping[str, object]) -> str:
    if not values:
        return sentence
    if any(hasattr(value, "__html__") for value in values.values()):
        found = {name: escape(value) for name, value in values.items()}
        return Markup(_PLACE.sub(lambda place: str(found.get(place[1], place[0])), str(escape(sentence))))  # noqa: S704 - escaped above
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), sentence)


def _fallbacks(language: str) -> Sequence[str]:
    """`de-AT` → de, de-AT: what is more special comes last."""
    general = language.partition("-")[0]
    return (general,) if general == language else (general, language)


@lru_cache
def _product(language: str) -> Mapping[str, Forms]:
    return {key: forms for each in read_words([LOCALES], [language]).values() for key, forms in each.items()}


@lru_cache
def _plural_form(language: str) -> Callable[[int], int]:
    """Which of the forms a number takes."""
    from babel.messages.plurals import get_plural

    return gettext.c2py(get_plural(locale_of(language)).plural_expr)
