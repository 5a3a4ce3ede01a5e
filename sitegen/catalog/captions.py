"""WebVTT (https://www.w3.org/TR/webvtt1/), as far as transcripts need it."""

import html
import re
from dataclasses import dataclass

_TIMING = re.compile(r"((?:\d+:)?\d{2}:\d{2}\.\d{3})[ \t]+-->[ \t]+((?:\d+:)?\d{2}:\d{2}\.\d{3})(?:[ \t].*)?")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Cue:
    """One caption. Times in seconds."""

    start: float
    end: float
    text: str


class CaptionsInvalid(ValueError):
    """The text is not WebVTT; `line` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


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
        start, end = (_seconds(time) for time in match.groups())
        if end <= start:
            raise CaptionsInvalid(index + 1, "this cue ends before it starts")
        if cues and start < cues[-1].start:
            raise CaptionsInvalid(index + 1, "this cue starts before the one above it")
        words = []
        index += 1
        while index < len(lines) and lines[index].strip():
            words.append(html.unescape(_TAG.sub("", lines[index])).strip())
            index += 1
        cues.append(Cue(start, end, " ".join(words)))
    return tuple(cues)


def _seconds(time: str) -> float:
    total = 0.0
    for part in time.split(":"):
        total = total * 60 + float(part)
    return total
