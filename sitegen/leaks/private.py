"""What must not be in a public site: values, files, and texts that people pay for."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sitegen.catalog.captions import parse_vtt
from sitegen.catalog.model import Catalog, Course, Lesson, Resource
from sitegen.leaks.licences import LICENCES
from sitegen.leaks.words import Words, passages, shingles, words_of

SAMPLE = 32  # bytes; as long as no two files share by chance
_MOST_SAMPLES = 256
_SMALL, _SHORT = 2 * 1024, 32 * 1024  # bytes
_SHARE, _SHARE_OF_SHORT, _LARGE_PIECE = 0.25, 0.5, 256 * 1024
_STRONG = 32  # bits; a shorter value may stand in any text
_CODE = re.compile(r"<pre\b.*?</pre>", re.S)


@dataclass(frozen=True)
class PaidText:
    """One text of one lesson, as words. Code is held to other measures, since there are few ways to write it."""

    what: str
    lesson: str
    words: Words
    is_code: bool = False


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
    texts: list[PaidText] = field(default_factory=list)
    allowed: set[Words] = field(default_factory=set)


def private_parts(catalog: Catalog, files: Iterable[tuple[Path, str]] = (), trusted: Iterable[str] = ()) -> Private:
    """What this catalogue keeps private.

    `files` are paid files on this disk, each with what to call it. `trusted` are texts that are public on purpose: the
    theme's, and the school's own pages.
    """
    private = Private()
    for course in catalog.courses:
        _add_course(private, course)
    for path, what in files:
        if sampled := _sampled(path, what):
            private.files.append(sampled)
    for text in (*trusted, *_public_lines(catalog), *LICENCES):
        for passage in passages(text):
            private.allowed.update(shingles(words_of(passage)))
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


def _add_course(private: Private, course: Course) -> None:
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
            if not (course.is_open and lesson.published and lesson.preview):
                private.texts += _texts(lesson)


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
