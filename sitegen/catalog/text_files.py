"""Reads text files that people write with any editor."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from sitegen.catalog.faults import Fault

_LFS = "version https://git-lfs.github.com/spec/"


class Unreadable(Exception):
    """The file cannot be read as text; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class Stamp(NamedTuple):
    """What tells one state of a file from another."""

    changed: int
    size: int
    number: int


def stamp_of(path: Path) -> Stamp:
    """The file's state now. Raises FileNotFoundError."""
    status = path.stat()
    return Stamp(status.st_mtime_ns, status.st_size, status.st_ino)


def read_text(path: Path) -> str:
    """The text, with line ends as `\n` and without a byte order mark. Raises Unreadable, or FileNotFoundError.

    A file that did not change is not read twice, since a preview reads everything after every save.
    """
    return _read(path, stamp_of(path))


@lru_cache(maxsize=32768)
def _read(path: Path, _stamp: Stamp) -> str:
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(Fault(path, 1, 1, "This file is UTF-16.", "Save it as UTF-8."))
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise Unreadable(Fault(path, line, 1, "This is no text: it has a zero byte.", "Name a text file here."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"This file is not UTF-8: byte {content[error.start]:#04x} stands for no sign."
        raise Unreadable(Fault(path, line, 1, problem, "Save it as UTF-8; it may be Latin-1 now.")) from None
    if text.startswith(_LFS):
        problem = "This is a pointer of Git LFS, and not the file."
        raise Unreadable(Fault(path, 1, 1, problem, "Run “git lfs pull”."))
    return text.replace("\r\n", "\n").replace("\r", "\n")
