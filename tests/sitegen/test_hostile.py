"""Mutated, broken and hostile course files: always file, line and remedy; never a traceback, a crash or a long wait."""

import os
import random
import re
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitegen.catalog.course_file import CourseFile
from sitegen.catalog.faults import CatalogInvalid, Fault
from sitegen.catalog.site_file import SiteFile
from sitegen.catalog.validate import check_shape
from sitegen.catalog.yaml_source import YamlSource, parse_yaml
from sitegen.load import load_school
from sitegen.school import School
from tests.conftest import ROOT

NOW = datetime(2026, 11, 30, tzinfo=UTC)
COURSE = (ROOT / "course_data/courses/sourdough/course.yaml").read_text()
_PYTHON = re.compile(r"Traceback|<class|NoneType|pydantic|object at 0x|\b\w+Error\b")


def faults_of(text: str) -> list[Fault]:
    """What is said about a course file with this text."""
    source = parse_yaml(YamlSource(Path("course.yaml")), text)
    check_shape(CourseFile, source)
    for fault in source.faults:
        assert 1 <= fault.line <= text.count("\n") + 2, fault
        assert fault.column >= 1
        assert fault.problem
        assert fault.remedy
        assert not _PYTHON.search(str(fault)), fault
    return source.faults


HOSTILE = {
    "brackets": "a: " + "[" * 100_000,
    "braces": "a: " + "{" * 100_000,
    "closed brackets": "a: " + "[" * 5_000 + "]" * 5_000,
    "sequences": "- " * 5_000 + "a",
    "indentation": "\n".join(" " * depth + "a:" for depth in range(3_000)),
    "aliases": "a: &a [x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nd: [*c, *c, *c]",
    "recursion": "a: &a [*a]",
    "merge": "a: &a {b: 1}\nc:\n  <<: *a",
    "tag": "a: !!python/object/apply:os.system [ls]",
    "digits": "price:\n  amount: " + "9" * 5_000 + "\n  currency: EUR",
    "long word": "title: " + "a" * 1_000_000,
    "keys": "\n".join(f"key{n}: 1" for n in range(50_000)),
    "null": "a: b\0c",
    "control": "a: b\x07c",
    "surrogate": "a: b\ud800c",
    "documents": "a: 1\n---\nb: 2",
    "key that is a list": "[a, b]: c",
    "tabs": "a:\n\tb: 1",
    "colon in a title": "title: Bread: the book",
    "percent": "%YAML 9.9\n---\na: 1",
    "only a word": "bread",
    "a list": "- a\n- b",
    "empty": "",
    "comment": "# nothing\n",
    "large": "a: 1\n" * 2_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_at_once(name: str) -> None:
    began = time.process_time()
    assert faults_of(HOSTILE[name])
    assert time.process_time() - began < 5


TOLD: dict[str, tuple[str, str]] = {
    "open quotation mark": ('title: "Bread\nsummary: a\n', "course.yaml:1:8: A quotation mark opens here"),
    "price in words": ("price: 49,00 €\n", "Write “price: {amount: 4900, currency: EUR}”"),
    "price with a sign": ("price: $49\n", "Write “price: {amount: 4900, currency: USD}”"),
    "price with a point": ("price: 49.90 EUR\n", "Write “price: {amount: 4990, currency: EUR}”"),
    "price as a number": ("price: 49\n", "Write “price: {amount: 4900, currency: EUR}”"),
    "price in yen": ("price: 4900 JPY\n", "Write “price: {amount: 4900, currency: JPY}”"),
    "thousands": ("price: 1.299,00 €\n", "Write “price: {amount: 129900, currency: EUR}”"),
    "slug with a sign": ("slug: q&a\n", "Use lower-case letters of any script, digits and single hyphens"),
    "anchor": ("a: &a b\n", "Anchors and aliases (& and *) are not read here"),
}


@pytest.mark.parametrize("name", TOLD)
def test_everyday_mistakes_are_answered_with_the_line_to_write(name: str) -> None:
    text, expected = TOLD[name]
    assert any(expected in str(fault) for fault in faults_of(text)), [str(each) for each in faults_of(text)]


WORDS = st.sampled_from(
    [
        *("title", "price", "amount", "modules", "lessons", "id", "slug", "true", "free", "null", "é", "「", "0", "-1"),
        *("[", "]", "{", "}", "'", '"', "|", ">", "&", "*", "!", "%", "@", "`", "#", "1e9", "~", "49,00 €", "- ", ": "),
        *("\n", "  ", "\t"),
    ]
)


@given(st.lists(WORDS, max_size=40).map("".join))
@settings(max_examples=300, deadline=None, derandomize="CI" in os.environ)
def test_any_text_gets_an_answer(text: str) -> None:
    faults_of(text)


@given(
    st.lists(
        st.tuples(st.integers(0, len(COURSE) - 1), st.sampled_from(["cut", "put", "twice"]), WORDS),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=400, deadline=None, derandomize="CI" in os.environ, suppress_health_check=list(HealthCheck))
def test_any_mutation_of_a_course_gets_an_answer(edits: list[tuple[int, str, str]]) -> None:
    text = COURSE
    for place, kind, word in edits:
        if kind == "cut":
            text = text[:place] + text[place + 7 :]
        elif kind == "put":
            text = text[:place] + word + text[place:]
        else:
            line = text[:place].rfind("\n") + 1
            text = text[:line] + text[line : text.find("\n", place) + 1] + text[line:]
    faults_of(text)


NAMES = st.sampled_from([*CourseFile.model_fields, *SiteFile.model_fields, "id", "slug", "lessons", "amount"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=300, deadline=None, derandomize="CI" in os.environ, suppress_health_check=list(HealthCheck))
def test_any_value_in_any_field_gets_an_answer(value: object) -> None:
    for shape in (CourseFile, SiteFile):
        source = YamlSource(Path("x.yaml"), data=value if isinstance(value, dict) else {"title": value})
        check_shape(shape, source)
        assert source.faults
        assert not [fault for fault in source.faults if _PYTHON.search(str(fault))]


@pytest.mark.slow
def test_bytes_of_any_kind_in_any_file_get_an_answer(tmp_path: Path) -> None:
    """A byte fuzzer over a whole school."""
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, tmp_path / name)
    source = random.Random(20261130)  # noqa: S311 - invented mistakes
    files = sorted(
        path for path in tmp_path.rglob("*") if path.suffix in (".md", ".yaml", ".vtt", ".svg", ".lock", ".pdf")
    )
    for _ in range(60):
        path = source.choice(files)
        before = path.read_bytes()
        content = bytearray(before)
        for _ in range(source.randint(1, 8)):
            place = source.randrange(max(len(content), 1))
            content[place : place + source.randint(0, 5)] = source.randbytes(source.randint(0, 5))
        path.write_bytes(bytes(content))
        began = time.process_time()
        try:
            load_school(School(tmp_path), now=NOW)
        except CatalogInvalid as error:
            for fault in error.faults:
                assert fault.line >= 1
                assert fault.remedy
                assert not _PYTHON.search(str(fault)), fault
        assert time.process_time() - began < 5
        path.write_bytes(before)
    load_school(School(tmp_path), now=NOW)
