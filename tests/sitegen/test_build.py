"""The built site: what is in it, what is not, and that it never stands half-written."""

import json
import re
import shutil
from pathlib import Path

import jsonschema
import pytest

from sitegen.build import BuildFailed, SiteLeaks, build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.manifest import ManifestUnreadable, read_manifest
from sitegen.catalog.model import Catalog
from sitegen.catalog.public import price_note, public_view
from sitegen.catalog.taxes import Taxes
from sitegen.catalog.yaml_source import read_yaml
from sitegen.school import School
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, built once."""
    folder = tmp_path_factory.mktemp("built")
    build_site(
        School(ROOT),
        output=folder / "output",
        manifest=folder / "catalog.json",
        site_url="https://school.test",
    )
    return folder


def copy_of_sample(folder: Path, *, with_theme: bool = False) -> Path:
    """The sample as a school of its own; with its own copy of the theme, for tests that change it."""
    root = folder / "school"
    for name in ("content", "course_data", *(["theme"] if with_theme else [])):
        shutil.copytree(ROOT / name, root / name)
    return root


def pages(built: Path) -> dict[str, str]:
    """Address → HTML."""
    output = built / "output"
    return {str(path.relative_to(output)): path.read_text() for path in output.rglob("*.html")}


def test_every_link_of_every_page_leads_somewhere(built: Path) -> None:
    output = built / "output"
    for name, html in pages(built).items():
        for address in re.findall(r'(?:href|src)="(/[^"#?]*)', html):
            if address.startswith("/api/"):
                continue
            target = output / address.lstrip("/")
            assert (target / "index.html").is_file() if address.endswith("/") else target.is_file(), (
                f"{name}: {address}"
            )


def test_every_id_that_a_link_names_is_on_its_page(built: Path) -> None:
    for name, html in pages(built).items():
        for anchor in re.findall(r'href="#([^"]+)"', html):
            assert f'id="{anchor}"' in html, f"{name}: #{anchor}"


def test_drafts_are_nowhere(built: Path, catalog: Catalog) -> None:
    [draft] = [course for course in catalog.courses if not course.published]
    for path in (built / "output").rglob("*"):
        assert draft.slug not in path.name
        if path.is_file() and path.suffix in (".html", ".xml", ".atom", ".txt"):
            assert draft.title not in path.read_text()


def test_nothing_private_in_plain_sight(built: Path, catalog: Catalog) -> None:
    """Looks by itself, without the leak check's code."""
    everything = b"".join(path.read_bytes() for path in (built / "output").rglob("*") if path.is_file())
    for course in catalog.courses:
        for module in course.modules:
            for lesson in module.lessons:
                assert (lesson.video or "-none-").encode() not in everything
                if not lesson.preview and lesson.notes_markdown:
                    line = max(lesson.notes_markdown.splitlines(), key=len)
                    assert line.encode() not in everything


def test_pages_need_no_inline_script_or_style(built: Path) -> None:
    for name, html in pages(built).items():
        scripts = re.findall(r"<script([^>]*)>", html)
        assert all("src=" in each or "application/ld+json" in each for each in scripts), name
        assert not re.search(r"<style|\sstyle=|\son\w+=", html), name
        assert "https://fonts." not in html


def test_catalogue_and_course_pages_have_no_script_but_the_header(built: Path) -> None:
    """What the two others load is loaded for owners, and on a click."""
    plays = {"index.html": ["play"], "courses/index.html": [], "courses/sourdough/index.html": ["play", "buy_bar"]}
    for name, more in plays.items():
        assert re.findall(r'src="/assets/\w+/js/(\w+)\.js"', pages(built)[name]) == ["header", "owned", *more]


def test_structured_data_cannot_break_out(built: Path) -> None:
    html = pages(built)["courses/sourdough/index.html"]
    [text] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    assert json.loads(text)["@graph"][0]["offers"]["price"] == "49.00"
    assert "<" not in text


def test_sitemap_lists_public_pages_only(built: Path) -> None:
    sitemap = (built / "output" / "sitemap.xml").read_text()
    assert "https://school.test/courses/sourdough/" in sitemap
    for private in ("/learn/", "/library/", "/checkout/", "/claim/"):
        assert private not in sitemap


def test_building_twice_changes_nothing(built: Path, tmp_path: Path) -> None:
    shutil.copy(built / "catalog.json", tmp_path)
    times = {path: path.stat().st_mtime_ns for path in (built / "output").rglob("*")}
    again = build_site(
        School(ROOT),
        output=built / "output",
        manifest=tmp_path / "catalog.json",
        site_url="https://school.test",
    )
    assert again.changed == 0
    assert {path: path.stat().st_mtime_ns for path in (built / "output").rglob("*") if path.is_file()} == {
        path: moment for path, moment in times.items() if path.is_file()
    }  # servers make ETags of them
    assert (tmp_path / "catalog.json").read_bytes() == (built / "catalog.json").read_bytes()


def test_schema_accepts_the_sample_and_refuses_a_typing_mistake() -> None:
    schema = json.loads((ROOT / "docs/schema/course.schema.json").read_text())
    for path in (ROOT / "course_data/courses").glob("*/course.yaml"):
        data = read_yaml(path).data
        jsonschema.validate(data, schema)
        assert isinstance(data, dict)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, "titel": "x"}, schema)
    jsonschema.validate(
        read_yaml(ROOT / "course_data/site.yaml").data, json.loads((ROOT / "docs/schema/site.schema.json").read_text())
    )


def test_a_leak_stops_the_build_and_publishes_nothing(tmp_path: Path, catalog: Catalog) -> None:
    root = copy_of_sample(tmp_path)
    first = catalog.published[0].lessons[0]
    (root / "content/pages/about.md").write_text(f"---\ntitle: About\nslug: about\n---\n\nSee {first.video}.\n")
    with pytest.raises(SiteLeaks) as caught:
        build_site(School(root))
    said = f"content/pages/about.md: contains the video id of lesson {first.id} (on the page about/index.html, line "
    assert str(caught.value).startswith(said)
    assert not (root / "output").exists()
    assert not (root / "build/catalog.json").exists()


@pytest.mark.parametrize("place", ["content/posts/cold-kitchens.md", "course_data/courses/sourdough/description.md"])
def test_a_leak_is_told_where_it_is_written(tmp_path: Path, place: str) -> None:
    root = copy_of_sample(tmp_path)
    notes = (root / "course_data/courses/sourdough/notes/feeding-and-keeping.md").read_text()
    paid = next(part for part in notes.split("\n\n") if len(part.split()) > 30 and part[0].isalpha())
    text = (root / place).read_text()
    (root / place).write_text(f"{text}\n\n{paid}\n")
    with pytest.raises(SiteLeaks, match=rf"^{place}:{text.count(chr(10)) + 3}: contains the notes of lesson .*: “"):
        build_site(School(root))


def test_a_price_says_what_the_country_wants_said(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    with (root / "course_data/site.yaml").open("a") as site:
        site.write("\nprice_note: inkl. MwSt. & <b>mehr</b>\n")
    build_site(School(root))
    note = '<small class="price-note">inkl. MwSt. &amp; &lt;b&gt;mehr&lt;/b&gt;</small>'
    for page, times in (("courses/sourdough", 3), ("courses/sourdough/gift", 1)):
        assert (root / "output" / page / "index.html").read_text().count(note) == times, page
    assert "Free <small" not in (root / "output/courses/seven-useful-knots/index.html").read_text()


def test_only_the_creator_promises(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    path = root / "course_data/site.yaml"
    text = path.read_text()
    said = "refund_days: 30\npromises:\n  - any-device\n  - lifetime-access\n"
    assert said in text
    pages = [root / "output" / page / "index.html" for page in ("courses/sourdough", "courses/sourdough/gift")]

    path.write_text(text.replace(said, ""))
    build_site(School(root))
    silent = "".join(page.read_text() for page in pages)
    assert "Watch on any device" in silent
    for words in ("money back", "Lifetime", "in the app"):
        assert words not in silent

    own = 'refund_days: 1\napp: https://school.example/app\npromises: [app, "Answers <b>within</b> two days"]\n'
    path.write_text(text.replace(said, own))
    build_site(School(root))
    course, gift = [page.read_text() for page in pages]
    assert '<a href="https://school.example/app">Watch in the app</a>' in course
    assert "Answers &lt;b&gt;within&lt;/b&gt; two days" in course
    assert "any device" not in course
    assert "Your money back within a day" in course
    assert "Your money back within a day" in gift
    assert "money back" not in (root / "output/courses/seven-useful-knots/index.html").read_text(), "it costs nothing"

    path.write_text(text.replace(said, "promises: [app]\n"))
    with pytest.raises(CatalogInvalid, match=r"site\.yaml:\d+:\d+: This promises an app, and none is named"):
        build_site(School(root))


def test_a_course_promises_in_its_own_words(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    school, course = root / "course_data/site.yaml", root / "course_data/courses/sourdough/course.yaml"
    school.write_text(school.read_text() + "\nprice_note: including VAT\n")
    text = course.read_text()
    course.write_text(f"{text}\nprice_note: inkl. MwSt.\npromises: [any-device, Antwort in zwei Tagen]\n")
    build_site(School(root))
    own, other = [
        (root / "output/courses" / slug / "index.html").read_text().partition('class="cards')[0]  # no related courses
        for slug in ("sourdough", "git-for-writers")
    ]
    assert own.count("inkl. MwSt.") == other.count("including VAT") > 0
    assert "Antwort in zwei Tagen" in own
    assert "Watch on any device" in own
    for words in ("including VAT", "Lifetime access"):
        assert words not in own
    assert "Lifetime access" in other
    assert "inkl. MwSt." in (root / "output/courses/sourdough/index.md").read_text()

    course.write_text(f"{text}\nprice_note: ''\npromises: []\n")
    build_site(School(root))
    silent = (root / "output/courses/sourdough/index.html").read_text().partition('class="cards')[0]
    for words in ("including VAT", "Lifetime access", "any device"):
        assert words not in silent

    course.write_text(f"{text}\npromises: [app]\n")
    with pytest.raises(CatalogInvalid, match=r"course\.yaml:\d+:\d+: This promises an app, and none is named"):
        build_site(School(root))


@pytest.mark.parametrize(
    ("country", "taxes", "language", "note"),
    [
        ("FI", "included", "en", "including VAT"),
        ("FI", "included", "de", "inkl. MwSt."),
        ("AT", "none", "de", "es wird keine MwSt. berechnet"),
        ("US", "added", "en", "plus sales tax where it applies"),
        ("NZ", "included", "en", "including GST"),
        ("JP", "included", "en", "including consumption tax"),
        ("ES", "added", "es", "más IVA"),
    ],
)
def test_a_price_says_what_the_sellers_country_calls_its_tax(
    catalog: Catalog, country: str, taxes: Taxes, language: str, note: str
) -> None:
    assert catalog.site.seller
    seller = catalog.site.seller.model_copy(update={"country": country, "taxes": taxes})
    site = catalog.site.model_copy(update={"seller": seller, "language": language})
    words = site.in_language(language)
    public = public_view(catalog.model_copy(update={"site": site}))
    assert {price_note(course, site, words) for course in public.courses} == {note}
    own = site.model_copy(update={"price_note": "VAT is in it"})
    [course, *_] = public_view(catalog.model_copy(update={"site": own})).courses
    assert price_note(course, own, words) == "VAT is in it"
    says_nothing = catalog.published[0].model_copy(update={"price_note": ""})
    silent = catalog.model_copy(update={"site": own, "courses": (says_nothing,)})
    assert price_note(public_view(silent).courses[0], own, words) == ""


def test_quotation_marks_are_those_of_the_courses_language(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    site, course = root / "course_data/site.yaml", root / "course_data/courses/sourdough"
    site.write_text(site.read_text().replace("language: en", "language: de"))
    (course / "course.yaml").write_text((course / "course.yaml").read_text() + "\nlanguage: en\n")
    for folder in (course, course.parent / "git-for-writers"):
        (folder / "description.md").write_text('It is "quoted" here.\n')
    build_site(School(root))
    assert "It is “quoted” here." in (root / "output/courses/sourdough/index.html").read_text()
    assert "It is „quoted“ here." in (root / "output/courses/git-for-writers/index.html").read_text()


def test_order_and_menus_are_the_creators(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    path = root / "course_data/site.yaml"
    text = path.read_text()
    build_site(School(root))
    titles = re.findall(r"<h[23]><a [^>]*>([^<]+)</a>", (root / "output/courses/index.html").read_text())
    assert titles == sorted(titles, key=str.casefold)
    first = next(each.parent.name for each in sorted((root / "course_data/courses").glob("*/course.yaml"), reverse=True)
                 if "status: published" in each.read_text())  # fmt: skip
    own = f"""featured: [{first}]
menu:
  - label: Our <bakery>
    link: /about/
  - label: Forum
    link: https://forum.example/
footer:
  - label: Imprint
    link: /about/
"""
    path.write_text(text + "\n" + own)
    build_site(School(root))
    page = (root / "output/courses/index.html").read_text()
    now_first = re.findall(r"<h[23]><a [^>]*>([^<]+)</a>", page)
    assert now_first != titles
    assert sorted(now_first) == sorted(titles)
    assert f'href="/courses/{first}/"' in page.partition("<h2")[2].partition("<h2")[0]
    assert '<a href="/about/">Our &lt;bakery&gt;</a>' in page
    assert '<a href="https://forum.example/" rel="noopener">Forum</a>' in page
    assert ">Imprint</a>" in page
    assert ">News</a>" not in page
    path.write_text(text + "\nfeatured: [sourdoug]\n")
    with pytest.raises(CatalogInvalid, match=r"No course has the id “sourdoug”"):
        build_site(School(root))
    path.write_text(text + "\nmenu:\n  - label: X\n    link: javascript:alert(1)\n")
    with pytest.raises(CatalogInvalid, match="link"):
        build_site(School(root))


def test_testimonials_are_text_and_say_who_chose_them(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    path = root / "course_data/courses/git-for-writers/course.yaml"
    quote = '  - name: "<i>Ann</i>"\n    quote: "<script>1</script> & so on"\n    source: https://forum.example/t/1\n'
    path.write_text(path.read_text().replace("modules:\n", f"testimonials:\n{quote}modules:\n", 1))
    build_site(School(root))
    page = (root / "output/courses/git-for-writers/index.html").read_text()
    assert "<blockquote>&lt;script&gt;1&lt;/script&gt; &amp; so on</blockquote>" in page
    assert "&lt;i&gt;Ann&lt;/i&gt;" in page
    assert '<a href="https://forum.example/t/1" rel="noopener">Source</a>' in page
    assert "Chosen by Lantern Workshop." in page
    assert "What people say" not in (root / "output/courses/seven-useful-knots/index.html").read_text()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("theme/templates/course.html", "<p>\n{{ nothing.here.at.all }}"),
        ("theme/templates/course.html", "<p>\n{% if %}"),
        ("theme/templates/course.html", "<p>\n{{ course.title|unknown_filter }}"),
        ("theme/templates/course.html", "<p>\n{{ course.title + 3 }}"),
    ],
)
def test_a_broken_template_fails_the_build_and_is_named(tmp_path: Path, file: str, text: str) -> None:
    root = copy_of_sample(tmp_path, with_theme=True)
    (root / file).write_text(text)
    with pytest.raises(BuildFailed, match=f"{file}:2: "):
        build_site(School(root))
    assert not (root / "output").exists()


def test_manifest_is_private_and_speaks_up_when_unreadable(built: Path, tmp_path: Path) -> None:
    assert (built / "catalog.json").stat().st_mode & 0o027 == 0
    with pytest.raises(ManifestUnreadable, match="coursewright build"):
        read_manifest(tmp_path / "missing.json")
    (tmp_path / "old.json").write_text('{"version": "1"}')
    with pytest.raises(ManifestUnreadable, match="another version"):
        read_manifest(tmp_path / "old.json")


def test_a_page_that_every_page_links_to_is_missed(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    (root / "content/pages/terms.md").unlink()
    with pytest.raises(CatalogInvalid, match=r"content/pages/terms\.md:1:1: No page has the role “terms”"):
        build_site(School(root))
    assert not (root / "output").exists()
    (root / "content/pages/terms.md").write_text("---\ntitle: Terms\nrole: terms\ndraft: true\n---\nSoon.\n")
    with pytest.raises(CatalogInvalid, match="No page has the role “terms”"):
        build_site(School(root))
    (root / "content/pages/terms.md").write_text("---\ntitle: Terms\nrole: privacy\n---\nTwice.\n")
    with pytest.raises(CatalogInvalid, match="Two pages have the role “privacy”"):
        build_site(School(root))
