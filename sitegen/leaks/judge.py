"""When words that a page shares with a paid text are a leak.

*Refused* is a long or an essential part of a text: 25 words in all with one run of twelve, or two fifths of it.
*Told* is any run of seven words, which may be a quotation. What stands in several lessons is a formula of this
school's, and counts only from forty words on. A text of up to twelve words counts whole; one of four words never.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from sitegen.leaks.private import PaidText
from sitegen.leaks.words import SHINGLE, Words, shingles, weight

_REFUSED_TOTAL, _REFUSED_RUN, _REFUSED_SHARE = 25.0, 12.0, 0.4
_TOLD_RUN = 7.0
_SHORT, _SHORTEST = 12.0, 4.8  # a text of twelve signs weighs 4.8
_FORMULA = 40.0
_CODE_RUN, _CODE_LETTERS = 25.0, 160


@dataclass(frozen=True)
class Verdict:
    """How grave it is, and the longest run of words."""

    refused: bool
    run: Words


def judge(text: PaidText, found: Container[Words], repeated: Container[Words]) -> Verdict | None:
    """What it means that a page has these runs of words; None where it means nothing.

    `found` are shingles of the page that are not public on purpose; `repeated` are those that several lessons have.
    """
    whole = weight(text.words)
    if whole < _SHORTEST:
        return None
    runs = [run for run in _runs(text.words, found, repeated) if run]
    if not runs:
        return None
    longest = max((text.words[start:end] for start, end in runs), key=weight)
    if text.is_code:
        long = weight(longest) >= _CODE_RUN and sum(map(len, longest)) >= _CODE_LETTERS
        return Verdict(True, longest) if long else None
    total = sum(weight(text.words[start:end]) for start, end in runs)
    if whole <= _SHORT:
        return Verdict(True, longest) if total >= whole else None
    run = weight(longest)
    long = total >= _REFUSED_TOTAL and run >= _REFUSED_RUN
    essential = total >= _REFUSED_SHARE * whole and run >= _TOLD_RUN
    if long or essential:
        return Verdict(True, longest)
    return Verdict(False, longest) if run >= _TOLD_RUN else None


def _runs(words: Words, found: Container[Words], repeated: Container[Words]) -> Iterator[tuple[int, int]]:
    """Where runs of found shingles begin and end, without what is a formula."""
    for first, last in _stretches([each in found for each in shingles(words)]):
        if weight(words[first : last + SHINGLE]) >= _FORMULA:
            yield first, last + SHINGLE
            continue
        own = [words[place : place + SHINGLE] not in repeated for place in range(first, last + 1)]
        for begin, end in _stretches(own):
            yield first + begin, first + end + SHINGLE


def _stretches(flags: list[bool]) -> Iterator[tuple[int, int]]:
    """First and last index of every stretch of true values."""
    start = None
    for index, flag in enumerate((*flags, False)):
        if flag and start is None:
            start = index
        elif not flag and start is not None:
            yield start, index - 1
            start = None
