"""In which order the texts of a folder are read, where the folder says so."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+(?:\*\*|__)?\[[^\]\n]*\]\(([^()\s]+)\)", re.M)
_ANY_LINK = re.compile(r"\]\((<[^<>\n]+>|[^()\s]+)\)")
_NUMBERS = re.compile(r"(\d+)")


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which `2-b` comes before `10-a`."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part.casefold()) for part in _NUMBERS.split(name) if part]


def by_links(names: Sequence[str], index: str) -> list[str] | None:
    """As a table of contents names them; None where it names fewer than half."""
    stems: dict[str, str] = {}
    for name in names:
        stems.setdefault(PurePosixPath(name).stem.casefold(), name)
    ordered: list[str] = []
    for target in _ANY_LINK.findall(index):
        written = unquote(target.partition("#")[0].strip("<>").rstrip("/")).removeprefix("./")
        path = PurePosixPath(written)
        whole = next((name for name in names if name == written or name.endswith(f"/{written}")), None)
        found = whole or stems.get(path.stem.casefold()) or stems.get(path.name.casefold())
        if found and found not in ordered:
            ordered.append(found)
    if 2 * len(ordered) < len(names):
        return None
    return ordered + [name for name in names if name not in ordered]


def chapters(names: Sequence[str], texts: Mapping[str, str]) -> list[tuple[str | None, list[str]]] | None:
    """Groups of texts, where some of them list others: each of these begins a chapter.

    None where less than two texts do. The first group may have no chapter of its own.
    """
    stems = {PurePosixPath(name).stem.casefold(): name for name in names}
    children: dict[str, list[str]] = {}
    for name in names:
        for target in _ITEM.findall(texts[name]):
            stem = PurePosixPath(unquote(target.partition("#")[0].rstrip("/"))).stem.casefold()
            other = stems.get(stem)
            if other and other != name and other not in children.setdefault(name, []):
                children[name].append(other)
    children = {name: found for name, found in children.items() if len(found) >= 3}
    listed = {other for found in children.values() for other in found}
    heads = [name for name in names if name in children and name not in listed]
    if len(heads) < 2:
        return None
    seen: set[str] = set(heads)
    groups: list[tuple[str | None, list[str]]] = []
    for head in heads:
        group = [head]
        for each in children[head]:
            if each not in seen:
                seen.add(each)
                group.append(each)
        groups.append((head, group))
    rest = [name for name in names if name not in seen]
    if len(rest) * 2 > len(names):
        return None
    return [(None, rest), *groups] if rest else groups
