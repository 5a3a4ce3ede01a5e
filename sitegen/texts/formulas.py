"""LaTeX formulas → MathML, at build time: pages need no script for them."""

import re
from functools import cache, lru_cache
from html import escape

from math_core import LatexError, LatexToMathML

_LONGEST, _DEEPEST = 4_000, 100  # the converter is native, and recursive
_STYLE = re.compile(r' style="([^"]*)"')
_WORD = re.compile(r"[^a-z0-9]+")


class FormulaInvalid(ValueError):
    """The message says what is wrong, for a person."""


@lru_cache(maxsize=4096)
def mathml(latex: str, *, display: bool) -> str:
    """The formula as MathML. Raises FormulaInvalid."""
    depth = deepest = 0
    for sign in latex:
        depth += (sign == "{") - (sign == "}")
        deepest = max(deepest, depth)
    if len(latex) > _LONGEST or deepest > _DEEPEST:
        raise FormulaInvalid("it is too long, or its braces are nested too deep")
    try:
        return _STYLE.sub(_as_class, _converter().convert_with_local_state(latex, displaystyle=display))
    except LatexError as error:
        said = re.sub(r"^\d+:\s*", "", " ".join(str(error).split())).rstrip(".")
        raise FormulaInvalid(said) from None


@cache
def _converter() -> LatexToMathML:
    return LatexToMathML(fancy_error=False)


def _as_class(match: re.Match[str]) -> str:
    """Our pages forbid style attributes; the theme has a class for each style that formulas need."""
    return f' data-style="{escape(_WORD.sub("-", match[1].lower()).strip("-"))}"'
