"""WebVTT (https://www.w3.org/TR/webvtt1/), as far as transcripts need it."""

import html
import re
from functools import lru_cache
from typing import NamedTuple

_TIMING = re.compile(r"((?:\d+:)?\d{2}:\d{2}\.\d{3})[ \t]+-->[ \t]+((?:\d+:)?\d{2}:\d{2}\.\d{3})(?:[ \t].*)?")
_TAG = re.compile(r"<[^>]*>")


class Cue(NamedTuple):
    """One caption. Times in seconds."""

    start: float
    end: float
    text: str


class CaptionsInvalid(ValueError):
    """The text is not WebVTT; `line` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


@lru_cache(maxsize=16384)
def parse_vtt(text: str) -> tuple[Cue, ...]:
    """The cues in their order. Raises CaptionsInvalid at the first line that breaks the format."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not re.match(r"WEBVTT(?:[ \t]|$)", lines[0]):
        raise CaptionsInvalid(1, "the first line of a WebVTT file is “WEBVTT”")
    cues: list[Cue] = []
    index = 1
    while index < len(lines):
        if "-->" not in lines[index]:
            index += 1
            continue
        match = _TIMING.fullmatch(lines[index].strip())
        if not match:
            raise CaptionsInvalid(index + 1, "write a cue's times like 00:04.000 --> 00:09.500")
        start, end = _seconds(match[1]), _seconds(match[2])
        if end <= start:
            raise CaptionsInvalid(index + 1, "this cue ends before it starts")
        if cues and start < cues[-1].start:
            raise CaptionsInvalid(index + 1, "this cue starts before the one above it")
        words = []
        index += 1
        while index < len(lines) and (line := lines[index].strip()):
            words.append(html.unescape(_TAG.sub("", line)).strip() if "<" in line or "&" in line else line)
            index += 1
        cues.append(Cue(start, end, " ".join(words)))
    return tuple(cues)


def _seconds(time: str) -> float:
    *hours, minutes, seconds = time.split(":")
    return (int(hours[0]) * 3600 if hours else 0) + int(minutes) * 60 + float(seconds)
