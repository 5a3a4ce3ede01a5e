"""How long a passage must be to be refused."""

import pytest

from sitegen.leaks.judge import judge
from sitegen.leaks.private import PaidText
from sitegen.leaks.words import shingles


def words(count: int, letters: int = 3) -> tuple[str, ...]:
    """So many words that differ, each of so many letters."""
    return tuple(f"{number:x}".rjust(letters, "w") for number in range(count))


@pytest.mark.parametrize(
    ("count", "letters", "refused"), [(25, 7, True), (24, 7, False), (32, 5, True), (31, 5, False), (100, 1, False)]
)
def test_a_listing_is_long_in_words_and_in_letters(count: int, letters: int, refused: bool) -> None:
    alphabet = tuple(chr(ord("a") + number % 26) for number in range(count))
    listing = words(count, letters) if letters > 1 else alphabet
    text = PaidText("the notes", "lesson", listing, is_code=True)
    assert (judge(text, set(shingles(text.words)), set()) is not None) == refused


@pytest.mark.parametrize(("runs", "refused"), [((12, 6, 7), True), ((11, 7, 7), False)])
def test_one_run_of_twelve_words_makes_it_long(runs: tuple[int, ...], refused: bool) -> None:
    text = PaidText("the notes", "lesson", words(100))
    found, start = set(), 0
    for run in runs:
        found |= set(shingles(text.words[start : start + run]))
        start += run + 10
    verdict = judge(text, found, set())
    assert verdict is not None
    assert verdict.refused == refused


def test_seven_words_in_a_row_can_be_two_fifths_of_a_text() -> None:
    text = PaidText("the notes", "lesson", words(17))
    verdict = judge(text, set(shingles(text.words[:7])), set())
    assert verdict is not None
    assert verdict.refused


@pytest.mark.parametrize(("count", "refused"), [(39, False), (40, True)])
def test_a_formula_counts_from_forty_words_on(count: int, refused: bool) -> None:
    text = PaidText("the notes", "lesson", words(60))
    shared = set(shingles(text.words[:count]))
    assert (judge(text, shared, shared) is not None) == refused
