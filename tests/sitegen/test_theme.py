"""The theme: nothing undefined, nothing unused, and a sentence for each notice of the service."""

import re
from pathlib import Path

import lightningcss
import pytest

from dynamic_api.core.notices import Notice
from tests.conftest import ROOT

THEME = ROOT / "theme"
CSS = {path.stem: path.read_text() for path in (THEME / "static/css").glob("*.css")}
MARKUP = "\n".join(
    path.read_text() for path in (*(THEME / "templates").rglob("*.html"), *(THEME / "static/js").glob("*.js"))
)
# Classes that neither a template nor a script writes: Markdown's tables, and Pygments in code.
FROM_MARKDOWN = {
    "table-scroll", "align-left", "align-right", "align-center", "anchor", "tasks", "callout", "callout-title", "tip",
    "important", "warning", "caution", "footnotes", "embed",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CSS))
def test_every_style_sheet_parses_without_a_warning(name: str) -> None:
    """A browser drops a rule that it cannot read, without a word."""
    assert lightningcss.process_stylesheet(CSS[name], filename=f"{name}.css", error_recovery=False)


def test_every_custom_property_is_defined_and_used() -> None:
    text = "\n".join(CSS.values())
    defined = set(re.findall(r"(--[\w-]+)\s*:", text)) | {"--brand", "--accent"}
    used = set(re.findall(r"var\((--[\w-]+)", text))
    assert used == defined


def test_every_class_of_the_style_sheets_is_used() -> None:
    """A rule for a class that no page has is dead."""
    words = set(re.findall(r"[\w-]+", MARKUP))
    without_comments = re.sub(r"/\*.*?\*/", "", "\n".join(CSS.values()), flags=re.S)
    classes = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^}]*\}", "{}", without_comments)))
    assert classes - words - FROM_MARKDOWN == set()


def test_every_page_loads_the_style_sheets_it_needs() -> None:
    """A class is defined in a sheet that every page has, or in one that its template names."""
    everywhere = {"tokens", "base", "layout", "parts"}
    owned = {
        name: set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^}]*\}", "{}", text)))
        for name, text in CSS.items()
        if name not in everywhere
    }
    shared = {
        name for sheet in everywhere for name in re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^}]*\}", "{}", CSS[sheet]))
    }
    for path in (THEME / "templates").glob("*.html"):
        text = path.read_text()
        loaded = set(re.findall(r"asset\('css/(\w+)\.css'\)", text))
        for word in {name for value in re.findall(r'class="([^"{]*)"', text) for name in value.split()} - shared:
            owners = {sheet for sheet, names in owned.items() if word in names}
            assert not owners or owners & loaded, f"{path.name}: .{word} is defined in {owners}"


def test_the_pages_know_every_notice_of_the_service_and_no_other() -> None:
    notices = (THEME / "templates/partials/buy_notices.html").read_text()
    known = set(re.findall(r'\("([a-z-]+)",', notices)) | set(re.findall(r'id="([a-z-]+)" role="status"', notices))
    known |= set(re.findall(r'on-target" id="([a-z-]+)"', (THEME / "templates/catalogue.html").read_text()))
    assert known == {notice.value for notice in Notice}


def test_scripts_reach_the_storage_through_the_module_that_catches_its_errors() -> None:
    for path in (THEME / "static/js").glob("*.js"):
        assert ("localStorage" in path.read_text()) == (path.name == "storage.js"), path.name


def test_every_module_of_the_scripts_is_loaded_by_a_page_or_another_module() -> None:
    loaded = set(re.findall(r"js/(\w+)\.js'", MARKUP)) | set(re.findall(r'from "\./(\w+)\.js"', MARKUP))
    assert {path.stem for path in Path(THEME / "static/js").glob("*.js")} == loaded
