"""How a school looks: colours that can be read, fonts, corners, its own HTML and CSS, and other looks."""

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitegen.build import BuildFailed, build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.palette import ENOUGH, PAPER, contrast, nearest_readable, palette, parse, written
from sitegen.school import School
from sitegen.site.share_pictures import FONTS
from tests.sitegen.test_build import copy_of_sample

colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@given(colours)
def test_every_colour_makes_a_palette_that_can_be_read(colour: str) -> None:
    light, dark = palette(colour, colour)
    for text, paper in (
        (light["brand-text"], PAPER),
        ("#ffffff", light["brand-fill"]),
        (light["accent-text"], light["accent-soft"]),
        (light["brand-text"], light["brand-soft"]),
        (dark["brand-text"], "#16181d"),
        ("#0f1216", dark["brand-fill"]),
        (dark["accent-text"], dark["accent-soft"]),
    ):
        assert contrast(text, paper) >= ENOUGH, (colour, text, paper)


@given(colours)
def test_the_nearest_readable_colour_is_one(colour: str) -> None:
    near = nearest_readable(colour)
    assert contrast(near, PAPER) >= ENOUGH
    assert contrast(colour, PAPER) < ENOUGH or near == written(parse(colour))


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def school_with(folder: Path, old: str, new: str) -> School:
    """The sample with another line in site.yaml."""
    root = copy_of_sample(folder)
    site = root / "course_data/site.yaml"
    assert old in site.read_text()
    site.write_text(site.read_text().replace(old, new))
    return School(root)


def build(school: School, folder: Path) -> Path:
    """Build it; returns the output folder."""
    build_site(school, output=folder / "output", manifest=folder / "build/catalog.json")
    return folder / "output"


def sheet(output: Path) -> str:
    """The style sheet of all pages."""
    [path] = output.glob("assets/*/css/site.css")
    return path.read_text()


@pytest.mark.parametrize("colour", ["#fefefe", "#ffd400", "#9ad0f5"])
def test_a_colour_that_cannot_be_read_is_refused_with_the_nearest(tmp_path: Path, colour: str) -> None:
    school = school_with(tmp_path, 'color: "#24506b"', f'color: "{colour}"')
    with pytest.raises(CatalogInvalid) as refused:
        build(school, tmp_path)
    [fault] = refused.value.faults
    assert fault.line > 1
    assert nearest_readable(colour) in fault.remedy


def test_colours_faces_corners_and_room_reach_the_sheet(tmp_path: Path) -> None:
    school = school_with(
        tmp_path,
        'accent: "#b5541f"',
        'accent: "#7a2e8c"\n  faces: sans\n  corners: round\n  density: airy\n  logo_height: 40',
    )
    css = sheet(build(school, tmp_path))
    assert "--accent:#7a2e8c" in css
    assert "--radius:20px" in css
    assert "--s6:2.6rem" in css
    assert "--logo-height:40px" in css
    assert re.search(r"--text-face:system-ui", css)
    assert "oklch(from" not in css, "browsers that cannot do this are still around"


def test_every_page_has_one_sheet_and_no_script_in_its_way(tmp_path: Path) -> None:
    output = build(School(copy_of_sample(tmp_path)), tmp_path)
    for path in output.rglob("*.html"):
        html = path.read_text()
        assert html.count('rel="stylesheet"') == 1, path
        assert re.findall(r"<script(?![^>]*(?:type=\"module\"|ld\+json))[^>]*>", html) == [], path
    assert len(sheet(output)) < 40_000


def test_own_fonts_and_styles_are_served_and_come_last(tmp_path: Path) -> None:
    school = school_with(
        tmp_path, 'accent: "#b5541f"', 'accent: "#b5541f"\n  fonts:\n    text: own.woff2\n  css: own.css'
    )
    shutil.copy(FONTS / "NotoSans-Regular.ttf", school.course_data / "own.woff2")
    (school.course_data / "own.css").write_text(".hero { outline: 1px solid }\n")
    output = build(school, tmp_path)
    css = sheet(output)
    assert css.rstrip().endswith(".hero{outline:1px solid}")
    assert '--text-face:"own-text","stand-in-text","Iowan' in css
    assert re.search(r'font-family:"stand-in-text";src:local\("Georgia"\);size-adjust:1[01]\d', css)
    [font] = output.glob("assets/*/fonts/own.woff2")
    assert font.stat().st_size < (FONTS / "NotoSans-Regular.ttf").stat().st_size / 5
    assert font.read_bytes()[:4] == b"wOF2"
    html = (output / "index.html").read_text()
    assert f'href="/{font.relative_to(output).as_posix()}" as="font"' in html


def test_a_font_that_is_none_is_served_as_it_is(tmp_path: Path) -> None:
    school = school_with(tmp_path, 'accent: "#b5541f"', 'accent: "#b5541f"\n  fonts:\n    ui: own.woff2')
    (school.course_data / "own.woff2").write_bytes(b"wOF2 not really")
    css = sheet(build(school, tmp_path))
    assert '--ui-face:"own-ui",system-ui' in css


def test_own_css_that_browsers_would_block_is_a_fault(tmp_path: Path) -> None:
    school = school_with(tmp_path, 'accent: "#b5541f"', 'accent: "#b5541f"\n  css: own.css')
    (school.course_data / "own.css").write_text("p {}\n@import url(https://fonts.example/x.css);\n")
    with pytest.raises(CatalogInvalid, match=r"own\.css:2"):
        build(school, tmp_path)


SNIPPETS = {
    '<script defer src="https://stats.example/s.js"></script>': "",
    "<script>alert(1)</script>": "written in the page",
    '<script src="https://other.example/s.js"></script>': "other.example",
    '<img src="//other.example/p.gif" alt="">': "other.example",
    '<link rel="stylesheet" href="https://other.example/x.css">': "other.example",
    '<meta name="x" onload="y()">': "on…=",
    '<script type="application/ld+json">{"@type": "Thing"}</script>': "",
}


@pytest.mark.parametrize("html", SNIPPETS)
def test_a_snippet_may_do_what_the_pages_policy_lets_it(tmp_path: Path, html: str) -> None:
    school = school_with(
        tmp_path, "refund_days: 30", "refund_days: 30\nhead:\n  file: head.html\n  hosts: [https://stats.example]"
    )
    (school.course_data / "head.html").write_text(f"\n{html}\n")
    if SNIPPETS[html]:
        with pytest.raises(CatalogInvalid, match=rf"head\.html:2.*{SNIPPETS[html]}"):
            build(school, tmp_path)
        return
    output = build(school, tmp_path)
    for page, has in (("courses", True), ("courses/sourdough", True), ("topics/baking", True), ("sign-in", False),
                      ("learn/sourdough/what-lives-in-the-jar", False), ("account", False), ("", False)):  # fmt: skip
        assert (html in (output / page / "index.html").read_text()) is has, page


def test_the_studio_look_is_another_page_with_the_same_content(tmp_path: Path) -> None:
    school = school_with(tmp_path, "refund_days: 30", "refund_days: 30\nlook: studio")
    output = build(school, tmp_path)
    html, css = (output / "courses/sourdough/index.html").read_text(), sheet(output)
    assert '<div class="opening">' in html
    assert html.count("<h1>") == 1
    assert 'action="/api/checkout"' in html
    assert "color-scheme:dark" in css
    assert ".opening" in css
    plain = build(School(copy_of_sample(tmp_path / "plain")), tmp_path / "plain")
    assert ".opening" not in sheet(plain)


def test_an_own_template_may_build_on_the_base(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    (root / "theme/templates").mkdir(parents=True)
    own = root / "theme/templates/course.html"
    own.write_text('{% extends "base/course.html" %}{% block above %}<p>Our own line.</p>{% endblock %}')
    output = build(School(root), tmp_path)
    html = (output / "courses/sourdough/index.html").read_text()
    assert "<p>Our own line.</p>" in html
    assert "<h1>Sourdough" in html
    own.write_text('{% extends "base/course.html" %}\n{% block above %}{{ nothing }}{% endblock %}')
    with pytest.raises(BuildFailed, match=r"theme/templates/course\.html:2"):
        build(School(root), tmp_path)


def test_icons_are_made_of_the_logo_or_of_a_letter(tmp_path: Path) -> None:
    school = school_with(tmp_path, "logo: images/logo.svg\n", "")
    output = build(school, tmp_path)
    html = (output / "index.html").read_text()
    assert '<link rel="icon" href="/favicon.ico">' in html
    assert '<link rel="manifest" href="/site.webmanifest">' in html
    assert (output / "favicon.ico").read_bytes()[:4] == b"\0\0\1\0"
    assert len(list(output.glob("assets/icons/*.png"))) == 3
