"""Texts as words, so that they can be compared whatever markup is around them.

A word of a script that puts no spaces between words (Japanese, Chinese, Thai and others) is one sign, and counts as
less than a word. A border between two elements, such as the end of a paragraph, parts what stands before and after it.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator
from typing import TypeAlias
from zlib import crc32

SHINGLE = 5  # words in a row that two texts seldom share
SIGNS = 12  # of a script without spaces, which say about as much
SIGN = 0.4  # of a word
_DENSE = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_DENSE}]|[^\W{_DENSE}]+")
_IS_DENSE = re.compile(f"[{_DENSE}]")
# Elements that stand in the middle of a sentence, and the colours of code; any other tag parts two texts.
_INLINE = re.compile(
    r"</?(?:abbr|b|bdi|bdo|code|del|em|i|ins|kbd|mark|q|s|samp|small|strong|sub|sup|u|var|wbr)\b[^<>]*>"
    r'|</span>|<span class="[a-z][a-z0-9]?">'
)
_TAG = re.compile(r"<[^<>]*>")
# An attribute that may hold a text: long, and with a space, unlike an address.
_SENTENCE = re.compile(r"""=\s*(?:"([^"<>\s]*\s[^"<>]{15,})"|'([^'<>\s]*\s[^'<>]{15,})')""")
_BORDER = "\x00"

Words = tuple[str, ...]
Marks: TypeAlias = "array[int]"  # of 64 bits each


def is_sign(word: str) -> bool:
    """Whether it is one sign of a script without spaces."""
    return word[:1] >= "\u0e00" and bool(_IS_DENSE.match(word))


def spoken(words: Words) -> str:
    """The words as one reads them: a script without spaces has none."""
    text = ""
    for before, word in zip(("", *words), words, strict=False):
        text += word if not text or (is_sign(before) and is_sign(word)) else f" {word}"
    return text


def weight(words: Iterable[str]) -> float:
    """How much these words say, in words."""
    return sum(SIGN if is_sign(word) else 1 for word in words)


def words_of(text: str) -> Words:
    """Every word of a plain text, in one spelling."""
    return tuple(_WORD.findall(text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()))


def passages(markup: str, *, attributes: bool = True) -> Iterator[str]:
    """The texts between the borders of a page's elements, and those in their attributes."""
    if "<" not in markup:
        yield markup
        return
    for piece in _TAG.sub(_BORDER, _INLINE.sub("", markup)).split(_BORDER):
        if piece and not piece.isspace():
            yield piece
    for match in _SENTENCE.finditer(markup) if attributes else ():
        yield match[1] or match[2]


def shingles(words: Words) -> Iterator[Words]:
    """Every run of SHINGLE words, or of SIGNS where it begins with a sign."""
    if not has_signs(words):
        return zip(*(words[start:] for start in range(SHINGLE)), strict=False)
    return (shingle for _, shingle in placed_shingles(words))


def marks(words: Words) -> Iterator[int]:
    """A number for each shingle, the same in every process of one Python: quick to keep and to compare.

    Two shingles may share a number, which is as likely as any 64 bits; who needs to know compares the words.
    """
    numbers = list(map(_numbers.__getitem__, words))
    if not has_signs(words):
        return map(hash, zip(*(numbers[start:] for start in range(SHINGLE)), strict=False))
    return (hash(tuple(numbers[start : start + len(shingle)])) for start, shingle in placed_shingles(words))


class _Numbers(dict[str, int]):
    """A number for each word. Python's own hash of a text differs from process to process; that of numbers does not."""

    def __missing__(self, word: str) -> int:
        number = self[word] = crc32(word.encode("utf-8", "surrogatepass"))
        return number


_numbers = _Numbers()


def has_signs(words: Words) -> bool:
    """Whether one of them is a sign."""
    text = "".join(words)
    return not text.isascii() and _IS_DENSE.search(text) is not None


def placed_shingles(words: Words) -> Iterator[tuple[int, Words]]:
    """The same, each with the index of its first word."""
    for start, word in enumerate(words):
        end = start + (SIGNS if is_sign(word) else SHINGLE)
        if end <= len(words):
            yield start, words[start:end]
