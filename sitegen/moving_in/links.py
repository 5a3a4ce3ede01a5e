"""Links and pictures of texts that move: they lead to where their targets are now, or become words."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from os.path import normpath, relpath
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from sitegen.moving_in.prose import lines_of, map_prose

_LINK = re.compile(
    r"(!?)\[((?:[^\[\]\\\n]|\\.|\[[^\[\]\n]*\])*)\]\((<[^<>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)((?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?)\s*\)(\{[^{}\n]*\})?"
)
_ALT = re.compile(r"alt=([\"'])(.*?)\1")
_DEFINITION = re.compile(r"^[ \t]{0,3}\[([^\]\n^]+)\]:[ \t]*(<[^<>\n]*>|\S+)(.*)$")
_SOURCE = re.compile(r"(\s(?:src|href)=\")([^\"]*)(\")")
_FULL = re.compile(r"(!?)\[([^\[\]\n]+)\]\[([^\[\]\n]*)\]")
_ELSEWHERE = re.compile(r"^(?:[a-zA-Z][\w+.-]*:|//)")
_PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif"}
_PUBLIC_FOLDERS = ("", "static", "public", "assets", "source", "docs", "src")

Tell = Callable[[int, str], None]


class Links:
    """Of one folder of texts. `moved` says where each is now: the course's slug, and the file below its folder."""

    def __init__(self, root: Path, moved: Mapping[str, str], site: str = "") -> None:
        self._root = root
        self._site = site.rstrip("/")  # where the texts are published: what is not in the folder may be there
        self._moved = moved
        self._by_stem: dict[str, list[str]] = {}
        for name in moved:
            self._by_stem.setdefault(_plain(PurePosixPath(name).stem), []).append(name)
        self._pictures: dict[str, list[str]] = {}  # notes of Obsidian name a picture wherever it is
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() in _PICTURES and path.is_file() and _is_inside(path, root):
                self._pictures.setdefault(_plain(path.name), []).append(path.relative_to(root).as_posix())
        self._files: dict[tuple[str, str], Path] = {}  # those that texts show, by course and name

    def files_of(self, course: str) -> dict[str, Path]:
        """What the texts of a course show: names below its `notes/`, and where the files are now."""
        return {name: path for (owner, name), path in self._files.items() if owner == course}

    def rewrite(self, text: str, name: str, at: str, tell: Tell) -> str:
        """The text of `name`, which is at `at` now. What leads nowhere becomes words, and is told."""
        gone: set[str] = set()
        lines = []
        for line in lines_of(text):
            found = None if line.is_code else _DEFINITION.match(line.text)
            if found is None:
                lines.append(line.text)
                continue
            target = self._target(found[2].strip("<>"), name, at, line.number, tell)
            if target is None:
                gone.add(found[1].casefold())
                lines.append("")
            else:
                lines.append(f"[{found[1]}]: {target}{found[3]}")

        def change(part: str, number: int) -> str:
            part = _LINK.sub(lambda each: self._link(each, name, at, number, tell), part)
            part = _SOURCE.sub(lambda each: self._source(each, name, at, number, tell), part)
            if gone:
                part = _FULL.sub(lambda each: each[2] if (each[3] or each[2]).casefold() in gone else each[0], part)
            return part

        return map_prose("\n".join(lines), change)

    def _link(self, found: re.Match[str], name: str, at: str, number: int, tell: Tell) -> str:
        mark, words, written, title = found[1], found[2], found[3].strip("<>"), found[4]
        braces = found[5] or ""
        if "](" in words or "![" in words:  # a picture that is a link
            words = _LINK.sub(lambda each: self._link(each, name, at, number, tell), words)
        target = self._target(written, name, at, number, tell, is_picture=bool(mark))
        if target is None:
            alt = _ALT.search(braces)
            words = words or (alt[2] if alt else "")
            return words if not mark or not words else f"*{words}*"
        if mark and _ELSEWHERE.match(target):
            tell(number, f"the picture {target}, which is on another site; a link stands for it")
            return f"[{words or 'Picture'}]({target})"
        return f"{mark}[{words}]({target}{title}){braces}"

    def _source(self, found: re.Match[str], name: str, at: str, number: int, tell: Tell) -> str:
        target = self._target(found[2], name, at, number, tell)
        return f"{found[1]}{target}{found[3]}" if target is not None else ""

    def _target(
        self, written: str, name: str, at: str, number: int, tell: Tell, *, is_picture: bool = False
    ) -> str | None:
        """Where a link leads now; None where it leads nowhere."""
        path, mark, anchor = written.partition("#")
        path = path.partition("?")[0]
        if _ELSEWHERE.match(written) or (not path and mark):
            return written
        found = self._find(unquote(path), name)
        if found is None and self._site and path.startswith("/") and not is_picture:
            return self._site + written
        if found is None:
            tell(number, f"the {'picture' if is_picture else 'link'} “{written}”, which leads nowhere in this folder")
            return None
        if found in self._moved:
            place = relpath(self._moved[found], str(PurePosixPath(at).parent))
            return quote(PurePosixPath(place).as_posix()) + (f"#{anchor}" if anchor else "")
        course = PurePosixPath(at).parts[0]
        self._files[f"{course}/", found] = self._root / found
        place = relpath(f"{course}/notes/{found}", str(PurePosixPath(at).parent))
        return quote(PurePosixPath(place).as_posix())

    def _find(self, path: str, name: str) -> str | None:
        """The file that a link names: beside the text, below the root of the site, or a text of that name."""
        here = PurePosixPath(name).parent
        tries = []
        if path.startswith("/"):
            parts = path.strip("/").split("/")
            for skipped in range(len(parts)):
                rest = "/".join(parts[skipped:])
                tries += [f"{folder}/{rest}".lstrip("/") for folder in _PUBLIC_FOLDERS]
        else:
            tries = [normpath(str(here / path)), normpath(str(here.parent / path)), normpath(path)]
        for each in tries:
            if each.startswith("..") or each == ".":
                continue
            base = each.removesuffix(".html").removesuffix(".htm").rstrip("/")
            for candidate in (
                each,
                f"{base}.md",
                f"{base}.mdx",
                f"{base}/index.md",
                f"{base}/README.md",
                f"{base}/_index.md",
            ):
                if candidate in self._moved:
                    return candidate
            file = self._root / each
            if file.is_file() and file.suffix.lower() not in (".md", ".mdx") and _is_inside(file, self._root):
                return each
        stem = PurePosixPath(path.rstrip("/")).name
        stem = stem.rpartition(".")[0] if re.search(r"\.(?:mdx?|html?|rmd)$", stem, re.I) else stem
        if PurePosixPath(path).suffix.lower() in _PICTURES:
            same = self._pictures.get(_plain(PurePosixPath(path).name), [])
        else:
            same = self._by_stem.get(_plain(stem), [])
        return same[0] if len(same) == 1 else None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_inside(file: Path, root: Path) -> bool:
    return file.resolve().is_relative_to(root.resolve())
