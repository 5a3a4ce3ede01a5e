"""What is taken from the last time is what would be made anew: byte for byte, after any sequence of edits."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sitegen.build import SiteLeaks, build_site, render
from sitegen.catalog import compile_cache, library, load, text_files, validate
from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.public import public_view
from sitegen.load import Loaded, load_school
from sitegen.school import School
from sitegen.site.render import SiteFile, SiteRenderer, Source
from tests.conftest import ROOT

NOW = datetime(2026, 11, 30, tzinfo=UTC)
COURSE = "course_data/courses/sourdough"


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        path = root / name
        if path.exists():
            path.write_text(path.read_text().replace(old, new))

    return edit


def appended(name: str, text: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        path = root / name
        if path.exists():
            path.write_text(path.read_text() + text)

    return edit


def _rename_notes(root: Path) -> None:
    path = root / COURSE / "notes/four-numbers.md"
    if path.exists():
        path.rename(path.with_name("numbers.md"))
        replaced(f"{COURSE}/course.yaml", "notes/four-numbers.md", "notes/numbers.md")(root)


def _hide_picture(root: Path) -> None:
    (root / COURSE / "thumbnail.svg").unlink(missing_ok=True)


def _draw_picture(root: Path) -> None:
    (root / COURSE / "thumbnail.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>')


EDITS: dict[str, Callable[[Path], None]] = {
    "paid text": appended(f"{COURSE}/notes/feeding-and-keeping.md", "\n\nMore.\n"),
    "free text": appended(f"{COURSE}/notes/what-lives-in-the-jar.md", "\n\nMore.\n"),
    "description": appended(f"{COURSE}/description.md", "\n\n## More\n\nText.\n"),
    "link": appended(f"{COURSE}/notes/feeding-and-keeping.md", "\n\n[jar](what-lives-in-the-jar.md#more)\n"),
    "heading linked to": appended(f"{COURSE}/notes/what-lives-in-the-jar.md", "\n\n## More\n"),
    "course title": replaced(f"{COURSE}/course.yaml", "title: Sourdough, from", "title: Sour Dough, from"),
    "title back": replaced(f"{COURSE}/course.yaml", "title: Sour Dough, from", "title: Sourdough, from"),
    "price": replaced(f"{COURSE}/course.yaml", "amount: 4900", "amount: 5900"),
    "lesson title": replaced(f"{COURSE}/course.yaml", "title: What lives in the jar", "title: The jar"),
    "slug": replaced(
        f"{COURSE}/course.yaml", "slug: four-numbers", "slug: numbers\n        moved_from: [four-numbers]"
    ),
    "free lesson": replaced(f"{COURSE}/course.yaml", "preview: true", "preview: false"),
    "notes renamed": _rename_notes,
    "picture gone": _hide_picture,
    "picture drawn": _draw_picture,
    "fault": appended(f"{COURSE}/course.yaml", "nonsense: 1\n"),
    "fault mended": replaced(f"{COURSE}/course.yaml", "nonsense: 1\n", ""),
    "brand": replaced("course_data/site.yaml", "#24506b", "#305030"),
    "instructor": replaced("course_data/site.yaml", "Mira baked", "Mira Holm baked"),
    "language": replaced("course_data/site.yaml", "language: en", "language: de"),
    "template": appended("theme/templates/partials/footer.html", "<!-- more -->\n"),
    "style": appended("theme/static/css/parts.css", "\n.notice { color: red }\n"),
    "post": appended("content/posts/cold-kitchens.md", "\nMore.\n"),
    "other course": replaced("course_data/courses/bookbinding/course.yaml", "amount: ", "amount: 1"),
    "retired": replaced(f"{COURSE}/course.yaml", "status: published", "status: retired"),
    "for sale again": replaced(f"{COURSE}/course.yaml", "status: retired", "status: published"),
}


def forget() -> None:
    """As in a new process."""
    compile_cache._kept.clear()
    load._registered.clear()
    validate._read.clear()
    library._without_references.cache_clear()
    text_files._read.cache_clear()


@given(edits=st.lists(st.sampled_from(sorted(EDITS)), min_size=2, max_size=6))
@settings(
    max_examples=int(os.environ.get("HISTORIES", "4")),
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=list(HealthCheck),
)
def test_a_second_rendering_is_the_same_as_a_first(tmp_path_factory: pytest.TempPathFactory, edits: list[str]) -> None:
    root = tmp_path_factory.mktemp("again")
    for name in ("course_data", "content", "theme"):
        shutil.copytree(ROOT / name, root / name)
    school, renderer, known = School(root), SiteRenderer(), None
    for name in ("", *edits):
        if name:
            EDITS[name](root)
        again = rendered(school, renderer, known)
        forget()
        fresh = rendered(school, SiteRenderer(), None)
        assert again[1] == fresh[1], name
        known = again[0] or known


_PAID = "Weigh the jar empty and write the number on it"

EDITS_OF_LEAKS: dict[str, Callable[[Path], None]] = EDITS | {
    "paid words written": appended(
        f"{COURSE}/notes/feeding-and-keeping.md", f"\n\n{_PAID} with a wax pencil, twice.\n"
    ),
    "paid words on a post": appended("content/posts/cold-kitchens.md", f"\n\n{_PAID} with a wax pencil, twice.\n"),
    "post mended": replaced("content/posts/cold-kitchens.md", f"\n\n{_PAID} with a wax pencil, twice.\n", ""),
    "allowed": replaced(
        f"{COURSE}/course.yaml",
        "        title: Feeding and keeping",
        f"        public_excerpt: {_PAID} with a wax pencil, twice.\n        title: Feeding and keeping",
    ),
    "new video": replaced(f"{COURSE}/course.yaml", "video: 6824", "video: 6825"),
    "page gone": lambda root: (root / "content/posts/cold-kitchens.md").unlink(missing_ok=True),
}


@pytest.mark.slow
@given(edits=st.lists(st.sampled_from(sorted(EDITS_OF_LEAKS)), min_size=2, max_size=5))
@example(edits=["paid words written", "paid words on a post", "paid text", "post mended", "course title"])
@example(edits=["paid words on a post", "paid words written", "allowed", "new video"])
@settings(
    max_examples=int(os.environ.get("HISTORIES", "1")),
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=list(HealthCheck),
)
def test_a_build_with_what_was_kept_is_a_build_without(
    tmp_path_factory: pytest.TempPathFactory, edits: list[str]
) -> None:
    root, fresh = tmp_path_factory.mktemp("kept"), tmp_path_factory.mktemp("fresh")
    for name in ("course_data", "content", "theme"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("", *edits):
        if name:
            EDITS_OF_LEAKS[name](root)
        for part in ("course_data", "content", "theme"):
            shutil.rmtree(fresh / part, ignore_errors=True)
            shutil.copytree(root / part, fresh / part)
        shutil.rmtree(School(fresh).kept, ignore_errors=True)
        assert built(root) == built(fresh), name


@pytest.mark.slow
@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: content[:80] + b"?"])
def test_what_was_kept_and_is_damaged_is_made_anew(root: Path, damage: Callable[[bytes], bytes]) -> None:
    whole = built(root)
    kept = [path for path in School(root).kept.iterdir() if path.is_file()]
    assert {path.name.partition("-")[0] for path in kept} == {"file", "course", "words", "public", "pages"}
    for path in kept:
        path.write_bytes(damage(path.read_bytes()))
    appended("course_data/site.yaml", "# a comment\n")(root)
    assert built(root) == whole


def built(root: Path) -> dict[str, object]:
    """Everything that a build in a new process makes, or why it refuses."""
    forget()
    try:
        did = build_site(School(root), now=NOW, site_url="https://school.test")
    except CatalogInvalid as error:
        return {"faults": [str(fault).replace(str(root), "") for fault in error.faults]}
    except SiteLeaks as error:
        return {"leaks": str(error)}
    files = {
        str(path.relative_to(root)): path.read_bytes() for path in (root / "output").rglob("*.*") if path.is_file()
    }
    manifest = json.loads((root / "build/catalog.json").read_text())
    return {**files, "told": did.told, "untranslated": did.untranslated, "catalog": manifest["catalog"]}


def rendered(
    school: School, renderer: SiteRenderer, known: Loaded | None
) -> tuple[Loaded | None, dict[str, bytes] | list[str]]:
    """What was loaded, and the site; or nothing, and the faults."""
    try:
        loaded = load_school(school, now=NOW, known=known)
    except CatalogInvalid as error:
        return None, [str(fault) for fault in error.faults]
    source = Source(school.root, school.themes, school.public, "https://school.test")
    files = {file.name: file.content for file in renderer.render(public_view(loaded.catalog), loaded.content, source)}
    return loaded, files


def program(*arguments: str | Path, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dynamic_api.commands", *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_nothing_is_built_when_nothing_changed_and_everything_else_is(root: Path) -> None:
    """Told from sizes and times; any change of an input or of the output is noticed."""
    unchanged = "Nothing changed since the last build"
    assert unchanged not in program("build", folder=root)
    assert unchanged in program("build", folder=root)
    assert unchanged not in program("build", "--clean", folder=root)
    assert unchanged in program("build", folder=root)
    page = root / "output/index.html"
    whole = page.read_bytes()
    for change in (
        lambda: page.write_bytes(whole[:100]),
        lambda: page.unlink(),
        lambda: (root / "build/catalog.json").unlink(),
        lambda: (root / "course_data/published.lock").unlink(),
        lambda: (root / "output/stranger.txt").write_text("x"),
        lambda: appended("content/pages/about.md", "\nMore.\n")(root),
        lambda: appended("course_data/site.yaml", "# a comment\n")(root),
    ):
        change()
        assert unchanged not in program("build", folder=root)
        assert page.read_bytes() == whole
        assert unchanged in program("build", folder=root)
    assert unchanged not in program("build", "--site-url", "https://other.example", folder=root)
    assert b"https://other.example" in page.read_bytes()


@pytest.mark.slow
def test_what_is_due_ends_the_rest(root: Path) -> None:
    soon = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    later = soon.replace(year=soon.year + 1)
    (root / "content/pages/later.md").write_text(f"---\ntitle: Later\npublish_at: {later}\n---\nHello.\n")
    program("build", folder=root)
    assert "/later/" in program("due", folder=root)
    state = root / "build/state.json"
    told = json.loads(state.read_text())
    assert told["until"] is not None
    state.write_text(json.dumps({**told, "until": 1.0}))
    assert "Nothing changed" not in program("build", folder=root)


@pytest.mark.slow
def test_two_builds_at_once_leave_a_whole_site(root: Path) -> None:
    commands = [
        [sys.executable, "-m", "dynamic_api.commands", "build", "--clean", "--site-url", "https://school.test"]
    ] * 3
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen(each, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for each in commands
    ]
    for process in started:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    whole = {path.relative_to(root / "output"): path.read_bytes() for path in (root / "output").rglob("*.html")}
    expected = {file.name: file.content for file in expected_files(root)}
    assert {str(name): content for name, content in whole.items()} == {
        name: content for name, content in expected.items() if name.endswith(".html")
    }


def expected_files(root: Path) -> list[SiteFile]:
    school = School(root)
    return list(render(school, load_school(school, now=NOW), site_url="https://school.test", now=NOW))


@pytest.mark.slow
def test_pelicans_door_leads_to_the_same_bytes(tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    build_site(
        School(ROOT), output=ours, manifest=tmp_path / "catalog.json", site_url="https://school.test", rehearsal=True
    )
    theirs = tmp_path / "theirs"
    done = subprocess.run(
        [sys.executable, "-m", "pelican", "-s", "pelicanconf.py", "-o", theirs, "-e", 'SITEURL="https://school.test"'],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    def files(folder: Path) -> dict[str, bytes]:
        found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        found.pop(".coursewright", None)
        return found

    assert files(theirs) == files(ours)


def test_the_same_input_gives_the_same_bytes() -> None:
    school = School(ROOT)
    first = list(render(school, load_school(school, now=NOW), site_url=None, now=NOW))
    forget()
    assert list(render(school, load_school(school, now=NOW), site_url=None, now=NOW)) == first
