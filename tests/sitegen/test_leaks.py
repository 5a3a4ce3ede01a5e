"""The leak check: accidents that happen are found, however they are written, and honest schools pass."""

import base64
import gzip
import random
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from sitegen.catalog.captions import parse_vtt
from sitegen.catalog.model import Catalog, Course, Lesson, Resource
from sitegen.leaks.find import Findings, FolderFiles, find_leaks
from sitegen.leaks.private import private_parts
from sitegen.leaks.words import passages
from tests.sitegen.disguises import entities, pdf, percent, png, wrapped_base64, zipped

NOTES = (
    "Dust the basket with rice flour, since wheat flour turns to glue against wet dough. Turn the dough out seam side "
    "down and drag it towards you until its skin feels tight. Cover it, put it in the coldest corner of the fridge and "
    "leave it alone until morning. A loaf that went in at nine is ready to bake at seven. If it has not grown by half "
    "when you press it, give it one more hour on the table before the oven is lit."
)
JAPANESE = (
    "生地を折りたたむときは、手を水でぬらしてから始めます。三十分ごとに四回くり返すと、表面がなめらかになります。"
)
THAI = "นวดแป้งเบาๆจนเนียนแล้วพักไว้สามสิบนาทีก่อนพับอีกครั้งหนึ่ง"
CODE = "<pre><code>" + "\n".join(f"ferment_stage_{n} = measure(dough, hours={n})" for n in range(12)) + "</code></pre>"
VIDEO = "3f0c5b7e9a1d4c6e8b2f0a1c3e5d7f90"
KEY = "sourdough/weekend-schedule-2026.pdf"
PAID_PDF = b"%PDF-1.7\n" + random.Random(7).randbytes(40_000)  # noqa: S311 - any bytes


@pytest.fixture
def lesson(catalog: Catalog) -> Lesson:
    """A paid lesson without texts, to which a test gives its own."""
    found = next(each for course in catalog.published for each in course.lessons if not each.preview and each.video)
    return found.model_copy(update={"notes_html": None, "notes_markdown": None, "captions": (), "video": VIDEO})


def school(catalog: Catalog, *lessons: Lesson, **changes: object) -> Catalog:
    """A school of one course with these lessons, and with one file to download."""
    course = next(course for course in catalog.published if course.price)
    resource = Resource(id="schedule", name="Weekend schedule", key=KEY, type="application/pdf", size=40_009)
    module = course.modules[0].model_copy(update={"lessons": lessons, "resources": ()})
    changed = course.model_copy(update={"modules": (module,), "resources": (resource,), "intro_video": None, **changes})
    return catalog.model_copy(update={"courses": (changed,)})


def with_notes(lesson: Lesson, text: str = NOTES, **changes: object) -> Lesson:
    return lesson.model_copy(update={"notes_html": text if text.startswith("<") else f"<p>{text}</p>", **changes})


@pytest.fixture
def search(tmp_path: Path) -> Callable[..., Findings]:
    """Writes files, and searches them."""
    paid = tmp_path / "schedule.pdf"
    paid.write_bytes(PAID_PDF)

    def run(catalog: Catalog, files: dict[str, str | bytes], trusted: tuple[str, ...] = ()) -> Findings:
        output = tmp_path / "output"
        for name, content in files.items():
            path = output / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return find_leaks(FolderFiles(output), private_parts(catalog, [(paid, "the paid file schedule.pdf")], trusted))

    return run


VALUES: dict[str, Callable[[str], str | bytes]] = {
    "plain": str,
    "in an attribute": lambda value: f'<img src="/x/{value}.jpg">',
    "in capitals": str.upper,
    "quoted for an address": lambda value: quote(value, safe=""),
    "percent": percent,
    "percent twice": lambda value: quote(percent(value)),
    "entities": entities,
    "entities twice": lambda value: entities(value).replace("&", "&amp;"),
    "json escapes": lambda value: "".join(f"\\u{ord(letter):04x}" for letter in value),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 from the second byte": lambda value: base64.b64encode(f"x{value}yz".encode()).decode(),
    "base64 from the third byte": lambda value: base64.b64encode(f"xy{value}yz".encode()).decode(),
    "base64 for addresses": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "base64 in lines": lambda value: wrapped_base64("x" * 50 + value + "y" * 90),
    "hexadecimal": lambda value: value.encode().hex(),
    "utf-16": lambda value: f"before {value} after".encode("utf-16"),
    "utf-16 without a mark": lambda value: f"before {value} after".encode("utf-16-le"),
    "zero-width spaces": lambda value: "\u200b".join(value),
    "soft hyphens": lambda value: "&shy;".join(re.findall("..?", value)),
    "tags in between": lambda value: "<wbr>".join(re.findall(".{1,5}", value)),
    "joined strings": lambda value: f"var id = '{value[:9]}' + '{value[9:]}'",
    "gzip": lambda value: gzip.compress(f"before {value} after".encode()),
    "zip": lambda value: zipped("notes.txt", value.encode()),
    "name in a zip": lambda value: zipped(value.replace("/", "_") + "/" + value, b"x"),
    "picture": lambda value: png(value, compressed=False),
    "compressed in a picture": lambda value: png(value, compressed=True),
    "pdf": pdf,
    "binary around it": lambda value: b"\x00\xff\x01\xd8" + value.encode() + b"\xfe\x00",
}


@pytest.mark.parametrize("value", [VIDEO, KEY], ids=["video", "key"])
@pytest.mark.parametrize("disguise", VALUES)
def test_private_values_are_found(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, disguise: str, value: str
) -> None:
    private = school(catalog, lesson)
    found = search(private, {"page.html": VALUES[disguise](value)})
    what = f"the video id of lesson {lesson.id}" if value == VIDEO else "the storage key of resource schedule"
    assert [leak.what for leak in found.refused] == [what]
    assert value not in str(found.refused)


@pytest.mark.parametrize(
    "written",
    [f"{VIDEO[:8]}-{VIDEO[8:12]}-{VIDEO[12:16]}-{VIDEO[16:20]}-{VIDEO[20:]}", VIDEO[::-1], bytes.fromhex(VIDEO)],
    ids=["as a uuid", "backwards", "as bytes"],
)
def test_other_spellings_of_a_video_are_found(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, written: str | bytes
) -> None:
    assert search(school(catalog, lesson), {"page.html": written}).refused


def test_a_private_value_in_a_file_name_is_found(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    assert search(school(catalog, lesson), {f"assets/{VIDEO}.jpg": b"x"}).refused
    assert search(school(catalog, lesson), {f"assets/{KEY}": b"x"}).refused


def test_a_draft_and_an_introduction_are_private_too(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    draft = school(catalog, lesson, status="draft")
    assert search(draft, {"page.html": VIDEO}).refused
    course = next(course for course in catalog.published if course.intro_video)
    assert course.intro_video
    found = search(catalog, {"page.html": course.intro_video.video})
    assert f"the video id of the introduction of {course.id}" in [leak.what for leak in found.refused]


FILES: dict[str, Callable[[bytes], dict[str, str | bytes]]] = {
    "copied": lambda paid: {"public/free.pdf": paid},
    "the first half": lambda paid: {"free.pdf": paid[:20_000]},
    "the middle, in another file": lambda paid: {"free.bin": b"anything before" + paid[9_001:30_000] + b"after"},
    "zipped": lambda paid: {"free.zip": zipped("a.pdf", paid)},
    "gzipped": lambda paid: {"free.gz": gzip.compress(paid)},
    "in a page": lambda paid: {"page.html": "data:application/pdf;base64," + base64.b64encode(paid).decode()},
}


@pytest.mark.parametrize("way", FILES)
def test_a_paid_file_is_found(search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, way: str) -> None:
    found = search(school(catalog, lesson), FILES[way](PAID_PDF))
    assert [leak.what for leak in found.refused] == ["the paid file schedule.pdf"]


def test_a_linked_file_is_found(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, tmp_path: Path
) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output/free.pdf").symlink_to(tmp_path / "schedule.pdf")
    assert search(school(catalog, lesson), {}).refused


TEXTS: dict[str, Callable[[str], str | bytes]] = {
    "as it is": lambda text: f"<p>{text}</p>",
    "in other markup": lambda text: "<b>" + "</b>\n<i>".join(text.split()) + "</i>",
    "in an attribute": lambda text: f'<meta name="description" content="{text}">',
    "in capitals": str.upper,
    "entities": entities,
    "percent twice": lambda text: quote(percent(text)),
    "zero-width spaces": lambda text: "\u200b".join(text),
    "soft hyphens": lambda text: text.replace("o", "o\u00ad"),
    "utf-16": lambda text: text.encode("utf-16"),
    "base64 in lines": wrapped_base64,
    "gzip": lambda text: gzip.compress(text.encode()),
    "pdf": pdf,
    "picture": lambda text: png(text, compressed=True),
    "json": lambda text: '{"text": "' + text.replace(" ", "\\u0020") + '"}',
}


@pytest.mark.parametrize("way", TEXTS)
def test_a_paid_text_is_found(search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, way: str) -> None:
    part = " ".join(NOTES.split()[8:48])
    found = search(school(catalog, with_notes(lesson)), {"feed.xml": TEXTS[way](part)})
    assert [leak.what for leak in found.refused] == [f"the notes of lesson {lesson.id}"]


def test_a_kerned_pdf_is_read(search: Callable[..., Findings], catalog: Catalog, lesson: Lesson) -> None:
    assert search(school(catalog, with_notes(lesson)), {"a.pdf": pdf(NOTES, kerned=True)}).refused


@pytest.mark.parametrize("text", [JAPANESE, THAI], ids=["Japanese", "Thai"])
def test_a_text_without_spaces_is_found(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, text: str
) -> None:
    private = school(catalog, with_notes(lesson, text))
    assert search(private, {"page.html": f"<p>{text}</p>"}).refused
    assert not search(private, {"page.html": f"<p>{text[:8]}</p>"}).refused


def test_captions_are_paid_content(search: Callable[..., Findings], catalog: Catalog) -> None:
    lesson = next(each for course in catalog.published for each in course.lessons if not each.preview and each.captions)
    said = " ".join(cue.text for cue in parse_vtt(lesson.captions[0].vtt))
    found = search(catalog, {"preview.html": f"<p>{said}</p>"})
    assert f"the captions of lesson {lesson.id}" in [leak.what for leak in found.refused]


def test_paid_notes_as_a_description_are_found(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    """A description is public, and yet it is looked at: it is where a text ends up by mistake."""
    private = school(catalog, with_notes(lesson), description_html=f"<p>{NOTES}</p>")
    assert search(private, {"index.html": f"<p>{NOTES}</p>"}).refused


def test_code_counts_from_a_whole_listing_on(search: Callable[..., Findings], catalog: Catalog, lesson: Lesson) -> None:
    private = school(catalog, with_notes(lesson, CODE))
    assert search(private, {"page.html": CODE}).refused
    coloured = CODE.replace("measure", '<span class="n">measure</span>')
    assert search(private, {"other.html": coloured}).refused
    (one_line, *_) = passages(CODE)
    assert not search(school(catalog, with_notes(lesson, CODE)), {"third.html": one_line.splitlines()[0]}).told


@pytest.mark.parametrize(("words", "refused"), [(4, False), (5, True), (7, True), (12, True)])
def test_a_short_text_counts_whole(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, words: int, refused: bool
) -> None:
    """Four words may be anybody's; five in their order are this text."""
    sentence = "Whisk warm rye thrice before dawn every third Tuesday in deep winter"
    text = " ".join(sentence.split()[:words])
    private = school(catalog, with_notes(lesson, text))
    assert bool(search(private, {"page.html": f"<p>{text}</p>"}).refused) == refused
    if words > 5:
        assert not search(private, {"page.html": f"<p>{text.rsplit(' ', 1)[0]}</p>"}).refused


@pytest.mark.parametrize(("words", "told", "refused"), [(6, 0, 0), (7, 1, 0), (24, 1, 0), (25, 0, 1)])
def test_a_quotation_is_told_and_a_long_part_is_refused(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, words: int, told: int, refused: int
) -> None:
    quoted = " ".join(NOTES.split()[10 : 10 + words])
    found = search(school(catalog, with_notes(lesson)), {"post.html": f"<h1>News</h1>\n<p>{quoted}</p>"})
    assert (len(found.told), len(found.refused)) == (told, refused)
    for leak in (*found.told, *found.refused):
        assert leak.line == 2
        assert "glue against wet dough" in leak.words
        assert str(leak).startswith(f"post.html:2: contains the notes of lesson {lesson.id}: “to glue against")


def test_two_fifths_of_a_text_are_refused(search: Callable[..., Findings], catalog: Catalog, lesson: Lesson) -> None:
    text = " ".join(NOTES.split()[:20])
    for words, refused in ((8, True), (7, False)):
        quoted = " ".join(NOTES.split()[:words])
        found = search(school(catalog, with_notes(lesson, text)), {"page.html": f"<p>{quoted}</p>"})
        assert bool(found.refused) == refused, words


def test_a_teaser_is_allowed_by_a_line_in_the_lesson(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    teaser = " ".join(NOTES.split()[:40])
    allowed = with_notes(lesson, public_excerpt=teaser)
    found = search(school(catalog, allowed), {"post.html": f"<p>{teaser}</p>"})
    assert (found.refused, found.told) == ([], [])


def others(lesson: Lesson, text: str) -> list[Lesson]:
    """Three lessons that close with the same words."""
    openings = (NOTES.split()[:30], NOTES.split()[30:60], NOTES.split()[60:])
    return [
        lesson.model_copy(
            update={"id": f"{lesson.id}-{n}", "notes_html": f"<p>{' '.join(opening)}</p><p>{text}</p>", "video": None}
        )
        for n, opening in enumerate(openings)
    ]


HONEST: dict[str, Callable[[Catalog, Lesson], tuple[Catalog, str]]] = {
    "the closing words of every lesson": lambda catalog, lesson: (
        school(catalog, *others(lesson, "Write to us whenever something is unclear and we will answer within a day.")),
        "Write to us whenever something is unclear and we will answer within a day.",
    ),
    "a licence": lambda catalog, lesson: (
        school(
            catalog,
            with_notes(lesson, f"{NOTES} This work is licensed under a Creative Commons Attribution 4.0 "
            "International License."),
        ),
        "This work is licensed under a Creative Commons Attribution 4.0 International License.",
    ),
    "a command": lambda catalog, lesson: (
        school(catalog, with_notes(lesson, f"<p>{NOTES}</p><pre><code>git commit -m draft --all</code></pre>")),
        "<pre><code>git commit -m draft --all</code></pre>",
    ),
    "a title inside the notes": lambda catalog, lesson: (
        school(catalog, with_notes(lesson, f"{NOTES} {lesson.title}", title="Keep a loaf fresh for seven whole days")),
        "<li>Keep a loaf fresh for seven whole days</li>",
    ),
    "titles beside titles": lambda catalog, lesson: (
        school(catalog, with_notes(lesson, "First shape the dough, then rest it, then bake it, then cool it down.")),
        "<li>First shape the dough</li><li>then rest it</li><li>then bake it</li><li>then cool it down</li>",
    ),
    "a short storage key": lambda catalog, lesson: (
        school(catalog, lesson, resources=(Resource(id="a", name="A", key="a.pdf", type="a/b", size=1),)),
        "<p>Open a.pdf with any reader.</p>",
    ),
    "a word of the key": lambda catalog, lesson: (school(catalog, lesson), "<p>The weekend schedule, 2026 (PDF)</p>"),
    "sentences that begin alike": lambda catalog, lesson: (
        school(catalog, with_notes(lesson)), "<p>Cover it, put it in the oven, and enjoy it warm with butter.</p>"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HONEST)
def test_an_honest_school_passes(search: Callable[..., Findings], catalog: Catalog, lesson: Lesson, what: str) -> None:
    private, page = HONEST[what](catalog, lesson)
    found = search(private, {"page.html": f"<main>{page}</main>"})
    assert (found.refused, found.told) == ([], [])


def test_what_the_schools_own_pages_say_is_public(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    found = search(school(catalog, with_notes(lesson)), {"about/index.html": f"<p>{NOTES}</p>"}, trusted=(NOTES,))
    assert (found.refused, found.told) == ([], [])


def _preview(catalog: Catalog) -> tuple[Course, Lesson]:
    return next(
        (course, lesson) for course in catalog.published for lesson in course.lessons
        if lesson.preview and len((lesson.notes_html or "").split()) > 60
    )  # fmt: skip


def test_a_free_lesson_is_public_once_its_course_is(search: Callable[..., Findings], catalog: Catalog) -> None:
    course, lesson = _preview(catalog)
    page = {"page.html": lesson.notes_html or ""}
    assert not search(catalog, page).refused
    others = [each for each in catalog.courses if each.id != course.id]
    draft = course.model_copy(update={"status": "draft"})
    assert search(catalog.model_copy(update={"courses": (*others, draft)}), page).refused
    modules = tuple(
        module.model_copy(
            update={
                "lessons": tuple(each.model_copy(update={"published": each.id != lesson.id}) for each in module.lessons)
            }
        )
        for module in course.modules
    )
    hidden = course.model_copy(update={"modules": modules})
    assert search(catalog.model_copy(update={"courses": (*others, hidden)}), page).refused


def test_what_a_free_lesson_says_as_well_is_public(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    free = with_notes(lesson, NOTES, id="free", preview=True)
    found = search(school(catalog, with_notes(lesson), free), {"page.html": f"<p>{NOTES}</p>"})
    assert (found.refused, found.told) == ([], [])


def test_a_school_without_paid_texts_is_searched_for_values(
    search: Callable[..., Findings], catalog: Catalog, lesson: Lesson
) -> None:
    videos = school(catalog, lesson)
    assert not search(videos, {"page.html": f"<p>{NOTES}</p>"}).refused
    assert search(videos, {"other.html": f"<p>{VIDEO}</p>"}).refused
