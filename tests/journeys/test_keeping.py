"""The procedures of `docs/keeping.md`, run from its text: backup and restore, upgrade and back, moving elsewhere."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from scripts.installation import Installation
from tests.commands import QuickInstallation
from tests.conftest import ROOT
from tests.journeys.test_kill import Buyer
from tests.ports import free_ports
from tests.school import SOURDOUGH

pytestmark = pytest.mark.slow


def procedures() -> dict[str, list[str]]:
    """The commands under each heading of the document."""
    found = {}
    for section in re.split(r"^## ", (ROOT / "docs/keeping.md").read_text(), flags=re.M)[1:]:
        blocks = re.findall(r"```sh\n(.*?)```", section, re.S)
        found[section.partition("\n")[0]] = [line for block in blocks for line in block.splitlines()]
    return found


@dataclass
class Shell:
    """An administrator's shell in the folder of a school. `instead` is what differs here from the document."""

    installation: Installation
    folder: Path
    bin: Path
    instead: dict[str, str] = field(default_factory=dict)

    def run(self, line: str, *, may_fail: bool = False) -> str:
        """One line of the document."""
        for written, here in self.instead.items():
            line = line.replace(written, here)
        known = self.installation.environment()
        known["PATH"] = f"{self.bin}{os.pathsep}{known['PATH']}"
        done = subprocess.run(
            ["sh", "-c", line], cwd=self.folder, env=known, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert may_fail or done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A school in which somebody bought a course; its service is stopped."""
    school = tmp_path / "school"
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, school / name)
    (tmp_path / "backups").mkdir()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "coursewright"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dynamic_api.commands "$@"\n')
    program.chmod(0o755)
    service, sandbox, smtp = free_ports(3)
    installation = QuickInstallation(tmp_path, service, sandbox, smtp, school=school)
    with installation.running():
        with httpx.Client(base_url=installation.url, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
            buyer = Buyer(installation, browser, "kim@example.com", lambda: None)
            buyer.open_course(buyer.buy())
        installation.stop_service()
        instead = {"/srv/backups": str(tmp_path / "backups")}
        yield Shell(installation, school, tmp_path / "bin", instead)


def owned(database: Path) -> list[str]:
    """The courses that people own."""
    with contextlib.closing(sqlite3.connect(database)) as opened:
        found = opened.execute("SELECT courses.slug FROM entitlements JOIN courses ON courses.id = course_id")
        return [row[0] for row in found]


def test_a_lost_database_comes_back(shell: Shell) -> None:
    database = shell.installation.database
    shell.run("coursewright backup /srv/backups")
    assert "✓ what was paid for" in shell.run("coursewright drill /srv/backups")
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    [name] = [path.name for path in (database.parent / "backups").iterdir()]
    shell.instead["coursewright-20261130-030000.tar"] = name
    restore = procedures()["Back up, try out, restore"]
    assert [line.split()[1] for line in restore] == ["restore", "migrate", "build", "doctor"]
    for line in restore:
        shell.run(line, may_fail="doctor" in line)  # the sandbox is no bank
    assert owned(database) == [SOURDOUGH]


def test_an_upgrade_and_the_way_back(shell: Shell) -> None:
    place = shell.installation.folder / "site"
    shell.installation.extra["PUBLISH_TO"] = str(place)
    shell.run("coursewright publish --yes")
    page = shell.folder / "content/pages/about.md"
    page.write_text(page.read_text() + "\nOne more sentence.\n")
    shell.run("coursewright publish --yes")
    lines = procedures()["Upgrade, and go back"]
    said = [shell.run(line) for line in lines if not line.startswith("pip ")]  # what it installs runs here already
    assert any("Settings and database are those of this version." in each for each in said)
    assert any("the schema of 0.2.0" in each for each in said)
    assert "One more sentence" not in (place / "about/index.html").read_text()
    assert "older schema" in shell.run("coursewright orders", may_fail=True)
    shell.run("coursewright migrate")
    assert owned(shell.installation.database) == [SOURDOUGH]


def test_another_database_and_another_machine(shell: Shell) -> None:
    folder = shell.installation.folder
    copied = folder / "copied.sqlite3"
    [copy] = procedures()["Another database"]
    shell.instead["postgresql+asyncpg://school@localhost/school"] = f"sqlite+aiosqlite:///{copied}"
    assert "are the same in both" in shell.run(copy)
    assert owned(copied) == [SOURDOUGH]
    export, files, go, rows, build = procedures()["Another machine, or another program"]
    shell.run(export)
    new = folder / "elsewhere"
    new.mkdir()
    shutil.move(shell.folder / "school.tar.gz", new)
    assert go == "cd school"
    shell.folder = new
    shell.run(files)
    shell.folder = new / "school"
    shell.installation.extra["DATABASE_URL"] = f"sqlite+aiosqlite:///{new}/new.sqlite3"
    shell.run(rows)
    shell.run(f"{build} --rehearsal")
    assert owned(new / "new.sqlite3") == [SOURDOUGH]
    assert (new / "school/output/index.html").is_file()
