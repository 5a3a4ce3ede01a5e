"""The style sheet of a school's brand: palette, faces, corners and room."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from sitegen.catalog.model import Site
from sitegen.catalog.palette import palette
from sitegen.site.fonts import STAND_INS, FittedFont

_SERIF = '"Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", "Book Antiqua", Georgia, serif'
_SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
_CORNERS = {"square": "0px", "soft": "10px", "round": "20px"}
_ROOM = {"compact": 0.75, "comfortable": 1.0, "airy": 1.3}
_STEPS = {"s4": 1.0, "s5": 1.5, "s6": 2.0, "s7": 3.0, "s8": 4.5}  # rem; smaller ones are inside of parts


def style_sheet(site: Site, fonts: Mapping[str, FittedFont] = MappingProxyType({})) -> str:
    """Custom properties that the other sheets use, and the school's own fonts."""
    light, dark = palette(site.brand_color, site.brand_accent)
    brand, room = site.brand, _ROOM[site.brand.density]
    stacks = {"text": _SERIF if brand.faces == "serif" else _SANS, "ui": _SANS}
    faces = []
    for use, name in brand.fonts.items():
        faces.append(
            f'@font-face {{ font-family: "own-{use}"; font-display: swap; font-weight: 100 900; '
            f'src: url("../fonts/{Path(name).name}") format("woff2"); }}'
        )
        stand_in = _stand_in(use, fonts[use], "sans" if use == "ui" else brand.faces)
        faces += stand_in
        names = [f'"own-{use}"', *([f'"stand-in-{use}"'] if stand_in else []), stacks[use]]
        stacks[use] = ", ".join(names)
    if site.look == "studio":  # is dark by day too
        light = {**light, **dark}
    lines = [
        *(f"  --{name}: {value};" for name, value in light.items()),
        f"  --text-face: {stacks['text']};",
        f"  --ui-face: {stacks['ui']};",
        f"  --radius: {_CORNERS[brand.corners]};",
        f"  --logo-height: {brand.logo_height}px;",
    ]
    if room != 1.0:
        lines += [f"  --{name}: {size * room:g}rem;" for name, size in _STEPS.items()]
    night = "\n".join(f"    --{name}: {value};" for name, value in dark.items())
    return "\n".join(
        [*faces, ":root {", *lines, "}", "@media (prefers-color-scheme: dark) {", "  :root {", night, "  }", "}", ""]
    )


def _stand_in(use: str, font: FittedFont, faces: str) -> list[str]:
    """What is seen while the font loads takes the same room, so that no line moves."""
    if font.size is None:
        return []
    name, _ = STAND_INS[faces]
    return [
        f'@font-face {{ font-family: "stand-in-{use}"; src: local("{name}"); size-adjust: {font.size}%; '
        f"ascent-override: {font.ascent}%; descent-override: {font.descent}%; line-gap-override: {font.line_gap}%; }}"
    ]
