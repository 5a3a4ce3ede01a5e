"""What a text may not exceed: the parser is native code, and these limits keep hostile or broken input from it.

Beyond them it was seen to use up the stack or to take time that grows with the square of the text.
"""

import re

from sitegen.texts.faults import TextFault

_TEXT = 1024 * 1024  # bytes
_PARAGRAPH = 32 * 1024  # characters
_MARKERS = 128  # at the beginning of a line: > - * + and digits with a point
_DEPTH = 32  # containers that one line is in
_FOOTNOTES = 2_000
_PAIRED = 5_000  # each of ~ ^ ==
_OPEN = 1_000  # brackets in a row

_PREFIX = re.compile(r"(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))*")
_MARKER = re.compile(r">|[-*+]|\d{1,9}[.)]")
_BRACKETS = re.compile(rf"[\[(!<*_`]{{{_OPEN},}}")


def first_excess(text: str) -> TextFault | None:
    """The first place where the text is too much for the parser."""
    if len(text) > _TEXT or len(text.encode("utf-8", "surrogatepass")) > _TEXT:
        return TextFault(1, 1, "This text is larger than one megabyte.", "Divide it into several lessons or pages.")
    for mark, most in (("[^", _FOOTNOTES), ("~", _PAIRED), ("^", _PAIRED), ("==", _PAIRED)):
        if text.count(mark) > most:
            return TextFault(1, 1, f"This text has more than {most} times “{mark}”.", "Divide the text.")
    if found := _BRACKETS.search(text):
        place = text.count("\n", 0, found.start()) + 1
        return TextFault(place, 1, f"More than {_OPEN} marks in a row stand here.", "Delete what is not meant.")
    length = 0
    for number, line in enumerate(text.splitlines(), start=1):
        markers = 0
        if len(line) > _DEPTH and not line[0].isalpha():
            prefix = _PREFIX.match(line)
            markers = len(_MARKER.findall(prefix[0])) if prefix else 0
        if markers > _DEPTH or len(line) - len(line.lstrip()) > 4 * _MARKERS:
            return TextFault(number, 1, "This line is nested too deep.", f"Use at most {_DEPTH} levels.")
        length = length + len(line) + 1 if line.strip() else 0
        if length > _PARAGRAPH:
            return TextFault(number, 1, "This paragraph has more than 32,000 signs.", "Put empty lines between parts.")
    return None
