"""What a converted text still has that ours cannot: mended where it is plain how, and told where it is not."""

import re
from collections.abc import Callable, Sequence
from os.path import normpath
from pathlib import PurePosixPath
from urllib.parse import unquote

from sitegen.moving_in.course import FoundCourse
from sitegen.texts.faults import TextFault
from sitegen.texts.references import Reference, Target, Unresolved
from sitegen.texts.render import render

_ROUNDS = 40
_OPENING = re.compile(r"</?[A-Za-z][^<>]*>")


def mend(text: str, language: str, tell: Callable[[str], None]) -> str:
    """The text without faults that can be mended by taking away markup, never words."""
    told: set[tuple[int, str]] = set()
    for _ in range(_ROUNDS):
        faults = render(text, language=language, resolve=_as_written).faults
        fixed = text
        for fault in reversed(faults):  # from the end, so that places before stay
            mended = _mended(fixed, fault)
            if mended is None:
                if (fault.line, fault.problem) not in told:
                    told.add((fault.line, fault.problem))
            else:
                fixed = mended
        if fixed == text:
            break
        text, told = fixed, set()
    for line, problem in sorted(told):
        tell(f"line {line} of the new text: {problem}")
    return text


_TO_HEADING = re.compile(r"(\]\(<?)([^()\s#<>]+\.md)#([^()\s<>]+?)(>?[\s)])")


def drop_missing_anchors(courses: Sequence[FoundCourse], language: str) -> None:
    """Links to headings that are not there lead to the texts that were meant to have them."""
    texts = {f"{course.slug}/notes/{lesson.file}": lesson for course in courses for lesson in course.lessons}
    known: dict[str, frozenset[str]] = {}

    def has(place: str, anchor: str) -> bool:
        if place in texts and place not in known:
            known[place] = render(texts[place].text, language=language, resolve=_as_written).anchors
        return anchor in known.get(place, frozenset())

    def kept(found: re.Match[str], at: str) -> str:
        place = normpath(str(PurePosixPath(at).parent / unquote(found[2])))
        anchor = f"#{found[3]}" if has(place, unquote(found[3])) else ""
        return f"{found[1]}{found[2]}{anchor}{found[4]}"

    for at, lesson in texts.items():
        lesson.text = _TO_HEADING.sub(lambda found, at=at: kept(found, at), lesson.text)  # type: ignore[misc]  # bound at once
    for course in courses:
        at = f"{course.slug}/description.md"
        course.description = _TO_HEADING.sub(lambda found, at=at: kept(found, at), course.description)  # type: ignore[misc]


def _as_written(reference: Reference) -> Target:
    if reference.kind == "picture" and reference.address.startswith("/"):  # what could be found was found before
        raise Unresolved("A picture from another site cannot be shown.", "")
    return Target(reference.address)


def _mended(text: str, fault: TextFault) -> str | None:
    lines = text.split("\n")
    if not 1 <= fault.line <= len(lines):
        return None
    line = lines[fault.line - 1]
    at = max(fault.column - 1, 0)
    if fault.problem.startswith("There is no heading"):
        anchor = re.escape(re.findall(r"“(#[^”]*)”", fault.problem)[0])
        new = re.sub(rf"\[([^\[\]]*)\]\({anchor}\)", r"\1", line)
        if new == line:
            new = re.sub(rf'<a\s[^<>]*href="{anchor}"[^<>]*>(.*?)</a>', r"\1", line)
    elif (
        "is not allowed in a text" in fault.problem
        or "closes nothing" in fault.problem
        or "is never closed" in fault.problem
    ):
        if fault.problem.startswith("This code"):
            return text + "\n```" if not text.endswith("\n```") else None
        found = _OPENING.match(line, at) or _OPENING.search(line)
        new = line[: found.start()] + line[found.end() :] if found else line
    elif "is a form of another program" in fault.problem:
        new = line[: len(line) - len(line.lstrip())] + f"`{line.strip()}`" if "`" not in line else line
    elif fault.problem.startswith("The id “"):
        new = re.sub(r"\s*\{#[^{}]*\}\s*$", "", line)
    elif "formula" in fault.problem.lower():
        new = re.sub(r"(?<!\\)\$", r"\\$", line)
    elif fault.problem.startswith("A link cannot begin with"):
        new = re.sub(r"\[([^\[\]]*)\]\((?!https?:|mailto:|tel:)[a-zA-Z][\w+.-]*:[^()\s]*\)", r"\1", line)
    elif fault.problem.startswith("A picture from another site"):
        new = re.sub(r"<img\s[^<>]*src=\"(?:https?:/)?/[^\"]*\"[^<>]*>", "", line)
        new = re.sub(r"!\[([^\[\]]*)\](\((?:https?:)?//)", r"[\1]\2", new) if new == line else new
        new = re.sub(r"!\[([^\[\]]*)\]\(/[^()\s]*\)", r"*\1*", new) if new == line else new
    else:
        return None
    if new == line:
        return None
    lines[fault.line - 1] = new
    return "\n".join(lines)
