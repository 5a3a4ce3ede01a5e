"""Boxes of other dialects → `:::` directives, nested with as many colons as they need.

While a text is converted, a box's ends are marks inside its lines; they become lines of their own at the end.
"""

import re
from dataclasses import dataclass, field

from sitegen.moving_in.prose import lines_of

_OPEN, _END, _CLOSE = "\x01", "\x02", "\x03"
_MARK = re.compile(f"{_OPEN}([^{_END}]*){_END}|{_CLOSE}")
_OURS = re.compile(r"^([ \t]*):{3,}[ \t]*(?:\{[ \t]*\.?([\w-]+)[^}\n]*\}|([A-Za-z][\w-]*))?[ \t]*(.*?)[ \t]*:*[ \t]*$")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.*?)[ \t]*#*(?:[ \t]*\{[^{}]*\}|[ \t]*\{/\*.*?\*/\})?$")
_ADMONITION = re.compile(r"^([ \t]*)(!!!|\?\?\?\+?)[ \t]+([\w-]+)(?:[ \t]+(?:inline|end))*(?:[ \t]+\"(.*?)\")?[ \t]*$")

TITLES = {"keypoints": "Key points", "prereq": "Before you begin", "testimonial": "What others say"}
_KNOWN = {
    "abstract": "note", "summary": "note", "todo": "note", "success": "tip", "check": "tip", "done": "tip",
    "question": "note", "help": "note", "faq": "note", "attention": "warning", "failure": "warning", "error": "warning",
    "bug": "warning", "example": "note", "quote": "note", "seealso": "note", "hint": "tip", "pitfall": "warning",
    "details": "details", "solution": "details", "spoiler": "details", "collapse": "details", "expand": "details",
}  # fmt: skip


def opened(name: str, title: str = "") -> str:
    """The mark where a box begins."""
    return f"{_OPEN}{name}|{title}{_END}"


def closed() -> str:
    """The mark where it ends."""
    return _CLOSE


def our_name(name: str) -> str:
    """What a box of another dialect is called here."""
    return _KNOWN.get(name.lower(), name.lower())


def mark_boxes(text: str) -> str:
    """Marks for boxes that are written with colons, or as `!!! note` with an indented text."""
    lines: list[str] = []
    inside: list[int] = []  # how far the texts of open admonitions are indented
    for line in lines_of(text):
        content = line.text
        while inside and content.strip() and len(content) - len(content.lstrip()) < inside[-1]:
            lines.append(" " * (inside.pop() - 4) + _CLOSE)
        found = _ADMONITION.match(content)
        if found and not (line.is_code and not inside):
            name = "details" if found[2].startswith("?") else our_name(found[3])
            lines.append(_dedented(found[1], inside) + opened(name, found[4] or _title_of(name, found[3])))
            inside.append(len(found[1]) + 4)
            continue
        content = _dedented(content, inside)
        colons = None if line.is_code else _OURS.match(content)
        if colons and (colons[2] or colons[3] or not colons[4]):
            name = colons[2] or colons[3]
            title = re.sub(r"^\[(.*)\]$", r"\1", colons[4])  # Docusaurus: `:::tip[Title]`
            lines.append(colons[1] + (opened(our_name(name), title or TITLES.get(name, "")) if name else _CLOSE))
        else:
            lines.append(content)
    lines += [_CLOSE] * len(inside)
    return "\n".join(lines)


def _title_of(name: str, written: str) -> str:
    return "" if name == written.lower() else written.capitalize()


def _dedented(line: str, inside: list[int]) -> str:
    return line[4 * len(inside) :] if inside and not line[: 4 * len(inside)].strip() else line


@dataclass
class _Box:
    name: str
    title: str
    parts: "list[str | _Box]" = field(default_factory=list)

    @property
    def height(self) -> int:
        return 1 + max((part.height for part in self.parts if isinstance(part, _Box)), default=0)


def write_boxes(text: str) -> str:
    """The text with directives in the place of marks. What is never closed ends with the text."""
    root = _Box("", "")
    stack = [root]
    for line in text.split("\n"):
        position = 0
        if not _MARK.search(line):
            stack[-1].parts.append(line)
            continue
        for mark in _MARK.finditer(line):
            if before := line[position : mark.start()].strip():
                stack[-1].parts.append(before)
            if mark[0] == _CLOSE:
                if len(stack) > 1:
                    stack.pop()
            else:
                name, _, title = mark[1].partition("|")
                box = _Box(name, title)
                stack[-1].parts.append(box)
                stack.append(box)
            position = mark.end()
        if after := line[position:].strip():
            stack[-1].parts.append(after)
    return "\n".join(_written(root))


def _written(box: _Box) -> list[str]:
    lines: list[str] = []
    for part in box.parts:
        if isinstance(part, _Box):
            if not part.title:
                _take_title(part)
            colons = ":" * (2 + part.height)
            lines += ["", f"{colons}{part.name} {part.title}".rstrip(), *_written(part), colons, ""]
        else:
            lines.append(part)
    return lines


def _take_title(box: _Box) -> None:
    """A heading that a box begins with is its title."""
    for index, part in enumerate(box.parts):
        if isinstance(part, _Box):
            return
        if part.strip():
            if found := _HEADING.match(part.strip()):
                box.title = re.sub(r"[`*_]", "", found[1])
                del box.parts[index]
            return
