"""What a new school's CI runs, run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sitegen.starter import CI_FILES, Brand, make_school
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def git(folder: Path, *arguments: str) -> None:
    command = ["git", "-C", str(folder), "-c", "user.name=A", "-c", "user.email=a@b.example", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("forge", CI_FILES)
def test_every_command_of_ci_works_in_a_new_school(tmp_path: Path, forge: str) -> None:
    school = tmp_path / "school"
    brand = Brand("A", "a@b.example", "https://a.example", "#24506b", "en", forge)
    assert {path.relative_to(school).as_posix() for path in make_school(school, brand, "1")} >= {CI_FILES[forge]}
    others = [name for each, name in CI_FILES.items() if each != forge]
    assert not any((school / name).exists() for name in others)
    text = (school / CI_FILES[forge]).read_text()
    yaml.safe_load(text)
    commands = re.findall(r"coursewright ((?:check|build|diff)\b[^>\n]*)", text)
    assert [command.split()[0] for command in commands] == ["check", "build", "diff"]
    git(school, "init", "-q", "-b", "main")
    git(school, "add", ".")
    git(school, "commit", "-qm", "one")
    git(school, "update-ref", "refs/remotes/origin/main", "HEAD")
    page = school / "course_data/courses/first-steps/course.yaml"
    page.write_text(page.read_text().replace("price: free", "price:\n  amount: 4900\n  currency: EUR"))
    for command in commands:
        arguments = re.sub(r'"origin/\$\w+"', "origin/main", command).split()
        done = subprocess.run(
            [sys.executable, "-m", "dynamic_api.commands", *arguments],
            cwd=school,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "- price: free → €49" in done.stdout
    assert not (school / "course_data/published.lock").exists()  # CI publishes nothing
