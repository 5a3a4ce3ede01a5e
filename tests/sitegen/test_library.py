"""Pictures and links of texts: where they lead, who may see them, and what is wrong with them."""

import re
import shutil
import unicodedata
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from sitegen.build import SiteLeaks, build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.manifest import private_folder, read_manifest
from sitegen.load import Loaded, load_school
from sitegen.school import School
from sitegen.state import inputs_of
from tests.conftest import ROOT

PAID = "courses/sourdough/notes/four-numbers.md"
FREE = "courses/sourdough/notes/what-lives-in-the-jar.md"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def school(tmp_path: Path) -> School:
    """A copy of the sample, with a picture beside the notes of one course."""
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, tmp_path / name)
    notes = tmp_path / "course_data/courses/sourdough/notes"
    (notes / "images").mkdir()
    Image.effect_noise((640, 480), 60).save(notes / "images/jar.png")
    return School(tmp_path)


def add(school: School, file: str, text: str) -> int:
    """Append a paragraph; returns its line."""
    path = school.course_data / file
    before = path.read_text()
    path.write_text(f"{before.rstrip()}\n\n{text}\n")
    return before.rstrip().count("\n") + 3


def load(school: School) -> Loaded:
    return load_school(school, now=NOW)


def faults_of(school: School) -> list[str]:
    with pytest.raises(CatalogInvalid) as caught:
        load(school)
    return [str(fault) for fault in caught.value.faults]


def test_a_picture_of_a_free_text_is_public_and_one_of_a_paid_text_is_not(school: School) -> None:
    add(school, FREE, "![The jar](images/jar.png)")
    Image.effect_noise((300, 200), 60).save(school.course_data / "courses/sourdough/notes/images/loaf.png")
    add(school, PAID, "![A loaf](images/loaf.png)")
    build_site(school)
    page = (school.output / "preview/sourdough/what-lives-in-the-jar/index.html").read_text()
    [address] = re.findall(r'<img src="(/assets/pictures/jar\.\w+\.png)" alt="The jar" width="640" height="480"', page)
    assert (school.output / address.lstrip("/")).is_file()
    lesson = next(
        each for course in read_manifest(school.manifest).catalog.courses for each in course.lessons
        if each.slug == "four-numbers"
    )  # fmt: skip
    [file] = lesson.files
    assert f'<img src="/api/pictures/{file.name}" alt="A loaf" width="300" height="200"' in (lesson.notes_html or "")
    assert f"![A loaf](/api/pictures/{file.name})" in (lesson.notes_markdown or "")
    assert (private_folder(school.manifest) / file.name).is_file()
    loaf = (school.course_data / "courses/sourdough/notes/images/loaf.png").read_bytes()
    assert loaf not in [path.read_bytes() for path in school.output.rglob("*") if path.is_file()]


def test_a_paid_picture_in_a_public_text_is_refused(school: School) -> None:
    """The same picture cannot be private and public."""
    add(school, PAID, "![The jar](images/jar.png)")
    add(school, FREE, "![The jar](images/jar.png)")
    with pytest.raises(SiteLeaks, match="a picture of lesson sourdough-four-numbers"):
        build_site(school)


def test_links_between_texts_lead_where_the_reader_may_go(school: School) -> None:
    add(school, PAID, "[jar](what-lives-in-the-jar.md), [start](feeding-and-keeping.md), [about](../description.md)")
    add(school, FREE, "[numbers](four-numbers.md), [knots](../../seven-useful-knots/description.md)")
    loaded = load(school)
    course = next(course for course in loaded.catalog.courses if course.slug == "sourdough")
    notes = {lesson.slug: lesson.notes_html or "" for lesson in course.lessons}
    assert 'href="/learn/sourdough/what-lives-in-the-jar/"' in notes["four-numbers"]
    assert 'href="/courses/sourdough/"' in notes["four-numbers"]
    free = notes["what-lives-in-the-jar"]
    assert '<a href="/courses/sourdough/">numbers</a>' in free
    assert 'href="/courses/seven-useful-knots/"' in free


def test_posts_and_lessons_link_to_each_other(school: School) -> None:
    post = school.content / "posts/cold-kitchens.md"
    post.write_text(
        post.read_text() + "\n[jar](../../course_data/courses/sourdough/notes/what-lives-in-the-jar.md)\n"
        "[knots](seven-knots-is-free.md#why-free) [about](../pages/about.md)\n"
    )
    add(school, PAID, "[cold](../../../../content/posts/cold-kitchens.md)")
    loaded = load(school)
    html = next(post.html for post in loaded.content.posts if post.slug == "cold-kitchens")
    assert 'href="/preview/sourdough/what-lives-in-the-jar/"' in html
    assert 'href="/news/seven-knots-is-free/#why-free"' in html
    assert 'href="/about/"' in html


WRONG: dict[str, tuple[str, str, str]] = {
    "missing picture": (FREE, "![a](images/jat.png)", "Did you mean “jar.png”?"),
    "missing text": (PAID, "[a](four-number.md)", "Did you mean “four-numbers.md”?"),
    "missing heading": (PAID, "[a](what-lives-in-the-jar.md#nope)", "There is no heading “#nope”"),
    "text that is no page": (PAID, "[a](../../../../README.md)", "is outside this folder"),
    "outside": (FREE, "![a](../../../../../etc/passwd)", "is outside this folder"),
    "unknown page": (FREE, "[a](/abuot/)", "There is no page “/abuot/”"),
    "address as a picture": (FREE, "![a](/images/x.png)", "is an address, and not a file"),
    "paid file": (FREE, "[a](../../../files/sourdough/weekend-schedule.pdf)", "is a file that people pay for"),
    "hidden file": (FREE, "![a](images/.secret.png)", "is a hidden file"),
    "folder": (FREE, "[a](images)", "is a folder"),
    "no picture": (FREE, "![a](images/text.png)", "is no picture"),
    "lfs": (FREE, "![a](images/lfs.png)", "git lfs pull"),
    "script in a picture": (FREE, "![a](images/bad.svg)", "has a script or a foreign element, in line 2"),
    "bomb": (FREE, "![a](images/bomb.png)", "enormous"),
    "unknown kind": (FREE, "![a](images/loaf.tiff)", "is no picture that browsers show"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_at_its_line(school: School, name: str) -> None:
    images = school.course_data / "courses/sourdough/notes/images"
    (images / "text.png").write_text("I am text")
    (images / ".secret.png").write_bytes((images / "jar.png").read_bytes())
    (images / "lfs.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    (images / "bad.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'>\n<script>x</script></svg>")
    (images / "loaf.tiff").write_bytes(b"II*\0")
    bomb = bytearray((images / "jar.png").read_bytes())
    bomb[16:24] = (50_000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    (images / "bomb.png").write_bytes(bytes(bomb))
    file, text, expected = WRONG[name]
    line = add(school, file, text)
    [fault] = faults_of(school)
    assert fault.startswith(f"{school.course_data / file}:{line}:1: ")
    assert expected in fault
    assert str(school.root) not in fault.partition(": ")[2].replace(str(school.course_data), "")


def test_a_file_is_included_as_it_is(school: School) -> None:
    notes = school.course_data / "courses/sourdough/notes"
    (notes / "bake.py").write_text("if hours > 3:\n    bake('<hot>')\n")
    (notes / "part.md").write_text("## A part\n\n![gone](gone.png)\n")
    included = '```python\n{{ include "bake.py" }}\n```\n\n{{ include "nope.py" }}\n\n{{ include "part.md" }}'
    line = add(school, PAID, included)
    faults = faults_of(school)
    assert any(f"four-numbers.md:{line + 4}:1: The file “nope.py” is missing." in fault for fault in faults)
    assert any("part.md:3:1: The file “gone.png” is missing." in fault for fault in faults)
    (notes / "nope.py").write_text("")
    (notes / "gone.png").write_bytes((notes / "images/jar.png").read_bytes())
    html = notes_of(school, "four-numbers")
    assert '<span class="n">bake</span>' in html
    assert "&lt;hot&gt;" in html
    assert '<h2 id="a-part">' in html
    (notes / "bake.py").write_text("knead()\n")
    assert "knead" in notes_of(school, "four-numbers")


def notes_of(school: School, slug: str) -> str:
    course = next(course for course in load(school).catalog.courses if course.slug == "sourdough")
    return next(lesson.notes_html or "" for lesson in course.lessons if lesson.slug == slug)


def test_a_paid_file_is_not_included_in_a_public_text(school: School) -> None:
    add(school, FREE, '{{ include "../../../files/sourdough/loaf-notes.pdf" }}')
    assert any("is a file that people pay for" in fault for fault in faults_of(school))


def test_one_name_written_in_two_ways_is_one_file(school: School) -> None:
    images = school.course_data / "courses/sourdough/notes/images"
    (images / "jar.png").rename(images / unicodedata.normalize("NFD", "crème.png"))
    add(school, FREE, unicodedata.normalize("NFC", "![a](images/crème.png)"))
    build_site(school)
    page = (school.output / "preview/sourdough/what-lives-in-the-jar/index.html").read_text()
    assert re.search(r"/assets/pictures/cr%C3%A8me\.\w+\.png", page)


ENCODINGS: dict[str, tuple[Callable[[str], bytes], str | None]] = {
    "byte order mark": (lambda text: b"\xef\xbb\xbf" + text.encode(), None),
    "windows line ends": (lambda text: text.replace("\n", "\r\n").encode(), None),
    "latin-1": (lambda text: f"{text}é".encode("latin-1", "ignore"), "is not UTF-8"),
    "utf-16": (lambda text: text.encode("utf-16"), "is UTF-16"),
    "zero byte": (lambda text: text.encode() + b"\0", "zero byte"),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_files_of_any_editor_are_read_or_explained(school: School, name: str) -> None:
    encode, expected = ENCODINGS[name]
    for file in (school.course_data / PAID, school.course_data / "courses/sourdough/course.yaml"):
        text = file.read_text()
        file.write_bytes(encode(text))
        if expected is None:
            load(school)
        else:
            assert any(expected in fault and file.name in fault for fault in faults_of(school))
        file.write_text(text)


def test_what_editors_leave_behind_is_no_course(school: School) -> None:
    for name in (".obsidian", ".git", "_drafts", "~backup"):
        (school.course_data / "courses" / name).mkdir()
    (school.course_data / "courses/.DS_Store").write_bytes(b"\0")
    assert len(load(school).catalog.courses) == 4


def test_a_file_with_the_other_ending_is_named(school: School) -> None:
    folder = school.course_data / "courses/sourdough"
    (folder / "course.yaml").rename(folder / "course.yml")
    assert any("Rename it to course.yaml" in fault for fault in faults_of(school))


def test_front_matter_in_notes_is_refused_and_never_printed(school: School) -> None:
    path = school.course_data / PAID
    path.write_text(f"---\ntitle: Numbers\n---\n{path.read_text()}")
    [fault] = faults_of(school)
    assert f"{path}:1:1: This text begins with front matter." in fault


CONTENT: dict[str, tuple[str, str]] = {
    "no front matter": ("Text.", "posts/x.md:1:1: This file does not begin with front matter."),
    "no date": ("---\ntitle: A\n---\n", "“date” is missing"),
    "date": ("---\ntitle: A\ndate: someday\n---\n", "posts/x.md:3:7: “date” cannot be read: “someday”."),
    "unknown field": ("---\ntitle: A\ndate: 2026-01-01\nauthor: B\n---\n", "Did you mean “authors”?"),
    "open quotation mark": ('---\ntitle: "A\ndate: 2026-01-01\n---\n', "posts/x.md:2:8: A quotation mark opens here"),
    "script": ("---\ntitle: A\ndate: 2026-01-01\n---\n\n<script></script>\n", "posts/x.md:6:1: “<script>”"),
    "slug twice": ("---\ntitle: A\nslug: cold-kitchens\ndate: 2026-01-01\n---\n", "is used twice"),
}


@pytest.mark.parametrize("name", CONTENT)
def test_posts_are_checked_like_course_files(school: School, name: str) -> None:
    text, expected = CONTENT[name]
    (school.content / "posts/x.md").write_text(text)
    assert any(expected in fault for fault in faults_of(school)), faults_of(school)


def test_a_page_cannot_have_an_address_of_the_program(school: School) -> None:
    (school.content / "pages/library.md").write_text("---\ntitle: Books\n---\n")
    assert any("“/library/” is an address of the program itself" in fault for fault in faults_of(school))


def test_drafts_and_what_comes_later_are_hidden(school: School) -> None:
    for name, line in {"draft": "draft: true", "later": "publish_at: 2026-12-24 18:00"}.items():
        (school.content / f"pages/{name}.md").write_text(f"---\ntitle: {name.title()}\n{line}\n---\nHello.\n")
    build_site(school, now=NOW)
    assert not (school.output / "draft").exists()
    assert not (school.output / "later").exists()
    build_site(school, now=datetime(2026, 12, 25, tzinfo=UTC))
    assert (school.output / "later/index.html").is_file()
    assert not (school.output / "draft").exists()


def test_public_files_are_copied_and_never_replace_a_page(school: School) -> None:
    (school.public / ".well-known").mkdir(parents=True)
    (school.public / "CNAME").write_text("school.example")
    (school.public / ".well-known/security.txt").write_text("Contact: x")
    build_site(school)
    assert (school.output / "CNAME").read_text() == "school.example"
    assert (school.output / ".well-known/security.txt").is_file()
    (school.public / "robots.txt").write_text("mine")
    with pytest.raises(Exception, match=r"public/robots\.txt has the name of a page or file"):
        build_site(school)


LINKS = {
    "an editor's mark": ("course_data/courses/sourdough/notes/.#four-numbers.md", "ann@host.1234:567"),
    "a circle": ("course_data/courses/sourdough/notes/loop", "loop"),
    "nowhere": ("course_data/courses/dangling", "gone"),
    "a page that is gone": ("content/pages/.#about.md", "gone"),
}


@pytest.mark.parametrize("name", LINKS)
def test_links_that_lead_nowhere_stop_nothing(school: School, name: str) -> None:
    """Emacs makes one beside a file with unsaved changes."""
    place, target = LINKS[name]
    (school.root / place).symlink_to(target)
    build_site(school)
    inputs_of(school, [])


def test_a_course_that_is_a_link_out_of_the_school_is_refused(
    school: School, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(school.course_data / "courses/sourdough", elsewhere / "bread")
    (school.course_data / "courses/bread").symlink_to(elsewhere / "bread")
    assert any("is a link to a place outside the school" in fault for fault in faults_of(school))


FOREIGN = {
    "admonition": ("!!! note", "is a form of another program"),
    "shortcode": ('{{< figure src="x" >}}', "is a form of another program"),
    "wiki link": ("[[a page]]", "is a form of another program"),
    "open fence": ("```python\nx", "This code is never closed"),
    "open comment": ("<!-- later\n\ntext", "This comment is never closed"),
    "space in an address": ("![x](images/my jar.png)", "its address has a space"),
    "empty address": ("[x]()", "This link has no address"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_would_look_broken_is_told(school: School, name: str) -> None:
    written, expected = FOREIGN[name]
    line = add(school, PAID, written)
    assert any(expected in fault and f":{line}:" in fault for fault in faults_of(school)), faults_of(school)


@pytest.mark.parametrize("value", ["notes/four-numbers.txt", "../../../.env", "notes/nothing.markdown"])
def test_a_name_is_not_taken_for_a_text(school: School, value: str) -> None:
    path = school.course_data / "courses/sourdough/course.yaml"
    path.write_text(path.read_text().replace("notes/four-numbers.md", value))
    assert any("looks like the name of a file" in fault for fault in faults_of(school))
