"""The style sheet of a school's brand: palette, faces, corners and room."""

from pathlib import Path

from sitegen.catalog.model import Site
from sitegen.catalog.palette import palette

_SERIF = '"Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", "Book Antiqua", Georgia, serif'
_SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
_CORNERS = {"square": "0px", "soft": "10px", "round": "20px"}
_ROOM = {"compact": 0.75, "comfortable": 1.0, "airy": 1.3}
_STEPS = {"s4": 1.0, "s5": 1.5, "s6": 2.0, "s7": 3.0, "s8": 4.5}  # rem; smaller ones are inside of parts


def style_sheet(site: Site) -> str:
    """Custom properties that the other sheets use."""
    light, dark = palette(site.brand_color, site.brand_accent)
    brand, room = site.brand, _ROOM[site.brand.density]
    stacks = {"text": _SERIF if brand.faces == "serif" else _SANS, "ui": _SANS}
    faces = []
    for use, name in brand.fonts.items():
        faces.append(
            f'@font-face {{ font-family: "own-{use}"; font-display: swap; font-weight: 100 900; '
            f'src: url("../fonts/{Path(name).name}") format("woff2"); }}'
        )
        stacks[use] = f'"own-{use}", {stacks[use]}'
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
