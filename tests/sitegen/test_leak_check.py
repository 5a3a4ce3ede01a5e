"""The leak check: every kind of paid content, in every disguise, and honest sites pass."""

import base64
from pathlib import Path

import pytest

from sitegen.catalog.captions import parse_vtt
from sitegen.catalog.model import Catalog, Course, Lesson
from sitegen.leak_check import find_leaks


def written(folder: Path, text: str) -> Path:
    (folder / "page.html").write_text(text)
    return folder


def paid_lesson(catalog: Catalog) -> Lesson:
    return next(
        lesson for course in catalog.published for lesson in course.lessons
        if not lesson.preview and lesson.notes_html and lesson.captions
    )  # fmt: skip


def free_lesson(catalog: Catalog) -> tuple[Course, Lesson]:
    return next(
        (course, lesson) for course in catalog.published for lesson in course.lessons
        if lesson.preview and lesson.notes_html
    )  # fmt: skip


def test_spoken_words_are_paid_content(tmp_path: Path, catalog: Catalog) -> None:
    lesson = paid_lesson(catalog)
    cues = parse_vtt(lesson.captions[0].vtt)
    said = " ".join(cue.text for cue in cues[2:6])
    assert [leak.what for leak in find_leaks(written(tmp_path, f"<p>{said}</p>"), catalog)] == [
        f"the captions of lesson {lesson.id}"
    ]


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_base64_is_found_wherever_it_starts(tmp_path: Path, catalog: Catalog, offset: int) -> None:
    lesson = paid_lesson(catalog)
    encoded = base64.b64encode(("x" * offset + str(lesson.video)).encode()).decode()
    assert find_leaks(written(tmp_path, f'<a href="data:{encoded}">'), catalog)


def test_a_preview_of_a_draft_is_paid_content(tmp_path: Path, catalog: Catalog) -> None:
    """Free lessons are public once their course is."""
    course = next(
        course for course in catalog.published if any(each.preview and each.notes_html for each in course.lessons)
    )
    lesson = next(each for each in course.lessons if each.preview and each.notes_html)
    assert find_leaks(written(tmp_path, lesson.notes_html or ""), catalog) == []
    courses = tuple(
        each.model_copy(update={"status": "published" if each.id != course.id else "draft"}) for each in catalog.courses
    )
    assert find_leaks(written(tmp_path, lesson.notes_html or ""), catalog.model_copy(update={"courses": courses}))


def test_an_unpublished_preview_is_paid_content(tmp_path: Path, catalog: Catalog) -> None:
    course = next(
        course for course in catalog.published if any(each.preview and each.notes_html for each in course.lessons)
    )
    lesson = next(each for each in course.lessons if each.preview and each.notes_html)
    hidden = _changed_lesson(course, lesson.id, published=False)
    courses = tuple(hidden if each.id == course.id else each for each in catalog.courses)
    assert find_leaks(written(tmp_path, lesson.notes_html or ""), catalog.model_copy(update={"courses": courses}))


def _changed_lesson(course: Course, lesson_id: str, **changes: object) -> Course:
    modules = tuple(
        module.model_copy(
            update={
                "lessons": tuple(
                    each.model_copy(update=changes) if each.id == lesson_id else each for each in module.lessons
                )
            }
        )
        for module in course.modules
    )
    return course.model_copy(update={"modules": modules})


@pytest.mark.parametrize(("words", "found"), [(4, False), (5, True), (7, True), (8, True), (9, True)])
def test_short_texts_count_whole(tmp_path: Path, catalog: Catalog, words: int, found: bool) -> None:
    """Four words may be anybody's; five in their order are this text."""
    text = " ".join(["Whisk", "warm", "rye", "thrice", "before", "dawn", "every", "third", "Tuesday"][:words])
    lesson = paid_lesson(catalog)
    course = next(each for each in catalog.courses if lesson in each.lessons)
    changed = _changed_lesson(course, lesson.id, notes_html=f"<p>{text}</p>", captions=())
    courses = tuple(changed if each.id == course.id else each for each in catalog.courses)
    private = catalog.model_copy(update={"courses": courses})
    assert bool(find_leaks(written(tmp_path, f"<b>{text}</b>"), private)) == found


def test_seven_words_of_a_longer_text_may_be_anybodys(tmp_path: Path, catalog: Catalog) -> None:
    lesson = paid_lesson(catalog)
    words = [word for word in (lesson.notes_markdown or "").replace("#", " ").split() if word.isalpha()][:7]
    assert find_leaks(written(tmp_path, " ".join(words)), catalog) == []


def test_what_is_public_elsewhere_is_no_leak(tmp_path: Path, catalog: Catalog) -> None:
    """The sales page may quote a lesson."""
    lesson = paid_lesson(catalog)
    course = next(each for each in catalog.courses if lesson in each.lessons)
    quoting = course.model_copy(update={"description_html": lesson.notes_html})
    courses = tuple(quoting if each.id == course.id else each for each in catalog.courses)
    assert find_leaks(written(tmp_path, lesson.notes_html or ""), catalog.model_copy(update={"courses": courses})) == []


def test_every_file_is_searched_whatever_its_name(tmp_path: Path, catalog: Catalog) -> None:
    lesson = paid_lesson(catalog)
    (tmp_path / "assets").mkdir()
    for name in ("assets/x.bin", ".hidden", "feed.atom"):
        (tmp_path / name).write_bytes(b"\x00\xff" + str(lesson.video).encode() + b"\xfe")
    assert {str(leak.file) for leak in find_leaks(tmp_path, catalog)} == {"assets/x.bin", ".hidden", "feed.atom"}


def test_a_leak_names_file_and_lesson(tmp_path: Path, catalog: Catalog) -> None:
    lesson = paid_lesson(catalog)
    [leak] = find_leaks(written(tmp_path, str(lesson.video)), catalog)
    assert str(leak) == f"page.html: contains the video id of lesson {lesson.id}"


def test_drafts_and_introductions_are_paid_content_too(tmp_path: Path, catalog: Catalog) -> None:
    course = next(course for course in catalog.published if course.intro_video)
    assert course.intro_video
    [leak] = find_leaks(written(tmp_path, course.intro_video.video), catalog)
    assert leak.what == f"the video id of the introduction of {course.id}"
    module = next(module for each in catalog.courses for module in each.modules if module.lessons)
    keyed = [resource for each in catalog.courses for resource in each.resources]
    assert module
    for resource in keyed:
        [leak] = find_leaks(written(tmp_path, resource.key), catalog)
        assert leak.what == f"the storage key of resource {resource.id}"


def test_a_school_of_videos_alone_has_no_paid_text(tmp_path: Path, catalog: Catalog) -> None:
    """Nothing to compare texts with; video ids are found as ever."""
    course = next(course for course in catalog.published if any(lesson.video for lesson in course.lessons))
    lesson = next(lesson for lesson in course.lessons if lesson.video)
    silent = lesson.model_copy(update={"notes_html": None, "captions": ()})
    module = course.modules[0].model_copy(update={"lessons": (silent,)})
    videos = catalog.model_copy(update={"courses": (course.model_copy(update={"modules": (module,)}),)})
    assert find_leaks(written(tmp_path, f"<p>{course.title}</p>"), videos) == []
    assert find_leaks(written(tmp_path, f"<p>{lesson.video}</p>"), videos)
