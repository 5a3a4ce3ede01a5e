"""Captions of other programs → WebVTT that the loader accepts: SubRip, SBV, short times, YouTube's rolling lines."""

import html
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from itertools import pairwise

from sitegen.catalog.captions import Cue

_TIME = r"(?:(?:(\d{1,3}):)?([0-5]?\d|\d{3}):)?([0-5]?\d)(?:[.,](\d{1,3}))?"
_ARROW = re.compile(rf"^\s*{_TIME}\s*-+>\s*{_TIME}(?:\s+.*)?$")
_SBV = re.compile(rf"^\s*{_TIME}\s*,\s*{_TIME}\s*$")
_TAG = re.compile(r"</?(?:[a-zA-Z][^<>]*|\d[\d:.]*)>|\{\\[^{}]*\}")
_SHORTEST = 0.05  # seconds; YouTube puts such cues between two lines
_AT_LEAST = 0.5  # seconds that a cue is shown whose end is missing or wrong


class CaptionsUnknown(ValueError):
    """The file has no captions in a form that is known; the message says so."""


def wrong_times(content: bytes) -> list[str]:
    """What `convert_captions` mends in a file's times, in words."""
    cues = _rolled_up(_cues(_text(content)))
    backwards = [cue for cue in cues if cue.end <= cue.start]
    late = [two for one, two in pairwise(cues) if two.start < one.start]
    told = [f"at {_written(cue.start)}: ends before it begins; shown for half a second" for cue in backwards]
    return told + [f"at {_written(cue.start)}: begins before the one above it; put in order" for cue in late]


def convert_captions(content: bytes) -> str:
    """A file's captions as WebVTT. Raises CaptionsUnknown."""
    cues = _in_order(_rolled_up(_cues(_text(content))))
    if not cues:
        raise CaptionsUnknown("No captions were found: known are WebVTT, SubRip (.srt) and YouTube's .sbv.")
    blocks = (f"{_written(cue.start)} --> {_written(cue.end)}\n{html.escape(cue.text, quote=False)}\n" for cue in cues)
    return "WEBVTT\n\n" + "\n".join(blocks)


def _text(content: bytes) -> str:
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")  # what older programs on Windows write


def _cues(text: str) -> list[Cue]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cues: list[Cue] = []
    index = 0
    while index < len(lines):
        found = _ARROW.match(lines[index]) or _SBV.match(lines[index])
        index += 1
        if not found:
            continue
        words: list[str] = []
        # A line of spaces is no empty line: YouTube begins its cues with one.
        while index < len(lines) and (lines[index].strip() or (lines[index] and not words)):
            if _ARROW.match(lines[index]):
                break
            words.append(lines[index])
            index += 1
        if words and words[-1].strip().isdigit() and index < len(lines) and _ARROW.match(lines[index]):
            words.pop()  # the number of the next cue, with no empty line before it
        spoken = [html.unescape(_TAG.sub("", line)).strip() for line in words]
        cues.append(Cue(_seconds(found, 1), _seconds(found, 5), "\n".join(line for line in spoken if line)))
    return cues


def _seconds(found: re.Match[str], group: int) -> float:
    hours, minutes, seconds, fraction = (found[group + each] or "0" for each in range(4))
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _rolled_up(cues: list[Cue]) -> list[Cue]:
    """YouTube shows each line twice, the second time above the next one: every line is kept once."""
    repeats = sum(
        bool(one.text) and bool(two.text) and two.text.split("\n")[0] == one.text.split("\n")[-1]
        for one, two in pairwise(cues)
    )
    if repeats * 3 < len(cues):
        return [cue for cue in cues if cue.text]
    kept: list[Cue] = []
    last = ""
    for cue in cues:
        fresh = [line for line in cue.text.split("\n") if line and line != last]
        if not fresh or cue.end - cue.start < _SHORTEST:
            last = cue.text.split("\n")[-1] or last
            continue
        kept.append(Cue(cue.start, cue.end, "\n".join(fresh)))
        last = fresh[-1]
    return kept


def _in_order(cues: list[Cue]) -> list[Cue]:
    """By their beginnings; one ends when the next begins, unless it ends before."""
    cues = sorted(cues, key=lambda cue: cue.start)
    ordered = []
    for index, cue in enumerate(cues):
        following = cues[index + 1].start if index + 1 < len(cues) else None
        end = cue.end if cue.end > cue.start else cue.start + _AT_LEAST
        if following is not None and cue.start < following < end:
            end = following
        ordered.append(Cue(cue.start, end, cue.text))
    return ordered


def _written(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


_SCRIPTS = {
    "ja": "぀-ヿ㐀-鿿", "zh": "㐀-鿿", "ko": "가-힣", "ar": "؀-ۿ", "fa": "؀-ۿ", "he": "֐-׿",
    "ru": "Ѐ-ӿ", "uk": "Ѐ-ӿ", "bg": "Ѐ-ӿ", "el": "Ͱ-Ͽ", "hi": "ऀ-ॿ", "th": "฀-๿",
}  # fmt: skip
_LATIN = "A-Za-zÀ-ɏ"
_ENOUGH = 40  # letters


def is_other_script(language: str, text: str) -> bool:
    """Whether the letters are plainly not those of the language."""
    letters = [sign for sign in text if sign.isalpha()]
    if len(letters) < _ENOUGH:
        return False
    script = re.compile(f"[{_SCRIPTS.get(language.partition('-')[0].lower(), _LATIN)}]")
    return sum(bool(script.match(letter)) for letter in letters) * 10 < len(letters)
