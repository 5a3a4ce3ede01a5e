"""Refuses a site that contains paid content.

Every file is searched as it is and decoded (HTML entities, URL escapes, JSON escapes,
base64), for every video id, storage key and piece of paid text. Texts are compared by sequences of words, so
that markup and line breaks hide nothing.
"""

import base64
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from sitegen.catalog.captions import parse_vtt
from sitegen.catalog.model import Catalog, Course, Lesson

RUN = 8  # words in a row that two texts do not share by chance

_WORD = re.compile(r"\w+")
_TAG = re.compile(r"<[^>]*>")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")


@dataclass(frozen=True, order=True)
class Leak:
    """Something private, found in a public file."""

    file: Path
    what: str

    def __str__(self) -> str:
        return f"{self.file}: contains {self.what}"


def find_leaks(output: Path, catalog: Catalog) -> list[Leak]:
    """Every leak in every file below `output`, whatever its type."""
    secrets = dict(_secret_values(catalog))
    texts = _secret_runs(catalog)
    leaks: set[Leak] = set()
    for path in sorted(path for path in output.rglob("*") if path.is_file()):
        name = path.relative_to(output)
        for view in _views(path.read_bytes()):
            leaks.update(Leak(name, what) for value, what in secrets.items() if value in view)
            if texts:
                words = _words(view.decode("utf-8", "ignore"))
                leaks.update(Leak(name, texts[run]) for run in _runs(words) if run in texts)
    return sorted(leaks)


def _secret_values(catalog: Catalog) -> Iterator[tuple[bytes, str]]:
    for course in catalog.courses:
        if course.intro_video:
            yield course.intro_video.video.encode(), f"the video id of the introduction of {course.id}"
        resources = [*course.resources]
        for module in course.modules:
            resources += module.resources
            for lesson in module.lessons:
                resources += lesson.resources
                if lesson.video:
                    yield lesson.video.encode(), f"the video id of lesson {lesson.id}"
        for resource in resources:
            yield resource.key.encode(), f"the storage key of resource {resource.id}"


def _secret_runs(catalog: Catalog) -> dict[tuple[str, ...], str]:
    """Sequences of words of paid texts, except those that a public text contains too."""
    private: dict[tuple[str, ...], str] = {}
    public: set[tuple[str, ...]] = set()
    for course in catalog.courses:
        if course.is_open:
            public.update(run for text in _public_texts(course) for run in _runs(_words(text)))
        for module in course.modules:
            for lesson in module.lessons:
                open_to_all = course.is_open and lesson.published and lesson.preview
                for what, text in _lesson_texts(lesson):
                    runs = _runs(_words(text))
                    if open_to_all:
                        public.update(runs)
                    else:
                        private.update(dict.fromkeys(runs, f"the {what} of lesson {lesson.id}"))
    return {run: what for run, what in private.items() if run not in public}


def _public_texts(course: Course) -> Iterator[str]:
    yield from (course.title, course.summary, course.description_html, course.thumbnail_alt)
    yield from (course.instructor.bio_html, *course.outcomes, *course.requirements)
    for question in course.questions:
        yield from (question.question, question.answer_html)
    for module in course.modules:
        yield f"{module.title} {module.summary or ''}"
        for lesson in module.lessons:
            yield f"{lesson.title} {lesson.summary or ''}"


def _lesson_texts(lesson: Lesson) -> Iterator[tuple[str, str]]:
    if lesson.notes_html:
        yield "notes", lesson.notes_html
    for captions in lesson.captions:
        yield "captions", " ".join(cue.text for cue in parse_vtt(captions.vtt))


def _words(text: str) -> list[str]:
    return _WORD.findall(html.unescape(_TAG.sub(" ", text)).casefold())


def _runs(words: list[str]) -> Iterable[tuple[str, ...]]:
    """Every run of RUN words; a shorter text counts whole, if it has at least five words."""
    if len(words) < RUN:
        return [tuple(words)] if len(words) >= 5 else []
    return [tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1)]


def _views(content: bytes) -> Iterator[bytes]:
    yield content
    yield html.unescape(content.decode("utf-8", "ignore")).encode()
    if b"%" in content:
        yield unquote_to_bytes(content)
    if b"\\" in content:
        yield (
            re.sub(rb"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)).encode("utf-8", "ignore"), content)
            .replace(b"\\/", b"/")
            .replace(b"\\n", b"\n")
        )
    for match in _BASE64.finditer(content):
        run = match[0].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        for offset in range(4):  # a value may start anywhere in a longer run
            piece = run[offset:]
            piece = piece[: len(piece) - (len(piece) % 4 == 1)]
            yield base64.b64decode(piece + b"=" * (-len(piece) % 4))
