"""Pictures and other files beside the texts: whether they are what they seem, their size, and their address."""

import hashlib
import os
import re
import unicodedata
import warnings
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from PIL import Image, UnidentifiedImageError

from sitegen.catalog.faults import did_you_mean

PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".avif": "AVIF", ".gif": "GIF"}
_MOST_PIXELS = 50_000_000
_LARGEST = 20 * 1024 * 1024
# What Pillow raises for broken pictures; of AVIF, a RuntimeError.
_UNREADABLE = (
    OSError, Image.DecompressionBombError, Image.DecompressionBombWarning, ValueError, SyntaxError, RuntimeError,
)  # fmt: skip
_ORIENTATION = 0x0112  # EXIF's
_SVG = re.compile(rb"<svg\b[^>]*>", re.S)
_VIEW_BOX = re.compile(
    rb"""viewBox\s*=\s*["']\s*[-\d.]+[\s,]+[-\d.]+[\s,]+(\d{1,6}\.?\d*)[\s,]+(\d{1,6}\.?\d*)\s*["']"""
)
_ACTIVE = re.compile(rb"<script\b|\son[a-z]+\s*=|javascript:|<foreignObject\b|<!ENTITY|<!DOCTYPE[^>]*\[", re.I)


class FileRefused(ValueError):
    """The file cannot be used; the message says why, `remedy` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


def find_file(folder: Path, name: str, *, roots: tuple[Path, ...]) -> Path:
    """The file of that name beside a text, below one of `roots`. Raises FileRefused where there is none."""
    path = folder / name
    if not path.exists() and path.parent.is_dir():
        # One name may be written in two ways: é as one sign, or as e with an accent.
        wanted = unicodedata.normalize("NFC", path.name)
        path = next((each for each in path.parent.iterdir() if unicodedata.normalize("NFC", each.name) == wanted), path)
    try:
        real = real_path(path)
    except (OSError, RuntimeError):
        raise FileRefused(f"“{name}” is a link in a circle.", "Delete it, and copy the file here.") from None
    if not any(real.is_relative_to(real_folder(root)) for root in roots):
        raise FileRefused(f"“{name}” is outside this folder.", f"Move the file into {folder}.")
    if not name.strip():
        raise FileRefused("This link has no address.", "Write one between the brackets.")
    if path.is_dir():
        raise FileRefused(f"“{name}” is a folder.", "Name a file.")
    if not path.is_file():
        near = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, near)
        tidy = Path(os.path.normpath(path))
        remedy = hint if hint.startswith("Did") and path.name not in near else f"Create {tidy}, or fix the name."
        raise FileRefused(f"The file “{name}” is missing.", remedy)
    if path.name.startswith("."):
        raise FileRefused(f"“{name}” is a hidden file.", "Rename it without the point.")
    return path


def real_path(path: Path) -> Path:
    """The path without links and dots; folders are looked up once, since a course has hundreds of files in each."""
    return path.resolve() if path.is_symlink() or path.name in ("", "..") else real_folder(path.parent) / path.name


@lru_cache(maxsize=4096)
def real_folder(folder: Path) -> Path:
    """The folder without links and dots."""
    return folder.resolve()


def digest_of(path: Path) -> str:
    """A name for the file's content."""
    status = path.stat()
    return _digest(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16384)
def _digest(path: Path, _modified: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def public_address(path: Path) -> str:
    """The address of a public file; it changes with the content, so that browsers can keep it for ever."""
    name = quote(unicodedata.normalize("NFC", path.stem), safe="")
    return f"/assets/pictures/{name}.{digest_of(path)[:12]}{path.suffix.lower()}"


def private_name(path: Path) -> str:
    """The name of a private file in the folder that the service reads."""
    return f"{digest_of(path)[:32]}{path.suffix.lower()}"


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height in pixels; None for an SVG without a size. Raises FileRefused."""
    status = path.stat()
    return _size_of(path, status.st_mtime_ns, status.st_size)


def is_turned(picture: Image.Image) -> bool:
    """Whether it is stored lying, as phones do."""
    return picture.getexif().get(_ORIENTATION) in (5, 6, 7, 8)


@lru_cache(maxsize=16384)
def _size_of(path: Path, _modified: int, size: int) -> tuple[int, int] | None:
    if size > _LARGEST:
        raise FileRefused(f"“{path.name}” has {size // 2**20} MB; the limit is 20.", "Save it smaller.")
    with path.open("rb") as file:
        head = file.read(200)
    if head.startswith(b"version https://git-lfs"):
        raise FileRefused(f"“{path.name}” is a pointer of Git LFS, and not the picture.", "Run “git lfs pull”.")
    if path.suffix.lower() == ".svg":
        return _svg_size(path)
    if path.suffix.lower() not in PICTURES:
        known = ", ".join(sorted({*PICTURES, ".svg"}))
        raise FileRefused(f"“{path.name}” is no picture that browsers show.", f"Use one of: {known}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=sorted(set(PICTURES.values()))) as picture:
                width, height = picture.size
                if is_turned(picture):
                    width, height = height, width
    except UnidentifiedImageError:
        raise FileRefused(f"“{path.name}” is no picture.", "Export it again from your image program.") from None
    except _UNREADABLE:
        raise FileRefused(f"“{path.name}” cannot be read, or is enormous.", "Save it again, smaller.") from None
    if width * height > _MOST_PIXELS:
        raise FileRefused(f"“{path.name}” has {width} × {height} pixels.", "Save it with at most 50 million.")
    return width, height


def _svg_size(path: Path) -> tuple[int, int] | None:
    content = path.read_bytes()
    if not (opening := _SVG.search(content)):
        raise FileRefused(f"“{path.name}” is no SVG.", "Export it again from your drawing program.")
    if found := _ACTIVE.search(content):
        line = content.count(b"\n", 0, found.start()) + 1
        problem = f"“{path.name}” has a script or a foreign element, in line {line}."
        raise FileRefused(problem, "Export it as plain SVG.")
    box = _VIEW_BOX.search(opening[0])
    return (round(float(box[1])) or 1, round(float(box[2])) or 1) if box else None
