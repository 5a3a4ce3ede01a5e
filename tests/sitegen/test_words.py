"""Sentences in other languages: catalogues, plurals, what is filled in, and pages that speak them."""

import re
import shutil
from pathlib import Path

import pytest
from babel.messages.plurals import get_plural
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from sitegen.build import build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.money import format_duration, format_money
from sitegen.catalog.words import LOCALES, Sentence, languages_of_product, read_catalogue, words_of
from sitegen.school import PACKAGE, School, base_theme
from sitegen.translations import find_sentences, missing_in, updated
from tests.conftest import ROOT
from tests.sitegen.test_build import copy_of_sample

LANGUAGES = languages_of_product()[1:]
_PLACES = re.compile(r"\{\w+\}")


@pytest.fixture(scope="module")
def sentences() -> dict[str, list[str]]:
    """Everything that is said to people, with the places."""
    found = find_sentences([base_theme()], [PACKAGE, PACKAGE.parent / "dynamic_api"])
    return {sentence: [*places, found.plurals.get(sentence, "")] for sentence, places in found.places.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_with_its_places(language: str, sentences: dict[str, list[str]]) -> None:
    known = read_catalogue(LOCALES / f"{language}.po")
    assert known.keys() == sentences.keys()
    for sentence, forms in known.items():
        plural = sentences[sentence][-1]
        assert len(forms) == (get_plural(language).num_plurals if plural else 1), sentence
        wanted = set(_PLACES.findall(plural or sentence))
        assert set(_PLACES.findall(forms[-1])) == wanted, (sentence, forms)
        for form in forms:
            assert set(_PLACES.findall(form)) <= wanted, (sentence, form)


def test_arabic_german_and_spanish_are_there() -> None:
    assert LANGUAGES == ("ar", "de", "es")


@given(st.text(), st.text())
def test_values_are_text_and_never_html(one: str, other: str) -> None:
    words = words_of("en")
    plain = words("By {one} and {other}.", one=one, other=other)
    assert plain == f"By {one} and {other}."
    assert not isinstance(plain, Markup)
    linked = words("By {one} and {other}.", one=Markup("<a>x</a>"), other=other)
    assert isinstance(linked, Markup)
    assert linked == Markup("By <a>x</a> and {}.").format(other)


def test_a_sentence_in_a_sentence_is_said_in_the_same_language() -> None:
    wait = Sentence.counted("a minute", "{count} minutes", 5)
    sentence = Sentence("Too many attempts. Please try again in {wait}.", wait=wait)
    assert sentence == "Too many attempts. Please try again in 5 minutes."
    assert words_of("de").in_own(sentence) == "Zu viele Versuche. Bitte versuche es in 5 Minuten noch einmal."
    assert words_of("de").in_own("Nobody translated this.") == "Nobody translated this."


def test_languages_count_as_they_do() -> None:
    german = words_of("de")
    assert [german.plural("{count} lesson", "{count} lessons", number) for number in (0, 1, 2)] == [
        "0 Lektionen",
        "1 Lektion",
        "2 Lektionen",
    ]
    own = {"ar": {"{count} lesson": ("لا دروس", "درس", "درسان", "{count} دروس", "{count} درس", "{count} درسا")}}
    arabic = words_of("ar", own)
    assert arabic.is_right_to_left
    assert not german.is_right_to_left
    shown = [arabic.plural("{count} lesson", "{count} lessons", number) for number in (0, 1, 2, 5, 11)]
    assert shown == ["لا دروس", "درس", "درسان", "5 دروس", "11 درسا"]


def test_money_and_durations_are_written_as_the_language_does() -> None:
    assert format_money(4900, "EUR", "de").replace("\xa0", " ") == "49 €"
    assert format_duration(4800, words_of("es")) == "1 h 20 min"


def test_a_region_falls_back_to_its_language_and_the_school_comes_first() -> None:
    own = {"de": {"Courses": ("Kurse der Schule",)}, "de-AT": {"Library": ("Bücherei",)}}
    words = words_of("de-AT", own)
    assert [words("Courses"), words("Library"), words("Sign in")] == ["Kurse der Schule", "Bücherei", "Anmelden"]
    assert words.missing == set()


def school_in(folder: Path, language: str) -> School:
    """The sample, whose pages speak another language."""
    root = copy_of_sample(folder)
    site = root / "course_data/site.yaml"
    site.write_text(site.read_text().replace("language: en", f"language: {language}"))
    return School(root)


def build(school: School, folder: Path) -> Path:
    """Build it; returns the output folder."""
    build_site(school, output=folder / "output", manifest=folder / "build/catalog.json", site_url="https://school.test")
    return folder / "output"


def test_a_german_school_says_nothing_in_english(tmp_path: Path, sentences: dict[str, list[str]]) -> None:
    school = school_in(tmp_path, "de")
    built = build_site(school, output=tmp_path / "output", manifest=tmp_path / "build/catalog.json")
    assert built.untranslated == ()
    output = tmp_path / "output"
    known = read_catalogue(LOCALES / "de.po")
    # Longer sentences of templates that are not the same in German; a sample of words would prove less.
    theirs = [each for each in sentences if len(each) > 20 and "{" not in each and known[each][0] != each]
    for name in ("sign-in", "account", "courses/sourdough", "learn/sourdough/what-lives-in-the-jar", "library"):
        html = (output / name / "index.html").read_text()
        assert '<html lang="de" data-words="de">' in html
        assert [each for each in theirs if f">{each}<" in html] == [], name
    [words] = output.glob("assets/*/js/words/de.js")
    assert "Dein Konto" in (output / "account/index.html").read_text()
    assert '"Watch again"' in words.read_text()
    assert 'Watch again",' not in words.read_text()


def test_a_course_has_a_language_of_its_own(tmp_path: Path) -> None:
    root = copy_of_sample(tmp_path)
    folder = root / "course_data/courses/sourdough"
    shutil.copytree(folder, root / "course_data/courses/sauerteig")
    copy = root / "course_data/courses/sauerteig/course.yaml"
    text = copy.read_text().replace("sourdough", "sauerteig")
    text = text.replace("status: published\n", "status: published\nlanguage: de\ntranslation_of: sourdough\n")
    copy.write_text(text)
    for reviews in root.rglob("reviews.yaml"):
        reviews.unlink()
    output = build(School(root), tmp_path)
    german, english = ((output / f"courses/{name}/index.html").read_text() for name in ("sauerteig", "sourdough"))
    assert '<html lang="de" data-words="de">' in german
    assert "Das lernst du" in german
    assert '<html lang="en">' in english
    for page in (german, english):
        assert '<link rel="alternate" hreflang="de" href="https://school.test/courses/sauerteig/">' in page
        assert '<link rel="alternate" hreflang="en" href="https://school.test/courses/sourdough/">' in page
    assert '<html lang="en">' in (output / "index.html").read_text()
    assert (
        '<html lang="de" data-words="de">' in (output / "learn/sauerteig/what-lives-in-the-jar/index.html").read_text()
    )


@pytest.mark.parametrize("language", ["ar", "he"])
def test_right_to_left_pages_say_so(tmp_path: Path, language: str) -> None:
    output = build(school_in(tmp_path, language), tmp_path)
    assert f'<html lang="{language}" dir="rtl"' in (output / "index.html").read_text()


def test_untranslated_sentences_are_told(tmp_path: Path) -> None:
    school = school_in(tmp_path, "fr")
    built = build_site(school, output=tmp_path / "output", manifest=tmp_path / "build/catalog.json")
    assert ("fr", "Sign in") in built.untranslated


def test_extract_adds_what_is_new_and_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "fr.po"
    sentences = find_sentences([base_theme()])
    path.write_bytes(updated(path, "fr", sentences, name="School"))
    assert read_catalogue(path) == {}
    assert len(missing_in({}, sentences)) == len(sentences.places)
    path.write_text(path.read_text().replace('msgid "Sign in"\nmsgstr ""', 'msgid "Sign in"\nmsgstr "Se connecter"'))
    again = updated(path, "fr", sentences, name="School")
    path.write_bytes(again)
    assert read_catalogue(path) == {"Sign in": ("Se connecter",)}
    assert updated(path, "fr", sentences, name="School") == again


def test_a_school_may_bring_a_language_of_its_own(tmp_path: Path) -> None:
    school = school_in(tmp_path, "fr")
    place = school.root / "theme/locales"
    place.mkdir(parents=True)
    (place / "fr.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8"\n\nmsgid "Sign in"\nmsgstr "Se connecter"\n'
    )
    output = build(school, tmp_path)
    html = (output / "sign-in/index.html").read_text()
    assert '<html lang="fr" data-words="fr">' in html
    assert "<h1>Se connecter</h1>" in html
    (place / "fr.po").write_text('msgid "Sign in"\nmsgstr "Se connecter\n')
    with pytest.raises(CatalogInvalid, match=r"fr\.po:\d+.*not a gettext catalogue"):
        build(school, tmp_path)


@pytest.mark.parametrize("written", ["klingon", "xx", "EN", "de_DE", ""])
def test_a_language_that_nobody_knows_is_a_fault(tmp_path: Path, written: str) -> None:
    school = school_in(tmp_path, f'"{written}"')
    with pytest.raises(CatalogInvalid, match=r"site\.yaml:\d+"):
        build(school, tmp_path)


def test_templates_name_no_sentence_outside_of_a_catalogue() -> None:
    """What a page says goes through `_`: a letter between tags that is no value would stay English everywhere."""
    bare = re.compile(r">\s*[A-Za-z][^<>{}]*[a-z]{3}[^<>{}]*<(?=[/a-zA-Z])")
    found = {
        path.name: bare.findall(re.sub(r"\{[%#].*?[%#]\}", "", path.read_text()))
        for path in (ROOT / "theme/templates").rglob("*.html")
    }
    assert {name: each for name, each in found.items() if each} == {}
