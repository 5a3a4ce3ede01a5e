"""The texts of a folder, each with its title and what its head says."""

import re
import tomllib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sitegen.catalog.yaml_source import YamlSource, parse_yaml
from sitegen.moving_in.course import Lost

_TEXTS = {".md", ".mdx", ".markdown"}
_NO_LESSONS = re.compile(
    r"(licen[cs]e|contributing|code[_-]of[_-]conduct|changelog|security|authors|citation|governance|support|"
    r"pull_request_template|issue_template|summary|_sidebar|_navbar|_coverpage|_toc)([-_.].*)?",
    re.I,
)
_NO_FOLDERS = re.compile(
    r"\..*|node_modules|_(includes|layouts|site|sass|data|build)|__pycache__|venv|templates?", re.I
)
_INDEX = re.compile(r"(index|readme|_index)", re.I)
_TITLE = re.compile(r"^#[ \t]+(.+?)[ \t]*#*[ \t]*$")
_MAPPED = {"title", "summary", "description", "excerpt", "draft", "published", "slug", "order", "weight", "nav_order",
           "sidebar_position", "layout", "type", "id", "sidebar_label", "linkTitle"}  # fmt: skip
_LONG_INDEX = 2_000  # characters
LARGEST = 1024 * 1024  # bytes; a text beyond is none that somebody wrote


@dataclass
class Page:
    """A Markdown file: its name below the folder, and what its head says."""

    name: str
    title: str
    text: str
    skipped: int  # lines above the text
    head: dict[str, object]

    @property
    def number(self) -> float | None:
        """Where it stands among its neighbours, if its head says so."""
        for key in ("order", "weight", "nav_order", "sidebar_position"):
            value = self.head.get(key)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return float(value)
        return None

    @property
    def summary(self) -> str:
        """One line, where the head has one."""
        for key in ("summary", "description", "excerpt"):
            if isinstance(value := self.head.get(key), str) and value.strip():
                return _one_line(value)[:300]
        return ""

    @property
    def is_index(self) -> bool:
        """Whether it says what its folder is about; an index that is as long as a lesson is one."""
        stem = PurePosixPath(self.name).stem
        return bool(_INDEX.fullmatch(stem)) and (stem.lower() == "readme" or len(self.text) < _LONG_INDEX)


def read_pages(folder: Path, lost: list[Lost]) -> Iterator[Page]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (
            any(_NO_FOLDERS.fullmatch(part) for part in PurePosixPath(name).parts[:-1])
            or path.suffix.lower() not in _TEXTS
        ):
            continue
        if not path.is_file() or _NO_LESSONS.fullmatch(path.stem) or path.name.startswith("."):
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            lost.append(Lost(name, 0, "is a link to a file elsewhere"))
            continue
        content = path.read_bytes()
        if len(content) > LARGEST:
            lost.append(Lost(name, 0, "is larger than one megabyte"))
            continue
        if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            content = content.decode("utf-16", "replace").encode()
        if b"\0" in content:
            lost.append(Lost(name, 0, "is no text: it has a zero byte"))
            continue
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
            lost.append(Lost(name, 0, "is not UTF-8; it was read as Latin-1: look at its letters"))
        yield _read_page(name, text.replace("\r\n", "\n").replace("\r", "\n"), lost)


def _read_page(name: str, text: str, lost: list[Lost]) -> Page:
    head, skipped = _front_matter(name, text, lost)
    lines = text.split("\n")[skipped:]
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    title = str(head.get("title") or head.get("linkTitle") or "").strip()
    if first is not None and (found := _TITLE.match(lines[first])):
        title = title or re.sub(r"\s*\{[^{}]*\}$", "", found[1])
        lines[first] = ""  # the page shows the title above the text
    elif first is not None and first + 1 < len(lines) and re.fullmatch(r"=+", lines[first + 1].strip() or "-"):
        title = title or lines[first].strip()
        lines[first] = lines[first + 1] = ""
    return Page(name, _one_line(title), "\n".join(lines), skipped, head)


def _front_matter(name: str, text: str, lost: list[Lost]) -> tuple[dict[str, object], int]:
    lines = text.split("\n")
    if lines[0].rstrip() not in ("---", "+++"):
        return {}, 0
    end = next((index for index, line in enumerate(lines[1:], start=1) if line.rstrip() == lines[0].rstrip()), None)
    if end is None:
        return {}, 0
    if lines[0].startswith("+"):
        head: dict[str, object] = {}
        try:
            head = tomllib.loads("\n".join(lines[1:end]))
        except tomllib.TOMLDecodeError as error:
            lost.append(Lost(name, 1, f"front matter that is no TOML: {error}"))
    else:
        data = parse_yaml(YamlSource(Path(name)), "\n".join(lines[1:end])).data
        if not isinstance(data, dict):
            data = dict(re.findall(r"^(\w+):\s*[\"']?(.*?)[\"']?\s*$", "\n".join(lines[1:end]), re.M))
        head = data
    if others := sorted(head.keys() - _MAPPED):
        lost.append(Lost(name, 1, f"front matter: {', '.join(others)}"))
    return head, end + 1


def is_about_files(name: str, pages: dict[str, Page], folder: Path) -> bool:
    """Whether a README stands alone beside files, and tells about them."""
    place = PurePosixPath(name).parent
    others = [other for other in pages if other != name and PurePosixPath(other).is_relative_to(place)]
    is_alone = PurePosixPath(name).stem.lower() == "readme" and not others
    return is_alone and any(path.suffix.lower() not in _TEXTS for path in (folder / place).iterdir())


def _one_line(text: str) -> str:
    text = re.sub(r"\{/\*.*?\*/\}|<[^<>]+>", "", text)
    text = re.sub(r"!?\[([^\[\]]*)\]\([^()]*\)", r"\1", text)
    return re.sub(r"\s+", " ", re.sub(r"[*`]", "", text)).strip()
