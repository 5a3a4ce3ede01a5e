"""Icons of browsers and phones, made of the logo, or of the school's first letter; typst draws them.

Without typst (the extra `cards`), the logo itself is the icon.
"""

import importlib.util
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from PIL import Image

from sitegen.catalog.model import Site
from sitegen.site.share_pictures import FONTS

SIZES = (180, 192, 512)
_TEMPLATE = """\
#let logo = sys.inputs.logo
#set page(width: 512pt, height: 512pt, margin: 0pt, fill: rgb(sys.inputs.back))
#set text(font: ("Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai"))
#place(center + horizon, if logo != "" {
  image(logo, width: 384pt, height: 384pt, fit: "contain")
} else {
  text(size: 340pt, weight: 700, fill: white, sys.inputs.letter)
})
"""


@dataclass(frozen=True)
class Icons:
    """The icons of one school. `folder` keeps what was drawn; None, or without typst: the logo itself is the icon."""

    site: Site
    files: Path
    folder: Path | None

    def links(self) -> list[tuple[str, str]]:
        """What pages name: relation and address."""
        logo = self.site.logo
        found = [("icon", logo.address)] if logo is not None and logo.file.endswith(".svg") else []
        if not self._draws:
            return found or ([("icon", logo.address)] if logo is not None else [])
        return [
            ("icon", "/favicon.ico"),
            *found,
            ("apple-touch-icon", self._address(180)),
            ("manifest", "/site.webmanifest"),
        ]

    def of_manifest(self) -> list[tuple[str, str]]:
        """Sizes and addresses for the web app's manifest; empty without icons."""
        return [(f"{size}x{size}", self._address(size)) for size in (192, 512)] if self._draws else []

    def drawn(self) -> Iterator[tuple[str, bytes]]:
        """Name below the output folder, and bytes."""
        if not self._draws:
            return
        with Image.open(io.BytesIO(self._large)) as large:
            for size in SIZES:
                yield (
                    self._address(size).lstrip("/"),
                    _bytes(large.resize((size, size), Image.Resampling.LANCZOS), "PNG"),
                )
            small = large.resize((48, 48), Image.Resampling.LANCZOS)
            yield "favicon.ico", _bytes(small, "ICO")

    @property
    def _draws(self) -> bool:
        return self.folder is not None and importlib.util.find_spec("typst") is not None

    def _address(self, size: int) -> str:
        return f"/assets/icons/{self._digest}-{size}.png"

    @cached_property
    def _digest(self) -> str:
        logo = (self.files / self.site.logo.file).read_bytes() if self.site.logo else b""
        drawn = f"{_TEMPLATE}{self.site.name[:1]}{self.site.brand_color}".encode() + logo
        return sha256(drawn).hexdigest()[:12]

    @cached_property
    def _large(self) -> bytes:
        assert self.folder is not None  # noqa: S101 - asked before
        path = self.folder / f"icon-{self._digest}.png"
        if path.is_file():
            return path.read_bytes()
        import typst  # an extra

        logo = self.site.logo
        content: bytes = typst.compile(  # type: ignore[call-overload]  # its types want the root as bytes too
            _TEMPLATE.encode(),
            root=self.files,
            font_paths=[FONTS],
            ignore_system_fonts=True,
            format="png",
            ppi=72.0,
            sys_inputs={
                "logo": f"/{logo.file}" if logo else "",
                "back": "#ffffff" if logo else self.site.brand_color,
                "letter": self.site.name[:1].upper(),
            },
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(path)
        return content


def _bytes(picture: Image.Image, kind: str) -> bytes:
    content = io.BytesIO()
    more = {"sizes": [(16, 16), (32, 32), (48, 48)]} if kind == "ICO" else {"optimize": True}
    picture.save(content, kind, **more)
    return content.getvalue()
