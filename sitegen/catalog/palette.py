"""The colours of a site from two of the creator's, with the contrast that WCAG 2.2 AA asks for.

Shades are made in OKLCH (https://www.w3.org/TR/css-color-4/#ok-lab), where equal steps look equal, and written as plain
hexadecimal colours, which every browser knows.
"""

from collections.abc import Mapping
from typing import NamedTuple

PAPER = "#fdfcf9"  # the lightest background that text is on; colours.css has the same
ENOUGH = 4.5  # WCAG 2.2, 1.4.3, for text of any size
_STEPS = 200


class Oklch(NamedTuple):
    """Lightness from 0 to 1, chroma, and hue as its two coordinates."""

    lightness: float
    a: float
    b: float

    def shade(self, lightness: float, chroma: float = 1.0) -> "Oklch":
        """The same hue at another lightness, with a share of its chroma."""
        return Oklch(lightness, self.a * chroma, self.b * chroma)


def palette(color: str, accent: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The names that style sheets use and their colours: on light paper, and on dark."""
    brand, other = parse(color), parse(accent)
    deep = min(brand.lightness, 0.5)
    light = {
        "brand": brand,
        "accent": other,
        "brand-text": brand.shade(min(brand.lightness, 0.48)),
        "brand-fill": brand.shade(deep),
        "brand-hover": brand.shade(deep - 0.07),
        "brand-soft": brand.shade(0.95, 0.3),
        "accent-text": other.shade(min(other.lightness, 0.48)),
        "accent-soft": other.shade(0.94, 0.35),
    }
    dark = {
        "brand-text": brand.shade(0.8, 0.8),
        "brand-fill": brand.shade(0.76, 0.85),
        "brand-hover": brand.shade(0.83, 0.8),
        "brand-soft": brand.shade(0.29, 0.4),
        "accent-text": other.shade(0.84, 0.7),
        "accent-soft": other.shade(0.3, 0.45),
    }
    return ({name: written(each) for name, each in light.items()}, {name: written(each) for name, each in dark.items()})


def contrast(one: str, other: str) -> float:
    """From 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def nearest_readable(color: str, background: str = PAPER) -> str:
    """The colour itself, or the nearest darker one of its hue that text on paper can have."""
    start = parse(color)
    for step in range(_STEPS + 1):
        tried = written(start.shade(start.lightness * (1 - step / _STEPS)))
        if contrast(tried, background) >= ENOUGH:
            return tried
    return "#000000"


def parse(color: str) -> Oklch:
    """`#24506b` → OKLCH."""
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return Oklch(
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def written(color: Oklch) -> str:
    """As a hexadecimal colour; where the screen has none so strong, a weaker one of the same hue and lightness."""
    weaker = 1.0
    while not _is_shown(channels := _channels(color.shade(color.lightness, weaker))) and weaker > 0:
        weaker -= 0.02
    return "#" + "".join(f"{round(_gamma(min(max(each, 0.0), 1.0)) * 255):02x}" for each in channels)


def _channels(color: Oklch) -> tuple[float, float, float]:
    lightness, a, b = color
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _is_shown(channels: tuple[float, float, float]) -> bool:
    return all(-0.0005 <= each <= 1.0005 for each in channels)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _gamma(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _luminance(color: str) -> float:
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
