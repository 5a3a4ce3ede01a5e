"""`coursewright fmt`: one form, and nothing that a file says is lost."""

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.yaml_source import read_yaml
from sitegen.commands.fmt import fmt
from sitegen.formatting import format_files
from tests.conftest import ROOT

UNTIDY = """\
# The head.
id:   bread
title: 'Bread'   # easy
price: {amount: 4900, currency: EUR}


# About modules.
modules:
- id: one
  # Lessons follow.
  lessons:
  -   id: first
      duration: 1:02:30
      # The text.
      notes: |
        # A heading, not a comment

          - a list
      captions: {de: a.vtt}
      tags:
      - one
      # - two
# The end.
"""
TIDY = """\
# The head.
id: bread
title: 'Bread'   # easy
price: {amount: 4900, currency: EUR}


# About modules.
modules:
  - id: one
    # Lessons follow.
    lessons:
      - id: first
        duration: 1:02:30
        # The text.
        notes: |
          # A heading, not a comment

            - a list
        captions: {de: a.vtt}
        tags:
          - one
          # - two
# The end.
"""


def formatted(path: Path) -> str:
    before = path.read_text(encoding="utf-8")
    return next((each.text for each in format_files([path]) if each.text is not None), before)


def test_levels_are_two_spaces_and_comments_stay_beside_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "course.yaml"
    path.write_text(UNTIDY)
    assert formatted(path) == TIDY
    path.write_text(TIDY)
    assert format_files([path]) == []


def test_the_head_of_a_post_is_formatted_and_its_text_is_not(tmp_path: Path) -> None:
    path = tmp_path / "post.md"
    path.write_text("---\ntitle:   A\ntags:\n- one   # why\n---\n\n*  text  \n---\nend\n")
    assert formatted(path) == "---\ntitle: A\ntags:\n  - one # why\n---\n\n*  text  \n---\nend\n"


@pytest.mark.parametrize("path", sorted((ROOT / "course_data").rglob("*.yaml")), ids=lambda path: path.parent.name)
def test_the_sample_is_in_this_form(path: Path) -> None:
    assert format_files([path]) == []


LINE = st.text(st.sampled_from("ab: -#\"'|>[]{},&*!%@`1.~\t é\n"), max_size=14)


@given(st.lists(LINE, max_size=6).map("\n".join))
@settings(max_examples=300)
def test_whatever_a_file_says_its_values_stay(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    before = read_yaml(path)
    if before.faults:
        return
    after = formatted(path)
    path.write_text(after, encoding="utf-8")
    assert read_yaml(path).data == before.data
    assert "".join(after.split()) == "".join(text.split())
    assert formatted(path) == after


def test_brackets_are_spaced_alike(tmp_path: Path) -> None:
    path = tmp_path / "course.yaml"
    path.write_text("tags: [ 'a',\"b\" ]   # why\n")
    assert formatted(path) == "tags: ['a', \"b\"]    # why\n" or "['a', \"b\"]" in formatted(path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(CatalogInvalid, match="This is no course file"):
        format_files([tmp_path / "notes.txt"])


def test_a_file_that_would_lose_more_than_spaces_is_named(tmp_path: Path) -> None:
    path = tmp_path / "course.yaml"
    path.write_text("id:   ~\ntitle: Bread\n")
    answer = CliRunner().invoke(fmt, ["--school", str(ROOT), str(path)])
    assert (answer.exit_code, path.read_text()) == (0, "id:   ~\ntitle: Bread\n")
    assert "more than spaces would change here" in answer.output


def test_the_command_writes_or_only_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "course_data", tmp_path / "course_data")
    shutil.copytree(ROOT / "content", tmp_path / "content")
    path = tmp_path / "course_data" / "courses" / "sourdough" / "course.yaml"
    tidy = path.read_text()
    path.write_text(re.sub(r"(?m)^title: ", "title:    ", tidy))
    asked = CliRunner().invoke(fmt, ["--school", str(tmp_path), "--check"])
    assert (asked.exit_code, path.read_text() == tidy) == (1, False)
    assert "1 file of " in asked.output
    assert "would change" in asked.output
    assert CliRunner().invoke(fmt, ["--school", str(tmp_path)]).exit_code == 0
    assert path.read_text() == tidy
    broken = tidy.replace("title: ", "title: 'open ", 1)
    path.write_text(broken)
    refused = CliRunner().invoke(fmt, ["--school", str(tmp_path)])
    assert refused.exit_code == 1
    assert "A quotation mark opens here" in refused.output
    assert path.read_text() == broken
