"""Looks for private parts in the files of a site, in time that grows with the site, and not with what is private.

Pages repeat each other's lines, so each longer line is looked at once. Values and pieces of files are found in one pass
by an automaton (Aho-Corasick). For texts, every run of five words of the site goes into one set of numbers, against
which each paid text is held; only where they meet is it worth finding out where, and how much.

A file that was looked at before is not looked at again while what is private is the same values and files; its words
stay in the set. So do those of files that are gone: they only make a text worth looking into.
"""

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from ahocorasick_rs import BytesAhoCorasick

from sitegen.folders import names_below
from sitegen.kept import NOTHING_KEPT, Kept, key_of
from sitegen.leaks.judge import FORMULA, judge, may_matter
from sitegen.leaks.private import PaidText, Private
from sitegen.leaks.views import bytes_of, hidden, plain, text_of
from sitegen.leaks.words import SHINGLE, Marks, Words, marks, passages, shingles, spoken, words_of
from sitegen.parallel import spread

_LONG_LINE = 40  # characters; a shorter line may be part of a text that has one word a line
_TAG = re.compile(r"<[^<>]*>")
# Deleted before values are looked for: an id is letters and digits, a key may be joined from two strings.
_NOT_OF_ID = bytes(sign for sign in range(128) if not chr(sign).isalnum())
_NOT_OF_KEY = b" \t\r\n\"'+"
_SHOWN_WORDS = 14
_KEPT = "public-words"
_OFTEN = 3  # times that a file is looked at before all of them are looked at anew
_MANY = 100  # files; fewer are looked at before a process is copied


@dataclass(frozen=True, order=True)
class Leak:
    """Something private in a public file. `words` are the creator's own; a value is never shown.

    `written` is the place in the school's files that it comes from, where that is known.
    """

    file: Path
    line: int
    what: str
    words: str = ""
    written: str = ""

    def __str__(self) -> str:
        quoted = f": “{self.words}”" if self.words else ""
        if not self.written:
            return f"{self.file}:{self.line}: contains {self.what}{quoted}"
        return f"{self.written}: contains {self.what}{quoted} (on the page {self.file}, line {self.line})"


@dataclass
class Findings:
    """What was found. A site with something in `refused` must not be published; `told` may be quotations."""

    refused: list[Leak] = field(default_factory=list)
    told: list[Leak] = field(default_factory=list)


class FolderFiles(Mapping[str, bytes]):
    """The files below a folder by name; each is read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = names_below(folder)

    def __getitem__(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def find_leaks(files: Mapping[str, bytes], private: Private, kept: Kept = NOTHING_KEPT) -> Findings:
    """Search every file of a site, whatever its type, and its name. `kept` knows files that had nothing."""
    search = _Search(private)
    key = key_of(private.ids, private.keys, private.files)
    known = kept.get(_KEPT, key)
    before = known if isinstance(known, _Looked) and known.looked < _OFTEN * len(files) else _Looked()
    digests = {name: blake2b(f"{name}\0".encode() + files[name], digest_size=16).digest() for name in files}
    fresh = [name for name, digest in digests.items() if digest not in before.clean]

    def look(part: Sequence[str]) -> tuple[Marks, list[Leak]]:
        one = _Search(private)
        for name in part:
            one.look_at(Path(name), files[name])
        return array("q", one.public), one.leaks

    search.public.update(before.public)
    for public, leaks in spread(look, fresh, is_large=len(fresh) >= _MANY):
        search.public.update(public)
        search.leaks += leaks
    if fresh and not search.leaks:
        looked = _Looked(frozenset(digests.values()), array("q", search.public), before.looked + len(fresh))
        kept.put(_KEPT, key, looked)
    found = Findings(refused=search.leaks)
    for text, file, line, run, refused in search.texts(files):
        words = spoken(run[:_SHOWN_WORDS]) + (" …" if len(run) > _SHOWN_WORDS else "")
        (found.refused if refused else found.told).append(Leak(file, line, text.what, words))
    found.refused = _once(found.refused)
    found.told = _once(found.told)
    return found


@dataclass(frozen=True)
class _Looked:
    """The files that had no private value and no piece of a file, and the marks of what they say.

    `looked` is how many were looked at since there was nothing: the marks of files that are gone add up.
    """

    clean: frozenset[bytes] = frozenset()
    public: Marks = field(default_factory=lambda: array("q"))
    looked: int = 0


def _once(leaks: Iterable[Leak]) -> list[Leak]:
    """Each text once: what a page says is in the feed as well."""
    ordered = sorted(leaks, key=lambda leak: (leak.file.suffix == ".atom", leak), reverse=True)
    return sorted({(leak.what, leak.words or str(leak.file)): leak for leak in ordered}.values())


class _Search:
    """One run over a site."""

    def __init__(self, private: Private) -> None:
        self.private = private
        self.leaks: list[Leak] = []
        self._lines: set[str] = set()
        self.public: set[int] = set()  # marks of shingles
        self._values = [*((_id(each), what) for each, what in private.ids.items())]
        self._values += [(each[::-1], what) for each, what in self._values]
        self._keys = [(_key(each), what) for each, what in private.keys.items()]
        raw = [(bytes.fromhex(each), what) for each, what in private.ids.items() if _is_hex(each)]
        self._raw = raw
        self._samples = [(number, piece) for number, file in enumerate(private.files) for piece in file.samples]

    @cached_property
    def _bytes(self) -> BytesAhoCorasick:
        return BytesAhoCorasick([*(value for value, _ in self._raw), *(piece for _, piece in self._samples)])

    @cached_property
    def _id_automaton(self) -> BytesAhoCorasick:
        return BytesAhoCorasick([value for value, _ in self._values])

    @cached_property
    def _key_automaton(self) -> BytesAhoCorasick:
        return BytesAhoCorasick([value for value, _ in self._keys])

    def look_at(self, name: Path, content: bytes) -> None:
        """Search one file for values and files, and keep its words."""
        found: set[tuple[str, str]] = set()
        self._look_at_text(str(name), name, str(name), found)
        for view in bytes_of(content):
            self._look_at_bytes(view, name)
            text = text_of(view)
            fresh = self._fresh_lines(text)
            if fresh:
                self._look_at_text(fresh, name, text, found)

    def _fresh_lines(self, text: str) -> str:
        lines = [line for line in text.split("\n") if len(line) < _LONG_LINE or line not in self._lines]
        self._lines.update(line for line in lines if len(line) >= _LONG_LINE)
        return "\n".join(lines)

    def _look_at_bytes(self, content: bytes, name: Path) -> None:
        hits: dict[int, set[bytes]] = {}
        for index, _, _ in self._bytes.find_matches_as_indexes(content, overlapping=True):
            if index < len(self._raw):
                self._add(Leak(name, 1, self._raw[index][1]))
            else:
                number, piece = self._samples[index - len(self._raw)]
                hits.setdefault(number, set()).add(piece)
        for number, pieces in hits.items():
            paid = self.private.files[number]
            if len(pieces) >= paid.enough:
                self._add(Leak(name, 1, paid.what))

    def _look_at_text(self, text: str, name: Path, whole: str, found: set[tuple[str, str]]) -> None:
        readable = plain(text)
        self._look_for_values(readable, name, whole, found)
        for passage in passages(readable):
            self.public.update(marks(words_of(passage)))
        for run in hidden(readable):
            for view in bytes_of(run):
                self._look_at_bytes(view, name)
                inner = plain(text_of(view))
                self._look_for_values(inner, name, whole, found)
                self.public.update(marks(words_of(inner)))

    def _look_for_values(self, text: str, name: Path, whole: str, found: set[tuple[str, str]]) -> None:
        bare = _TAG.sub("", text) if "<" in text else text
        for values, automaton, spelling in (
            (self._values, self._id_automaton, _id),
            (self._keys, self._key_automaton, _key),
        ):
            for view in {spelling(text), spelling(bare)}:
                for index, _, _ in automaton.find_matches_as_indexes(view, overlapping=True):
                    value, what = values[index]
                    if (str(name), what) not in found:
                        found.add((str(name), what))
                        self._add(Leak(name, _line_of(whole, value, spelling), what))

    def _add(self, leak: Leak) -> None:
        if not any(other.file == leak.file and other.what == leak.what for other in self.leaks):
            self.leaks.append(leak)

    def texts(self, files: Mapping[str, bytes]) -> Iterator[tuple[PaidText, Path, int, Words, bool]]:
        """Every paid text that a file repeats, with the file, the line, the words, and whether it is refused."""
        public = self.public - self.private.allowed
        marked = [
            (course, number, kept, public.intersection(kept.marks))
            for course in self.private.courses
            for number, kept in enumerate(course.marked)
        ]
        repeated_marks = _repeated((kept.lesson, found) for _, _, kept, found in marked)
        texts, hits, repeated = {}, {}, set()
        for n, (course, number, kept, found) in enumerate(marked):
            if may_matter(kept, found, repeated_marks):
                texts[n] = course.texts[number]
                pairs = list(zip(shingles(texts[n].words), kept.marks, strict=True))
                hits[n] = {shingle for shingle, mark in pairs if mark in found}
                repeated |= {shingle for shingle, mark in pairs if mark in repeated_marks}
        # What all files together have says more than any of them alone: what means nothing here is no leak there.
        suspects = {n: texts[n] for n in hits if judge(texts[n], hits[n], repeated)}
        owners: dict[Words, list[int]] = {}  # which suspects have a shingle
        for number in suspects:
            for each in hits[number]:
                owners.setdefault(each, []).append(number)
        for name, content in files.items() if suspects else ():
            lines = list(_lines(content))
            present = {each for words in _flowing(lines) for each in shingles(words) if each in owners}
            for number in _possible(present, repeated, owners):
                text = suspects[number]
                verdict = judge(text, present, repeated)
                if verdict:
                    line = _line_of_words(lines, verdict.run)
                    yield text, Path(name), line, verdict.run, verdict.refused


def _repeated(found: Iterable[tuple[str, set[int]]]) -> set[int]:
    """The marks that several lessons have, from those of each text."""
    first: dict[int, str] = {}
    repeated: set[int] = set()
    for lesson, marks_of_text in found:
        repeated.update(each for each in marks_of_text if first.setdefault(each, lesson) != lesson)
    return repeated


def _possible(present: set[Words], repeated: set[Words], owners: Mapping[Words, list[int]]) -> list[int]:
    """The suspects that a page can repeat: with words of their own, or with enough of a formula.

    A formula of a school's is in every lesson; to judge each of them for each page would take minutes.
    """
    formula = Counter(number for each in present & repeated for number in owners[each])
    own = {number for each in present - repeated for number in owners[each]}
    return sorted(own | {number for number, count in formula.items() if count > FORMULA - SHINGLE})


def _lines(content: bytes) -> Iterator[str]:
    """Every line of every view of a file; what is hidden in a line stands after it."""
    for view in bytes_of(content):
        readable = plain(text_of(view))
        yield from readable.split("\n")
        for run in hidden(readable):
            for inner in bytes_of(run):
                yield from plain(text_of(inner)).split("\n")


def _flowing(lines: Iterable[str]) -> Iterator[Words]:
    for passage in passages("\n".join(lines)):
        yield words_of(passage)


def _line_of_words(lines: list[str], run: Words) -> int:
    """Where the run begins: the first line whose words, with those of the lines after it, begin with it."""
    opening = " ".join(run[:3])
    for number, line in enumerate(lines, start=1):
        if opening in " ".join(words_of(_TAG.sub(" ", line))):
            return number
    return 1


def _line_of(text: str, value: bytes, spelling: Callable[[str], bytes]) -> int:
    for number, line in enumerate(text.split("\n"), start=1):
        if value in spelling(plain(line)):
            return number
    return 1


def _id(text: str) -> bytes:
    return text.encode("ascii", "ignore").lower().translate(None, _NOT_OF_ID)


def _key(text: str) -> bytes:
    return text.casefold().encode("utf-8", "ignore").translate(None, _NOT_OF_KEY)


def _is_hex(value: str) -> bool:
    return len(value) % 2 == 0 and re.fullmatch(r"[0-9a-f]+", value) is not None
