"""The theme: nothing undefined, nothing unused, and a sentence for each notice of the service."""

import re
from pathlib import Path

import lightningcss
import pytest

from dynamic_api.core.notices import Notice
from sitegen.catalog.load import load_catalog
from sitegen.site.brand import style_sheet
from tests.conftest import ROOT

THEME = ROOT / "theme"
SITE = load_catalog(ROOT / "course_data").site
CSS = {path.stem: path.read_text() for path in (THEME / "static/css").glob("*.css")}
MARKUP = "\n".join(
    path.read_text() for path in (*(THEME / "templates").rglob("*.html"), *(THEME / "static/js").glob("*.js"))
)
# Classes that neither a template nor a script writes: Markdown's tables, and Pygments in code.
FROM_MARKDOWN = {
    "table-scroll", "align-left", "align-right", "align-center", "anchor", "tasks", "callout", "callout-title", "tip",
    "important", "warning", "caution", "footnotes", "embed", *(f"half-{number}" for number in range(2, 11)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CSS))
def test_every_style_sheet_parses_without_a_warning(name: str) -> None:
    """A browser drops a rule that it cannot read, without a word."""
    assert lightningcss.process_stylesheet(CSS[name], filename=f"{name}.css", error_recovery=False)


def test_every_custom_property_is_defined_and_used() -> None:
    text = "\n".join(CSS.values())
    [made] = re.findall(r":root \{([^}]*)\}", style_sheet(SITE))[:1]
    brand = set(re.findall(r"(--[\w-]+):", made)) - {"--brand", "--accent"}  # those two are for sheets of a school
    defined = set(re.findall(r"(--[\w-]+)\s*:", text)) | brand
    used = set(re.findall(r"var\((--[\w-]+)", text))
    assert used == defined


def test_every_class_of_the_style_sheets_is_used() -> None:
    """A rule for a class that no page has is dead."""
    words = set(re.findall(r"[\w-]+", MARKUP))
    without_comments = re.sub(r"/\*.*?\*/", "", "\n".join(CSS.values()), flags=re.S)
    classes = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^}]*\}", "{}", without_comments)))
    assert classes - words - FROM_MARKDOWN == set()


def test_no_page_and_no_script_writes_a_style() -> None:
    """The pages' policy blocks it without a word to anybody."""
    assert re.findall(r"\sstyle=|\.style\b|cssText", MARKUP) == []


def test_the_pages_know_every_notice_of_the_service_and_no_other() -> None:
    notices = (THEME / "templates/partials/buy_notices.html").read_text()
    known = set(re.findall(r'\("([a-z-]+)",', notices)) | set(re.findall(r'id="([a-z-]+)" role="status"', notices))
    known |= set(re.findall(r'on-target" id="([a-z-]+)"', (THEME / "templates/catalogue.html").read_text()))
    assert known == {notice.value for notice in Notice}


def test_scripts_reach_the_storage_through_the_module_that_catches_its_errors() -> None:
    for path in (THEME / "static/js").glob("*.js"):
        assert ("localStorage" in path.read_text()) == (path.name == "storage.js"), path.name


def test_every_module_of_the_scripts_is_loaded_by_a_page_or_another_module() -> None:
    loaded = set(re.findall(r"js/(\w+)\.js'", MARKUP)) | set(
        re.findall(r'(?:from|import|import\()\s*"\./(\w+)\.js"', MARKUP)
    )
    assert {path.stem for path in Path(THEME / "static/js").glob("*.js")} == loaded
