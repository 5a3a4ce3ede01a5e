"""When words that a page shares with a paid text are a leak.

*Refused* is a long or an essential part of a text: 25 words in all with one run of twelve, or two fifths of it.
*Told* is any run of seven words, which may be a quotation. What stands in several lessons is a formula of this
school's, and counts only from forty words on. A text of up to twelve words counts whole; one of four words never.
"""

from collections.abc import Container, Iterator, Set
from dataclasses import dataclass

from sitegen.leaks.private import PaidText, TextMarks
from sitegen.leaks.words import SHINGLE, Words, placed_shingles, weight

_REFUSED_TOTAL, _REFUSED_RUN, _REFUSED_SHARE = 25.0, 12.0, 0.4
_TOLD_RUN = 7.0
_SHORT, _SHORTEST = 12.0, 4.8  # a text of twelve signs weighs 4.8
FORMULA = 40.0
_CODE_RUN, _CODE_LETTERS = 25.0, 160


@dataclass(frozen=True)
class Verdict:
    """How grave it is, and the longest run of words."""

    refused: bool
    run: Words


def may_matter(text: TextMarks, found: Set[int], repeated: Set[int]) -> bool:
    """Whether a text can get a verdict at all for these marks of shingles; a quick question before `judge`.

    Where all words are words, a run of seven has three shingles, and a formula that counts has thirty-six.
    """
    if text.has_signs or text.length <= _SHORT:
        return bool(found)
    hits = [mark for mark in text.marks if mark in found]
    own = sum(mark not in repeated for mark in hits)
    return own > _TOLD_RUN - SHINGLE or len(hits) > FORMULA - SHINGLE


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
    hits = [(start, shingle) for start, shingle in placed_shingles(words) if shingle in found]
    for run in _joined(hits):
        first, last = run[0][0], max(start + len(shingle) for start, shingle in run)
        if weight(words[first:last]) >= FORMULA:
            yield first, last
            continue
        for part in _joined([(start, shingle) for start, shingle in run if shingle not in repeated]):
            yield part[0][0], max(start + len(shingle) for start, shingle in part)


def _joined(hits: list[tuple[int, Words]]) -> Iterator[list[tuple[int, Words]]]:
    """Shingles that begin one after the other belong to one run."""
    run: list[tuple[int, Words]] = []
    for hit in hits:
        if run and hit[0] != run[-1][0] + 1:
            yield run
            run = []
        run.append(hit)
    if run:
        yield run
