"""A school's own fonts: cut down to what its languages need, and with a stand-in of the same size while they load.

fontTools cuts them (the extra `fonts`); without it they are served as they are.
"""

import hashlib
import importlib.util
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What pages in a language are written with, beside the Latin that every page has.
_LATIN = (range(0x20, 0x250), range(0x1E00, 0x1F00), range(0x2000, 0x2070), range(0x20A0, 0x20D0),
          range(0x2100, 0x2200), range(0x2200, 0x2300), range(0x2600, 0x2610), range(0x2710, 0x2720))  # fmt: skip
_SCRIPTS = {
    "ar": (range(0x600, 0x700), range(0x750, 0x780), range(0xFB50, 0xFE00), range(0xFE70, 0xFF00)),
    "fa": (range(0x600, 0x700), range(0x750, 0x780), range(0xFB50, 0xFE00), range(0xFE70, 0xFF00)),
    "he": (range(0x590, 0x600), range(0xFB1D, 0xFB50)),
    "ru": (range(0x400, 0x530),),
    "uk": (range(0x400, 0x530),),
    "bg": (range(0x400, 0x530),),
    "el": (range(0x370, 0x400), range(0x1F00, 0x2000)),
}
_WHOLE = frozenset({"ja", "zh", "ko", "hi", "th", "ka", "hy", "bn", "ta", "te", "mr"})  # too much, or too little known
# The fonts that stand in, with the average width of the letters below, as shares of the size.
STAND_INS = {"serif": ("Georgia", 0.508), "sans": ("Arial", 0.498)}
_LETTERS = "etaoinshrdlucmfwypvbgk"  # those of which texts are made


@dataclass(frozen=True)
class FittedFont:
    """The bytes to serve, and how the stand-in has to be stretched; in percent, None where that is not known."""

    content: bytes
    size: float | None = None
    ascent: float | None = None
    descent: float | None = None
    line_gap: float | None = None


def fit(path: Path, languages: Iterable[str], faces: str, folder: Path | None) -> FittedFont:
    """The font as pages need it. `folder` keeps what was cut."""
    content = path.read_bytes()
    if importlib.util.find_spec("fontTools") is None:
        return FittedFont(content)
    from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]

    try:
        font = TTFont(io.BytesIO(content), lazy=True)
        metrics = _metrics(font, STAND_INS[faces][1])
    except (TTLibError, KeyError, ValueError, AssertionError, OSError):
        return FittedFont(content)  # browsers may know more of it than we do
    codes = _codes(languages)
    cut = content if codes is None else _cut(content, codes, folder)
    return FittedFont(min(content, cut, key=len), *metrics)


def _codes(languages: Iterable[str]) -> list[int] | None:
    general = {each.partition("-")[0] for each in languages}
    if general & _WHOLE:
        return None
    more = [part for each in sorted(general) for part in _SCRIPTS.get(each, ())]
    return [code for part in (*_LATIN, *more) for code in part]


def _metrics(font: Any, average: float) -> tuple[float, float, float, float]:  # Any: fontTools has no types
    tables = {name: font[name] for name in ("head", "hhea", "hmtx")}
    units, lines = tables["head"].unitsPerEm, tables["hhea"]
    names = font.getBestCmap()
    widths = [tables["hmtx"][names[ord(sign)]][0] / units for sign in _LETTERS if ord(sign) in names]
    size = (sum(widths) / len(widths) / average) if widths else 1.0
    parts = (lines.ascent, -lines.descent, lines.lineGap)
    ascent, descent, gap = (round(100 * part / units / size, 1) for part in parts)
    return round(100 * size, 1), ascent, descent, gap


def _cut(content: bytes, codes: list[int], folder: Path | None) -> bytes:
    digest = hashlib.sha256(content + repr(codes).encode()).hexdigest()[:20]
    kept = folder / f"{digest}.woff2" if folder is not None else None
    if kept is not None and kept.is_file():
        return kept.read_bytes()
    from fontTools import subset  # type: ignore[import-untyped]

    options = subset.Options(flavor="woff2", layout_features=["*"], notdef_outline=True, recalc_timestamp=False)
    font = subset.load_font(io.BytesIO(content), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    written = io.BytesIO()
    subset.save_font(font, written, options)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(f".{os.getpid()}")
        draft.write_bytes(written.getvalue())
        draft.replace(kept)
    return written.getvalue()
