"""What must not be in a public site: values, files, and texts that people pay for."""

import hashlib
import math
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from sitegen.catalog.captions import parse_vtt
from sitegen.catalog.model import Catalog, Course, Lesson, Resource
from sitegen.kept import NOTHING_KEPT, Kept, key_of
from sitegen.leaks.licences import LICENCES
from sitegen.leaks.words import Marks, Words, has_signs, marks, passages, words_of
from sitegen.parallel import spread

SAMPLE = 32  # bytes; as long as no two files share by chance
_MOST_SAMPLES = 256
_SMALL, _SHORT = 2 * 1024, 32 * 1024  # bytes
_SHARE, _SHARE_OF_SHORT, _LARGE_PIECE = 0.25, 0.5, 256 * 1024
_STRONG = 32  # bits; a shorter value may stand in any text
_MANY = 4  # courses; to copy a process takes as long as to read the words of some
_CODE = re.compile(r"<pre\b.*?</pre>", re.S)


@dataclass(frozen=True)
class PaidText:
    """One text of one lesson, as words. Code is held to other measures, since there are few ways to write it."""

    what: str
    lesson: str
    words: Words
    is_code: bool = False


class TextMarks(NamedTuple):
    """What a build keeps of a paid text: the marks of its shingles in order, and how many words it has."""

    lesson: str
    marks: Marks
    length: int
    has_signs: bool


@dataclass(frozen=True)
class PaidCourse:
    """The paid texts of a course; `marked` and `texts` are in the same order."""

    course: Course
    marked: tuple[TextMarks, ...]

    @cached_property
    def texts(self) -> tuple[PaidText, ...]:
        """The words themselves. They are read only when something public repeats some of them."""
        return tuple(_texts_of(self.course))


@dataclass(frozen=True)
class PaidFile:
    """Pieces of a file. `enough` is how many of them make a leak."""

    what: str
    samples: tuple[bytes, ...]
    enough: int


@dataclass
class Private:
    """Everything that is looked for, and the runs of words that are public on purpose."""

    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    files: list[PaidFile] = field(default_factory=list)
    courses: list[PaidCourse] = field(default_factory=list)
    allowed: set[int] = field(default_factory=set)  # marks of shingles


def private_parts(
    catalog: Catalog,
    files: Iterable[tuple[Path, str]] = (),
    trusted: Iterable[str] = (),
    kept: Kept = NOTHING_KEPT,
) -> Private:
    """What this catalogue keeps private.

    `files` are paid files on this disk, each with what to call it. `trusted` are texts that are public on purpose: the
    theme's, and the school's own pages. `kept` has the marks of courses that did not change.
    """
    private = Private(courses=_paid_courses(catalog.courses, kept))
    for course in catalog.courses:
        _add_values(private, course)
    for path, what in files:
        if sampled := _sampled(path, what):
            private.files.append(sampled)
    for text in (*trusted, *_public_lines(catalog), *LICENCES):
        for passage in passages(text):
            private.allowed.update(marks(words_of(passage)))
    return private


def strength(value: str) -> float:
    """About how many bits a value holds: how unlikely it is that it stands in a text by chance."""
    digits = sum(letter.isdigit() for letter in value)
    letters = sum(letter.isalpha() for letter in value)
    if re.fullmatch(r"[0-9a-f]{16,}", value):
        return 4.0 * len(value)
    return digits * math.log2(10) + letters * 2.0


def short_keys(catalog: Catalog) -> Iterator[tuple[Course, Resource]]:
    """Files whose storage key may stand in any text, so that nobody can look for it."""
    for course in catalog.courses:
        parts = [course.resources, *(module.resources for module in course.modules)]
        parts += [lesson.resources for module in course.modules for lesson in module.lessons]
        yield from ((course, each) for part in parts for each in part if strength(each.key) < _STRONG)


def _paid_courses(courses: Sequence[Course], kept: Kept) -> list[PaidCourse]:
    names = {course.id: (f"words-{key_of(course.id)[:16]}", _digest(course)) for course in courses}
    found = {name: kept.get(*where) for name, where in names.items()}

    def mark(part: Sequence[Course]) -> list[tuple[str, tuple[TextMarks, ...]]]:
        return [(course.id, tuple(map(_marked, _texts_of(course)))) for course in part]

    unknown = [course for course in courses if found[course.id] is None]
    for done in spread(mark, unknown, is_large=len(unknown) >= _MANY):
        for name, marked in done:
            found[name] = marked
            kept.put(*names[name], marked)
    kept.drop_others("words-", (name for name, _ in names.values()))
    return [PaidCourse(course, found[course.id]) for course in courses]  # type: ignore[arg-type]  # as it was put


def _marked(text: PaidText) -> TextMarks:
    return TextMarks(text.lesson, array("q", marks(text.words)), len(text.words), has_signs(text.words))


def _digest(course: Course) -> str:
    """Of everything that the marks are made from."""
    digest = hashlib.sha256()
    for lesson in _paid_lessons(course):
        for text in (lesson.id, lesson.notes_html or "", *(each.vtt for each in lesson.captions)):
            digest.update(f"{len(text)} {text}".encode())
    return digest.hexdigest()


def _paid_lessons(course: Course) -> Iterator[Lesson]:
    for lesson in course.all_lessons:
        if not (course.is_open and lesson.published and lesson.preview):
            yield lesson


def _texts_of(course: Course) -> Iterator[PaidText]:
    return (text for lesson in _paid_lessons(course) for text in _texts(lesson))


def _add_values(private: Private, course: Course) -> None:
    if course.intro_video:
        private.ids[course.intro_video.video] = f"the video id of the introduction of {course.id}"
    _add_keys(private, course.resources)
    for module in course.modules:
        _add_keys(private, module.resources)
        for lesson in module.lessons:
            _add_keys(private, lesson.resources)
            if lesson.video:
                private.ids[lesson.video] = f"the video id of lesson {lesson.id}"
            if lesson.hls and strength(lesson.hls) >= _STRONG:
                private.keys[lesson.hls] = f"the video's folder of lesson {lesson.id}"


def _add_keys(private: Private, resources: Iterable[Resource]) -> None:
    for resource in resources:
        if strength(resource.key) >= _STRONG:
            private.keys[resource.key] = f"the storage key of resource {resource.id}"


def _texts(lesson: Lesson) -> Iterator[PaidText]:
    if lesson.notes_html:
        code = words_of(
            " ".join(" ".join(passages(block, attributes=False)) for block in _CODE.findall(lesson.notes_html))
        )
        prose = words_of(" ".join(passages(_CODE.sub("", lesson.notes_html), attributes=False)))
        what = f"the notes of lesson {lesson.id}"
        yield PaidText(what, lesson.id, prose)
        if code:
            yield PaidText(f"the code in {what}", lesson.id, code, is_code=True)
    for captions in lesson.captions:
        said = " ".join(cue.text for cue in parse_vtt(captions.vtt))
        yield PaidText(f"the captions of lesson {lesson.id}", lesson.id, words_of(said))


def _public_lines(catalog: Catalog) -> Iterator[str]:
    """What the files themselves call public: names, titles, summaries, excerpts, and the notes of free lessons."""
    site = catalog.site
    yield from (site.name, site.tagline, site.description, site.price_note, *site.promises)
    yield from (each.label for each in (*site.menu, *site.footer))
    for course in catalog.courses:
        if not course.is_open:
            continue
        yield from (course.title, course.summary, course.thumbnail_alt, *course.outcomes, *course.requirements)
        yield from (course.price_note or "", *(course.promises or ()))
        yield from (question.question for question in course.questions)
        yield from (each.quote for each in course.testimonials)
        for module in course.modules:
            yield from (module.title, module.summary or "")
            for lesson in module.lessons:
                if lesson.published:
                    yield from (lesson.title, lesson.summary or "", lesson.public_excerpt)
                    if lesson.preview:
                        yield lesson.notes_html or ""  # its captions are looked at: a wrong file is easily named there


def _sampled(path: Path, what: str) -> PaidFile | None:
    """Pieces of the file that say something; None where there are none, as in an empty file."""
    size = path.stat().st_size
    if size < _SMALL:
        whole = path.read_bytes().strip()
        # Small pictures of one kind are nearly the same; such a file is only found whole.
        return PaidFile(what, (whole,), 1) if len(set(whole)) >= SAMPLE // 3 else None
    step = max(2 * SAMPLE, size // _MOST_SAMPLES)
    samples = []
    with path.open("rb") as file:
        for place in range(0, max(size - SAMPLE, 0) + 1, step):
            file.seek(place)
            piece = file.read(SAMPLE)
            if len(set(piece)) >= SAMPLE // 3:  # a run of zeros, or a ruled line, is in many files
                samples.append(piece)
    if not samples:
        return None
    # What programs write at the beginning of their files may be a good part of a short one.
    share = _SHARE_OF_SHORT if size < _SHORT else _SHARE
    enough = max(1, min(math.ceil(share * len(set(samples))), _LARGE_PIECE // step))
    return PaidFile(what, tuple(samples), enough)
