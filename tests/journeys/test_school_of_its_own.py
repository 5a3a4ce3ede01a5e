"""A school outside this repository, and the program installed from a wheel: init, check, build, demo, upgrade."""

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.ports import free_row

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution, built as for a release."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [path] = folder.glob("*.whl")
    return path


class Program:
    """The installed program, run in some folder."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COURSEWRIGHT_")},
            "PYTHONPATH": str(site),
        }

    def run(self, folder: Path, *arguments: str, status: int = 0) -> str:
        """What it says."""
        done = subprocess.run(
            [sys.executable, "-m", "dynamic_api.commands", *arguments],
            cwd=folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


def install(wheel: Path, folder: Path, version: str | None = None) -> Program:
    """Unpack the wheel, as an installer does; its dependencies are those of this environment."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    if version is not None:
        [info] = folder.glob("*.dist-info")
        text = re.sub(r"(?m)^Version: .*$", f"Version: {version}", (info / "METADATA").read_text())
        (info / "METADATA").write_text(text)
    return Program(folder)


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return install(wheel, tmp_path_factory.mktemp("site"))


@pytest.fixture
def school(program: Program, tmp_path: Path) -> Path:
    """A school that was just made."""
    folder = tmp_path / "my-school"
    program.run(tmp_path, "init", str(folder), "--name", "Käthe’s School: Bread", "--email", "me@school.example")
    return folder


def test_the_wheel_holds_what_a_school_needs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "sitegen", "dynamic_api", "coursewright_demo"
    }  # fmt: skip
    for wanted in ("sitegen/theme/templates/base.html", "sitegen/docs/fields.md", "sitegen/starter/env",
                   "coursewright_demo/sandbox/pages/pay.html", "dynamic_api/migrations/script.py.mako"):  # fmt: skip
        assert wanted in names
    assert not [name for name in names if "test" in name.split("/")[0] or "course_data/courses/sourdough" in name]


def test_a_new_school_is_whole(program: Program, school: Path) -> None:
    assert "no faults" in program.run(school, "check")
    assert (school / ".env").stat().st_mode & 0o077 == 0
    secret = re.search(r"SECRET_KEY=([0-9a-f]{64})$", (school / ".env").read_text(), re.M)
    assert secret
    said = program.run(school, "build", "--json")
    built = json.loads(said.splitlines()[0])
    assert "“Write your terms here” is still there" in said
    assert built["courses"] == 1
    assert "Käthe’s School: Bread" in (school / "output/index.html").read_text()
    assert (school / "course_data/published.lock").is_file()
    ignored = (school / ".gitignore").read_text()
    assert all(name in ignored for name in ("/output/", "/build/", ".env", "/var/"))
    assert len((school / "README.md").read_text().splitlines()) <= 12
    for yaml in school.rglob("*.yaml"):
        if found := re.match(r"# yaml-language-server: \$schema=(.+)", yaml.read_text()):
            assert (yaml.parent / found[1]).is_file(), yaml
    again = program.run(school.parent, "init", str(school), "--name", "A", "--email", "a@b.example", status=1)
    assert "has files already" in again


def test_new_parts_are_valid_at_once(program: Program, school: Path) -> None:
    before = program.run(school, "build")
    program.run(school, "new", "course", "bread", "--title", 'Bread: "good"')
    program.run(school, "new", "lesson", "bread", "second", "--title", "#2")
    program.run(school, "new", "module", "bread", "ovens")
    program.run(school, "new", "page", "imprint", "--title", "Imprint")
    program.run(school, "new", "post", "hello", "--title", "Hello")
    assert "no faults" in program.run(school, "check")
    assert "1 draft skipped" in program.run(school, "build")
    assert before
    assert not (school / "output/imprint").exists()
    for arguments, problem in {
        ("course", "bread"): "is there already",
        ("lesson", "nope", "x"): "There is no course “nope”",
        ("lesson", "bread", "second"): "has a lesson “second” already",
        ("page", "imprint"): "is there already",
    }.items():
        assert problem in program.run(school, "new", *arguments, status=1)
    assert "cannot be part of a URL" in program.run(school, "new", "page", "Über uns", status=2)


def test_mistakes_are_annotated_and_machine_readable(program: Program, school: Path) -> None:
    page = school / "content/pages/about.md"
    page.write_text(page.read_text() + "\n\n![a](nope.png)\n")
    line = page.read_text().count("\n")
    assert f"content/pages/about.md:{line}:1: The file “nope.png” is missing." in program.run(school, "check", status=1)
    annotated = program.run(school, "check", "--github", status=1)
    assert f"::error file=content/pages/about.md,line={line},col=1::The file “nope.png” is missing." in annotated
    [fault] = json.loads(program.run(school, "check", "--json", status=1))["faults"]
    assert (fault["file"], fault["line"]) == ("content/pages/about.md", line)
    outside = program.run(school.parent, "check", status=2)
    assert "There is no school" in outside
    assert f"my-school/content/pages/about.md:{line}" in program.run(
        school.parent, "check", "--school", "my-school", status=1
    )


def test_a_template_of_ones_own_stands_for_the_programs(program: Program, school: Path) -> None:
    own = school / "theme/templates/partials/footer.html"
    own.parent.mkdir(parents=True)
    own.write_text("<footer>Made by hand</footer>\n")
    (school / "theme/static/css").mkdir(parents=True)
    (school / "theme/static/css/parts.css").write_text("p { color: red }")
    program.run(school, "build")
    assert "Made by hand" in (school / "output/index.html").read_text()
    [sheet] = (school / "output/assets").glob("*/css/site.css")
    css = sheet.read_text()
    assert "p{color:red}" in css
    assert ".testimonials" not in css, "the program's parts.css is not there"
    assert "scroll-padding-top" in css, "its others are"
    assert "partials/footer.html" in program.run(school, "upgrade", "--check")


def test_an_upgrade_says_what_changed(program: Program, school: Path, wheel: Path, tmp_path: Path) -> None:
    assert "This school is for version" in program.run(school, "upgrade", "--check")
    newer = install(wheel, tmp_path / "newer", version="99.0")
    (school / ".coursewright/schema/site.schema.json").write_text("{}")
    said = newer.run(school, "upgrade", "--check")
    assert "to 99.0:" in said
    assert "refuses nothing" in said
    assert (school / ".coursewright/schema/site.schema.json").read_text() == "{}"
    newer.run(school, "upgrade")
    assert "$schema" in (school / ".coursewright/schema/site.schema.json").read_text()
    assert "is for version 99.0" in newer.run(school, "upgrade", "--check")
    with (school / "course_data/site.yaml").open("a") as site:
        site.write("colour: red\n")
    assert "is an unknown field" in newer.run(school, "upgrade", "--check", status=1)


def test_documents_are_at_hand(program: Program, school: Path) -> None:
    assert "markdown" in program.run(school, "docs")
    assert "> [!NOTE]" in program.run(school, "docs", "markdown")
    assert "COURSEWRIGHT_SECRET_KEY" in program.run(school, "settings")


@pytest.fixture
def rehearsal(program: Program, school: Path) -> Iterator[tuple[str, str]]:
    """The school's demo: its URL and the sandbox's."""
    port = free_row(3)
    process = subprocess.Popen(
        [sys.executable, "-m", "dynamic_api.commands", "demo", "--port", str(port)],
        cwd=school, env=program.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C stops" in line:
                break
        assert process.poll() is None, "".join(said)
        yield f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_creator_rehearses_their_own_courses(rehearsal: tuple[str, str], school: Path) -> None:
    url, sandbox = rehearsal
    with httpx.Client(base_url=url) as visitor:
        assert "First steps" in visitor.get("/courses/first-steps/").text
        taken = visitor.post(
            "/api/checkout", data={"course": "first-steps", "email": "ann@example.com"}, headers={"Origin": url}
        )
        assert taken.status_code == 303
    deadline = time.monotonic() + 15
    while "ann@example.com" not in httpx.get(f"{sandbox}/inbox").text:
        assert time.monotonic() < deadline, "no email came"
        time.sleep(0.1)
    assert not (school / "course_data/published.lock").exists()  # a rehearsal publishes nothing
