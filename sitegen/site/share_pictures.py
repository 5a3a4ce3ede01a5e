"""Pictures of 1200 × 630 for links on social networks, drawn in the school's brand, in any script.

typst draws them (the extra `cards`), with fonts that come with the program, one more font for Chinese, Japanese and
Korean (the extra `cjk`), and those of a school's `theme/fonts/`. Where it is not installed, or no font has the letters,
a shared link shows the course's own picture.
"""

import hashlib
import importlib.util
import json
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

FONTS = Path(__file__).resolve().parent.parent / "fonts"
TEMPLATE = Path(__file__).with_name("share_picture.typ")
WIDTH, HEIGHT = 1200, 630
_CJK = "noto_cjk_sans_jp_bold"
_SCRIPTS = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "THAI"})
_CJK_SCRIPTS = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "IDEOGRAPHIC", "HALFWIDTH"})
_SHARED = ("COMBINING", "MODIFIER", "ZERO", "FULLWIDTH", "MASCULINE", "FEMININE", "MICRO")


@dataclass(frozen=True)
class Card:
    """What is drawn. `logo` is a file below the school's folder, or empty."""

    title: str
    by: str
    school: str
    color: str
    accent: str
    language: str
    is_right_to_left: bool
    logo: str

    @property
    def address(self) -> str:
        """Its address, which changes with what it shows."""
        return f"/assets/share/{self._digest}.png"

    @property
    def _digest(self) -> str:
        drawn = json.dumps([asdict(self), TEMPLATE.read_text(encoding="utf-8")], ensure_ascii=False)
        return hashlib.sha256(drawn.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def can_draw(card: Card, fonts: Path) -> bool:
    """Whether typst is here, and a font for each letter; a school that brings fonts knows what it writes."""
    if not _is_installed("typst"):
        return False
    if fonts.is_dir() and any(fonts.iterdir()):
        return True
    known = _SCRIPTS | _CJK_SCRIPTS if _is_installed(_CJK) else _SCRIPTS
    return scripts_of(card.title + card.by + card.school) <= known


def scripts_of(text: str) -> frozenset[str]:
    """The scripts of its letters, as Unicode names them."""
    names = (unicodedata.name(sign, "UNKNOWN").split()[0] for sign in text if unicodedata.category(sign)[0] in "LM")
    return frozenset(name for name in names if name not in _SHARED)


def draw(card: Card, root: Path, fonts: Path, folder: Path) -> bytes:
    """The picture; drawn once, and kept in `folder`. `root` is the school's folder."""
    path = folder / f"{card.address.rpartition('/')[2]}"
    if path.is_file():
        return path.read_bytes()
    import typst  # an extra

    values = {
        **asdict(card),
        "title": _drawable(card.title),
        "by": _drawable(card.by),
        "school": _drawable(card.school),
    }
    values["logo"] = f"/{card.logo}" if card.logo else ""
    content: bytes = typst.compile(  # type: ignore[call-overload]  # its types want the root as bytes too
        TEMPLATE.read_bytes(),
        root=root,
        font_paths=list(_fonts(fonts)),
        ignore_system_fonts=True,
        format="png",
        ppi=72.0,
        sys_inputs={"card": json.dumps(values, ensure_ascii=False)},
    )
    folder.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
    return content


def _drawable(text: str) -> str:
    """Without what no font here has, such as emoji, and without marks that change the direction of what follows."""
    kept = (sign for sign in text if unicodedata.category(sign) not in ("So", "Cf", "Cs", "Co", "Cn"))
    return " ".join("".join(kept).split())


def _fonts(own: Path) -> Sequence[Path]:
    found = [FONTS]
    if (cjk := importlib.util.find_spec(_CJK)) is not None and cjk.submodule_search_locations:
        found.append(Path(cjk.submodule_search_locations[0]))
    return [own, *found] if own.is_dir() else found


@lru_cache
def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
