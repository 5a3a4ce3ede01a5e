"""Pictures as visitors' screens need them: several widths in AVIF and WebP, and an original without what it tells.

Each is made once for each content and kept in a folder, since to make an AVIF takes a second of the processor.
"""

import io
import itertools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from PIL import Image, ImageOps

from sitegen.catalog.pictures import is_turned

WIDTHS = (480, 960, 1600)
SMALLEST = 400  # pixels; what is narrower is an icon
QUALITY = {"avif": 60, "webp": 80}
MADE_BY = "1"  # raised whenever the same picture would become other bytes
_RASTER = (".jpg", ".jpeg", ".png", ".webp", ".avif")
_SIZES = "(min-width: 48rem) 44rem, 100vw"
_IMG = re.compile(r'<img src="(/assets/pictures/[^"]+)"([^>]*)>')
_OWN_SIZES = re.compile(r' sizes="([^"]*)"')
_STEPS = "048cf"  # of red, green and blue; 125 tones in all, so that another picture never makes another style sheet


@dataclass(frozen=True)
class Variant:
    """One width in one format."""

    address: str
    kind: str
    width: int
    content: bytes


@dataclass
class Responsive:
    """The variants of the pictures that a site shows. `pictures` are files by address; `folder` keeps what was made."""

    pictures: Mapping[str, Path]
    folder: Path
    _known: dict[str, tuple[Variant, ...]] = field(default_factory=dict)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every variant, with its name below the output folder."""
        for address in sorted(self.pictures):
            for each in self.variants(address):
                yield unquote(each.address).lstrip("/"), each.content

    def original(self, address: str) -> bytes:
        """The picture itself; a photo without its place, its camera and its turn, which are in no other way public."""
        path = self.pictures[address]
        content = path.read_bytes()
        if path.suffix.lower() not in _RASTER:
            return content
        return self._kept(f"{_stem(address)}{path.suffix.lower()}", lambda: _without_metadata(content) or content)

    def variants(self, address: str) -> tuple[Variant, ...]:
        """Those of a picture, the smallest first; none where they would help nobody."""
        if address not in self._known:
            self._known[address] = tuple(self._made(address))
        return self._known[address]

    def in_page(self, html: str) -> str:
        """The page with a `<picture>` around each picture that has variants."""
        return _IMG.sub(self._picture, html)

    def _picture(self, found: re.Match[str]) -> str:
        variants = self.variants(found[1]) if found[1] in self.pictures else ()
        if not variants:
            return found[0]
        own = _OWN_SIZES.search(found[2])
        sizes = own[1] if own else _SIZES
        sources = []
        for kind in QUALITY:
            offered = ", ".join(f"{each.address} {each.width}w" for each in variants if each.kind == kind)
            if offered:
                sources.append(f'<source type="image/{kind}" srcset="{offered}" sizes="{sizes}">')
        tone = self._tone(found[1])
        opening = f'<picture class="tone-{tone}">' if tone else "<picture>"
        return f'{opening}{"".join(sources)}<img src="{found[1]}"{_OWN_SIZES.sub("", found[2])}></picture>'

    def _tone(self, address: str) -> str:
        """Three hexadecimal digits: the colour in its place until it is there; none for one with holes."""
        path = self.pictures[address]
        return self._kept(f"{_stem(address)}.tone", lambda: _average(path).encode()).decode()

    def _made(self, address: str) -> Iterator[Variant]:
        path = self.pictures[address]
        if path.suffix.lower() not in _RASTER:
            return
        with Image.open(path) as picture:
            if getattr(picture, "is_animated", False):
                return
            upright = picture.size[::-1] if is_turned(picture) else picture.size
        if upright[0] < SMALLEST:
            return
        largest = path.stat().st_size
        widths = [width for width in WIDTHS if width < upright[0]] + [min(upright[0], WIDTHS[-1])]
        for kind in QUALITY:
            for width in sorted(set(widths)):
                content = self._kept(f"{_stem(address)}-{width}.{kind}", lambda: _scaled(path, width, kind))  # noqa: B023
                if len(content) < largest:
                    yield Variant(f"{address.rpartition('.')[0]}-{width}.{kind}", kind, width, content)

    def _kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        path = self.folder / MADE_BY / name
        if path.is_file():
            return path.read_bytes()
        content = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{name}.{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(path)
        return content


def tone_rules() -> str:
    """The style of every tone. Inline styles are forbidden to pages; a description has to be read on it as well."""
    return "".join(
        f".tone-{tone} img {{ background: #{tone}; color: #{'000' if _is_light(tone) else 'fff'}; }}\n"
        for tone in map("".join, itertools.product(_STEPS, repeat=3))
    )


def _stem(address: str) -> str:
    """The digest and the name, as a file name."""
    return unquote(address).rpartition("/")[2].rpartition(".")[0]


def _opened(path: Path) -> Image.Image:
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGBA" if "transparency" in picture.info or "A" in picture.getbands() else "RGB")
    return picture


def _scaled(path: Path, width: int, kind: str) -> bytes:
    picture = _opened(path)
    height = max(1, round(picture.height * width / picture.width))
    scaled = picture if width == picture.width else picture.resize((width, height), Image.Resampling.LANCZOS)
    return _saved(scaled, kind.upper(), quality=QUALITY[kind])


def _average(path: Path) -> str:
    with Image.open(path) as picture:
        if "transparency" in picture.info or "A" in picture.getbands():
            return ""
        picture.draft("RGB", (64, 64))  # JPEG alone; decodes no more than that
        pixel = picture.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
    return "".join(_STEPS[round(value / 64)] for value in pixel)


def _is_light(tone: str) -> bool:
    red, green, blue = (int(digit, 16) for digit in tone)
    return 2 * red + 7 * green + blue > 75


def _without_metadata(content: bytes) -> bytes | None:
    """The same picture with nothing but its pixels and colours; None where there is nothing to take out."""
    with Image.open(io.BytesIO(content)) as picture:
        kind = picture.format or ""
        told = set(picture.info) & {"exif", "xmp", "XML:com.adobe.xmp", "photoshop", "comment", "Comment", "Author"}
        if kind not in ("JPEG", "PNG", "WEBP") or getattr(picture, "is_animated", False) or not told:
            return None
        upright = ImageOps.exif_transpose(picture)
        if upright.mode == "CMYK":
            upright = upright.convert("RGB")
        return _saved(upright, kind, quality=88)


def _saved(picture: Image.Image, kind: str, *, quality: int) -> bytes:
    """The bytes, the same each time, with the colour profile and without all else."""
    profile = picture.info.get("icc_profile")
    clean = picture.copy()
    clean.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    content = io.BytesIO()
    more = {"speed": 6, "max_threads": 1} if kind == "AVIF" else {}
    clean.save(content, kind, quality=quality, icc_profile=profile, **more)
    return content.getvalue()
