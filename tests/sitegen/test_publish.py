"""Where a site is written, and what is never deleted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sitegen.build import build_site
from sitegen.publish import KEEP_OLD_ASSETS, LIST, OutputRefused, check_output, publish_site
from sitegen.school import School
from tests.conftest import ROOT


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A small site."""
    folder = tmp_path / "built"
    for name, content in {"assets/new.css": "new", "index.html": "home", "gone/index.html": "soon"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {LIST}


def test_old_pages_go_and_old_assets_stay_for_a_while(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    assert publish_site(built, output).changed == 3
    assert publish_site(built, output).changed == 0
    (built / "gone/index.html").unlink()
    (built / "assets/new.css").rename(built / "assets/newer.css")
    assert publish_site(built, output).changed == 2
    assert files(output) == {"index.html", "assets/new.css", "assets/newer.css"}
    assert not (output / "gone").exists()
    old = time.time() - KEEP_OLD_ASSETS - 10
    os.utime(output / "assets/new.css", (old, old))
    publish_site(built, output)
    assert files(output) == {"index.html", "assets/newer.css"}


def test_a_disk_that_takes_no_more_leaves_whole_files(built: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    output = tmp_path / "output"
    publish_site(built, output)
    (built / "index.html").write_text("long " * 1000)
    (built / "gone/index.html").write_text("now")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OutputRefused, match="Each of its files is whole"):
            publish_site(built, output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (output / "index.html").read_text() == "home"
    assert files(output) == files(built)
    assert publish_site(built, output).foreign == ()
    assert (output / "index.html").read_text().startswith("long long")


def test_the_half_written_file_of_a_killed_build_is_ours(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    publish_site(built, output)
    (output / "gone/.index.html.new").write_text("ha")
    (output / ".theirs.new").write_text("stays")
    assert publish_site(built, output).foreign == (".theirs.new",)
    assert files(output) == files(built) | {".theirs.new"}


def test_what_no_build_wrote_stays(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    publish_site(built, output)
    (output / "CNAME").write_text("school.example")
    (output / "gone/mine.txt").write_text("mine")
    (built / "gone/index.html").unlink()
    published = publish_site(built, output)
    assert published.foreign == ("CNAME", "gone/mine.txt")
    assert files(output) == {"index.html", "assets/new.css", "CNAME", "gone/mine.txt"}


def test_a_file_that_is_in_the_way_is_not_replaced(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    publish_site(built, output)
    (built / "about.html").write_text("ours")
    (output / "about.html").write_text("theirs")
    with pytest.raises(OutputRefused, match=r"about\.html is not from a build"):
        publish_site(built, output)
    assert (output / "about.html").read_text() == "theirs"


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "www"
    output.mkdir()
    (output / "thesis.odt").write_text("three years")
    with pytest.raises(OutputRefused, match=r"thesis\.odt"):
        build_site(School(ROOT), output=output, manifest=tmp_path / "catalog.json")
    assert files(output) == {"thesis.odt"}


def test_a_list_that_cannot_be_read_is_no_licence_to_delete(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    publish_site(built, output)
    (output / LIST).write_text("{")
    before = files(output)
    (built / "gone/index.html").unlink()
    with pytest.raises(OutputRefused, match="cannot be read"):
        publish_site(built, output)
    assert files(output) == before


@pytest.mark.parametrize("output", [".", "course_data", "course_data/site", "content", ".."])
def test_the_schools_own_files_are_never_the_output(tmp_path: Path, output: str) -> None:
    school = tmp_path / "school"
    sources = (school / "course_data", school / "content")
    for source in sources:
        source.mkdir(parents=True)
    with pytest.raises(OutputRefused, match="in each other"):
        check_output(school / output, manifest=tmp_path.parent / "catalog.json", sources=sources)


def test_a_manifest_inside_the_public_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputRefused, match="everybody could read it"):
        check_output(tmp_path / "output", manifest=tmp_path / "output/private/catalog.json", sources=())


def test_a_file_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("x")
    with pytest.raises(OutputRefused, match="is a file"):
        check_output(tmp_path / "output", manifest=tmp_path / "catalog.json", sources=())


INTERRUPTED = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
import sitegen.publish as publish
replace = publish._replace
def slowly(source, target):
    if target.name == "index.html":
        os.kill(os.getpid(), signal.{signal})
    return replace(source, target)
publish._replace = slowly
publish.publish_site(Path(sys.argv[1]), Path(sys.argv[2]))
print("never said")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interruption_waits_until_the_site_is_whole(built: Path, tmp_path: Path, name: str) -> None:
    output = tmp_path / "output"
    program = INTERRUPTED.replace("{signal}", name)
    done = subprocess.run(
        [sys.executable, "-c", program, built, output], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (-signal.SIGTERM, -signal.SIGINT, 130)
    assert "never said" not in done.stdout
    assert files(output) == {"index.html", "assets/new.css", "gone/index.html"}


@pytest.mark.parametrize("name", ["course_data/site.yaml", "README.md", "notes.json", "build", "course_data/new.json"])
def test_a_manifest_never_takes_the_place_of_something_else(tmp_path: Path, name: str) -> None:
    school = tmp_path / "school"
    (school / "course_data").mkdir(parents=True)
    (school / "build").mkdir()
    (school / "course_data/site.yaml").write_text("name: A\n")
    (school / "README.md").write_text("# A\n")
    (school / "notes.json").write_text("{}")
    with pytest.raises(OutputRefused, match=r"build/catalog\.json"):
        check_output(school / "output", manifest=school / name, sources=(school / "course_data",))
    assert (school / "course_data/site.yaml").read_text() == "name: A\n"


def test_a_file_that_is_no_catalogue_is_not_replaced(tmp_path: Path) -> None:
    manifest = tmp_path / "private/catalog.json"
    manifest.parent.mkdir()
    manifest.write_text('{"my": "notes"}')
    with pytest.raises(OutputRefused, match="no catalogue that a build wrote"):
        check_output(tmp_path / "output", manifest=manifest, sources=())
    manifest.write_text('{"version":"1","built_at":"2026"}')
    check_output(tmp_path / "output", manifest=manifest, sources=())


def test_a_site_inside_another_site_is_refused(built: Path, tmp_path: Path) -> None:
    publish_site(built, tmp_path / "output")
    with pytest.raises(OutputRefused, match="inside another public site"):
        check_output(tmp_path / "output/sub", manifest=tmp_path / "build/catalog.json", sources=())
