"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from dynamic_api.commands.settings import settings_files
from sitegen.reference import reference_files
from tests.conftest import ROOT


def test_documents_made_from_code_are_current() -> None:
    for name, text in {f"docs/{name}": text for name, text in reference_files().items()}.items():
        assert (ROOT / name).read_text() == text, f"{name}: run .venv/bin/python -m scripts.documents"
    for name, text in settings_files().items():
        assert (ROOT / name).read_text() == text, f"{name}: run .venv/bin/python -m scripts.documents"


@pytest.mark.parametrize(
    "document", ["README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
)
def test_links_of_documents_lead_somewhere(document: str) -> None:
    path = ROOT / document
    without_code = re.sub(r"(`{3,4})\w*\n.*?\n\1\n", "", path.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)#:`]+)\)", re.sub(r"`[^`]*`", "", without_code)):
        assert (path.parent / target).exists(), target


def test_every_script_is_documented() -> None:
    documented = (ROOT / "docs/commands.md").read_text()
    for name in ("run", "test", "check", "coursewright"):
        assert (ROOT / "scripts" / name).stat().st_mode & 0o111
        assert f"scripts/{name}" in documented


def test_no_file_names_a_registry_or_this_machine() -> None:
    hosts = re.compile("|".join(("py" + "pi.org", "python" + "hosted", "npm" + "js.org", "registry." + "npm")))
    for path in (
        Path(ROOT / name) for name in ("requirements.lock", "requirements-demo.lock", "requirements-dev.lock")
    ):
        text = path.read_text()
        assert not hosts.search(text)
        assert not re.search(r"https?://|file://", text)
        assert "--hash=sha256:" in text


@pytest.mark.parametrize("document", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_tests_that_a_document_names_exist(document: str) -> None:
    """A promise whose test was renamed is a promise without a test."""
    known = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    named = set(re.findall(r"`(?:[\w/]+/)?(test_\w+\.py)`", (ROOT / "docs" / document).read_text()))
    assert named <= known, named - known
