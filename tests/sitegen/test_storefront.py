"""What a storefront says beside its courses: lists, related courses, what machines read, and shared links."""

import json
import re
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from sitegen import urls
from sitegen.build import build_site
from sitegen.catalog.load import load_catalog
from sitegen.catalog.public import PublicCatalog, public_view
from sitegen.history import History, read_history
from sitegen.school import School
from sitegen.site.listings import PER_PAGE, related, tagged
from sitegen.site.share_pictures import Card, can_draw, draw, scripts_of
from tests.conftest import ROOT
from tests.sitegen.test_build import copy_of_sample

SITE = "https://school.test"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's site."""
    folder = tmp_path_factory.mktemp("storefront")
    build_site(School(ROOT), output=folder / "output", manifest=folder / "catalog.json", site_url=SITE)
    return folder / "output"


@pytest.fixture(scope="module")
def public() -> PublicCatalog:
    """The sample, as visitors see it."""
    return public_view(load_catalog(ROOT / "course_data"))


def described(output: Path, page: str) -> dict[str, Any]:  # Any: JSON
    """The structured data of a page, by type."""
    html = (output / page / "index.html").read_text()
    [script] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
    return {each["@type"]: each for each in json.loads(script)["@graph"]}


# What search engines require, and what they recommend and we have: developers.google.com/search/docs, by type.
REQUIRED: dict[str, dict[str, tuple[str, ...]]] = {
    "": {
        "Organization": ("name", "url", "logo", "email", "address", "sameAs", "vatID"),
        "WebSite": ("name", "url", "inLanguage"),
        "ItemList": ("itemListElement",),
    },
    "courses": {"ItemList": ("itemListElement",)},
    "courses/sourdough": {
        "Course": ("name", "description", "provider", "offers", "hasCourseInstance", "image", "aggregateRating"),
        "FAQPage": ("mainEntity",),
        "BreadcrumbList": ("itemListElement",),
    },
    "preview/sourdough": {
        "VideoObject": ("name", "thumbnailUrl", "uploadDate", "duration", "embedUrl", "description"),
        "BreadcrumbList": ("itemListElement",),
    },
    "news/cold-kitchens": {
        "BlogPosting": ("headline", "image", "datePublished", "author", "publisher"),
        "BreadcrumbList": ("itemListElement",),
    },
    "teachers/mira-holm": {"Person": ("name", "url", "jobTitle", "image"), "BreadcrumbList": ("itemListElement",)},
}  # fmt: skip


@pytest.mark.parametrize("page", REQUIRED)
def test_structured_data_has_what_search_engines_require(output: Path, page: str) -> None:
    found = described(output, page)
    for kind, names in REQUIRED[page].items():
        if kind == "VideoObject" and not read_history(ROOT, output.parent / "history.json").dates:
            continue  # a checkout without git's history knows no dates, and says none
        assert [name for name in names if not found[kind].get(name)] == [], kind


def test_only_learners_of_this_school_are_counted_for_search_engines(output: Path) -> None:
    course = described(output, "courses/sourdough")["Course"]
    assert course["aggregateRating"]["ratingCount"] == 3  # the fourth was written elsewhere
    assert {each["author"]["name"] for each in course["review"]} == {"Henrike", "Samir", "Lotte"}
    html = (output / "courses/sourdough/index.html").read_text()
    assert "from The old workshop" in html
    assert "4 reviews" in html


def test_breadcrumbs_are_seen_as_they_are_described(output: Path) -> None:
    html = (output / "courses/sourdough/index.html").read_text()
    crumbs = described(output, "courses/sourdough")["BreadcrumbList"]["itemListElement"]
    for crumb in crumbs:
        assert crumb["name"] in html.partition("</nav>")[2]


def test_every_public_page_has_its_card(output: Path) -> None:
    for path in output.rglob("index.html"):
        html = path.read_text()
        if 'name="robots" content="noindex"' in html:
            assert "og:" not in html
            continue
        for name in ("og:type", "og:title", "og:description", "og:url", "og:site_name", "og:locale"):
            assert len(re.findall(rf'<meta property="{name}" content="[^"]+">', html)) == 1, (path, name)
        assert '<meta name="twitter:card"' in html
        for address in re.findall(rf'<meta property="og:image" content="{SITE}([^"]+)"', html):
            with Image.open(output / address.lstrip("/")) as picture:
                assert picture.size == (1200, 630)
    assert "og:image" in (output / "courses/sourdough/index.html").read_text()
    assert "og:image" in (output / "news/cold-kitchens/index.html").read_text()
    assert "og:image" in (output / "about/index.html").read_text()


def test_sitemap_names_public_pages_with_pictures(output: Path) -> None:
    tree = ElementTree.parse(output / "sitemap.xml")  # noqa: S314 - our own
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "i": "http://www.google.com/schemas/sitemap-image/1.1"}
    listed = {each.text for each in tree.findall("s:url/s:loc", space)}
    assert {f"{SITE}/", f"{SITE}/news/", f"{SITE}/courses/sourdough/", f"{SITE}/topics/baking/"} <= listed
    assert not any(each and ("/learn/" in each or "/account/" in each or "/gift/" in each) for each in listed)
    assert len(tree.findall("s:url/i:image/i:loc", space)) > 5


def test_markdown_twins_say_what_the_page_says(output: Path) -> None:
    twin = (output / "courses/sourdough/index.md").read_text()
    assert twin.startswith("# Sourdough, from Starter to Loaf\n\n> Grow a starter")
    assert "## Curriculum" in twin
    assert "€49" in twin
    links = re.findall(rf"\]\({SITE}(/[^)]*)\)", (output / "llms.txt").read_text())
    assert "/courses/sourdough/index.md" in links
    assert [each for each in links if not (output / each.lstrip("/")).is_file()] == []


def test_security_txt_is_good_for_less_than_a_year(output: Path) -> None:
    text = (output / ".well-known/security.txt").read_text()
    fields = dict(line.split(": ", 1) for line in text.splitlines())
    assert fields["Contact"] == "mailto:security@lantern-workshop.example"
    left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert 300 < left.days <= 365


@pytest.mark.parametrize(
    ("robots", "expected"), [("all", (True, True)), ("no-ai", (False, True)), ("none", (False, False))]
)
def test_robots_are_told_what_the_creator_wants(tmp_path: Path, robots: str, expected: tuple[bool, bool]) -> None:
    root = copy_of_sample(tmp_path)
    with (root / "course_data/site.yaml").open("a") as file:
        file.write(f"robots: {robots}\n")
    build_site(School(root), output=tmp_path / "o", manifest=tmp_path / "b/catalog.json")
    rules = (tmp_path / "o/robots.txt").read_text()
    groups = {name: group for group in rules.split("\n\n") for name in re.findall(r"User-agent: (\S+)", group)}
    may = [re.search(r"^Disallow: /$", groups.get(name, groups["*"]), re.M) is None for name in ("GPTBot", "Googlebot")]
    assert tuple(may) == expected
    assert ('content="noindex"' in (tmp_path / "o/index.html").read_text()) is (robots == "none")


def test_a_tag_has_one_page_however_it_is_spelt(public: PublicCatalog) -> None:
    from dataclasses import replace

    course = public.courses[0].card
    spelt = [
        replace(course, slug=f"c{number}", tags=(tag,))
        for number, tag in enumerate(("Bread & butter", "bread-butter", "Bread, butter", "パン作り", "a/b", "C++", "…"))
    ]
    found = tagged(spelt)
    assert set(found) == {"bread-butter", "パン作り", "a-b", "c"}
    assert len(found["bread-butter"][1]) == 3
    assert urls.tag("パン作り") == "/topics/%E3%83%91%E3%83%B3%E4%BD%9C%E3%82%8A/"


def test_related_courses_have_most_in_common_or_are_named(public: PublicCatalog) -> None:
    from dataclasses import replace

    base = public.courses[0]
    others = [
        replace(base, id="far", slug="far", tags=("x",), level="advanced", instructor=public.courses[1].instructor),
        replace(base, id="near", slug="near"),
        replace(base, id="middle", slug="middle", tags=()),
    ]
    assert [each.slug for each in related(base, [base, *others])] == ["near", "middle", "far"]
    named = replace(base, related=("far", "gone"))
    assert [each.slug for each in related(named, [named, *others])] == ["far"]


def test_long_lists_have_pages(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    knots = root / "course_data/courses/seven-useful-knots"
    for number in range(PER_PAGE):
        folder = knots.with_name(f"knots-{number}")
        shutil.copytree(knots, folder)
        text = (folder / "course.yaml").read_text()
        text = re.sub(r"\bid: (?!tomas)(\S+)", rf"id: \1-{number}", text).replace("slug: seven-useful-knots\n", "")
        (folder / "course.yaml").write_text(text)
    build_site(School(root), output=tmp_path / "o", manifest=tmp_path / "b/catalog.json", site_url=SITE)
    first, second = ((tmp_path / f"o/courses/{name}index.html").read_text() for name in ("", "page/2/"))
    assert first.count('<article class="card"') == PER_PAGE
    assert second.count('<article class="card"') == 3
    assert 'rel="next" href="/courses/page/2/"' in first
    assert 'rel="prev" href="/courses/"' in second
    assert f"See all {PER_PAGE + 3} courses" in (tmp_path / "o/index.html").read_text()
    assert f'<link rel="canonical" href="{SITE}/courses/page/2/">' in second


CARD = Card("Bread", "With Ann", "School", "#24506b", "#b5541f", "en", False, "")


@pytest.mark.parametrize(
    ("title", "language", "is_right_to_left"),
    [
        ("الخبز المخمر مع Git 2", "ar", True),
        ("לחם מחמצת ב-7 ימים", "he", True),
        ("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverleihungsurkunde", "de", False),
        ("x" * 300, "en", False),
        ("word " * 60, "en", False),
        ('"] #panic("code") \\ $x$ *b* <l> @r // /*', "en", False),
        ("🍞 Bread 🎉\u202e", "en", False),
        ("🍞", "en", False),
    ],
)
def test_a_card_is_drawn_in_any_script_and_twice_the_same(
    tmp_path: Path, title: str, language: str, is_right_to_left: bool
) -> None:
    from dataclasses import replace

    card = replace(CARD, title=title, language=language, is_right_to_left=is_right_to_left)
    assert can_draw(card, tmp_path / "none")
    one, other = (draw(card, tmp_path, tmp_path / "none", tmp_path / name) for name in ("a", "b"))
    assert one == other
    with Image.open(tmp_path / "a" / f"{card.address.rpartition('/')[2]}") as picture:
        assert picture.size == (1200, 630)


def test_a_script_without_a_font_gets_no_card(tmp_path: Path) -> None:
    from dataclasses import replace

    assert scripts_of("パンをcoをбук 12 %") == {"KATAKANA", "HIRAGANA", "LATIN", "CYRILLIC"}
    assert not can_draw(replace(CARD, title="ᏣᎳᎩ"), tmp_path / "none")
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts/Own.ttf").write_bytes(b"")
    assert can_draw(replace(CARD, title="ᏣᎳᎩ"), tmp_path / "fonts")


def test_dates_come_from_git_and_from_nowhere_else(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    assert read_history(root, tmp_path / "h.json") == History()

    def git(*words: str, day: int) -> None:
        when = f"2026-03-{day:02} 12:00:00 +0000"
        told = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        command = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.com", *words]
        subprocess.run(command, check=True, capture_output=True, env=told)

    git("init", "-q", day=1)
    git("add", ".", day=1)
    git("commit", "-qm", "one", day=1)
    notes = root / "course_data/courses/sourdough/notes/what-lives-in-the-jar.md"
    notes.write_text(notes.read_text() + "\nMore.\n")
    git("commit", "-qam", "two", day=9)
    for _ in range(2):  # the second time from what was kept
        history = read_history(root, tmp_path / "h.json")
        course = history.of("course_data/courses/sourdough")
        assert course is not None
        assert (course.first.date(), course.last.date()) == (date(2026, 3, 1), date(2026, 3, 9))
        about = history.of("content/pages/about.md")
        assert about is not None
        assert about.last.date() == date(2026, 3, 1)
    shutil.rmtree(root / ".git")
    build_site(School(root), output=tmp_path / "o", manifest=tmp_path / "b/catalog.json")
    assert "Last updated" not in (tmp_path / "o/courses/sourdough/index.html").read_text()
