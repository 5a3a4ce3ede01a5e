"""Where a leak is said to be: the file, the line, the words, once."""

from collections.abc import Callable

import pytest

from sitegen.catalog.model import Catalog, Lesson
from sitegen.leaks.find import Findings
from tests.sitegen.test_leaks import KEY, NOTES, PAID_PDF, VIDEO, lesson, school, search, with_notes

__all__ = ["lesson", "search"]  # fixtures


def test_each_value_is_named_once_in_each_file_with_its_line(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    found = search(school(catalog, lesson), {"a.html": f"<h1>x</h1>\n<p>{VIDEO} {VIDEO}</p>\n{KEY}", "b.html": VIDEO})
    assert [str(leak) for leak in found.refused] == [
        f"a.html:2: contains the video id of lesson {lesson.id}",
        "a.html:3: contains the storage key of resource schedule",
        f"b.html:1: contains the video id of lesson {lesson.id}",
    ]


def test_what_has_no_lines_is_in_the_first(search: Callable[..., Findings], catalog: Catalog, lesson: Lesson) -> None:
    halves = f"{VIDEO[:16]}\n{VIDEO[16:]}"
    found = search(school(catalog, lesson), {"a.bin": bytes.fromhex(VIDEO), "b.pdf": PAID_PDF, "c.html": halves})
    assert [(leak.file.name, leak.line) for leak in found.refused] == [("a.bin", 1), ("b.pdf", 1), ("c.html", 1)]


@pytest.mark.parametrize(("count", "more"), [(14, False), (15, True)])
def test_fourteen_words_are_shown(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, count: int, more: bool
) -> None:
    found = search(
        school(catalog, with_notes(lesson)), {"a.html": f"<p>{' '.join(NOTES.split()[10 : 10 + count])}</p>"}
    )
    assert [leak.words.endswith(" …") for leak in found.told] == [more]


def test_what_a_page_and_the_feed_say_is_told_of_the_page(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    files = dict.fromkeys(("a.atom", "b.html", "c.html"), f"<p>{' '.join(NOTES.split()[10:24])}</p>")
    assert [leak.file.name for leak in search(school(catalog, with_notes(lesson)), files).told] == ["b.html"]


def test_the_line_is_where_the_words_begin(search: Callable[..., Findings], catalog: Catalog, lesson: Lesson) -> None:
    quoted = NOTES.split()[10:24]
    broken = {"a.html": f"<h1>x</h1>\n<p>{' '.join(quoted[:3])}\n{' '.join(quoted[3:])}</p>"}
    assert [leak.line for leak in search(school(catalog, with_notes(lesson)), broken).told] == [2]
    one_a_line = {"a.html": "<h1>x</h1>\n<p>" + "\n".join(quoted) + "</p>"}
    assert [leak.line for leak in search(school(catalog, with_notes(lesson)), one_a_line).told] == [1]


def test_an_id_that_is_no_hexadecimal_number_is_found_too(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    other = "zq0f3k7m9x2w5v8t"
    assert search(school(catalog, lesson.model_copy(update={"video": other})), {"a.html": other}).refused
