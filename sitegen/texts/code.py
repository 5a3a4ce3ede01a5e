"""Code in colours, at build time: Pygments' classes, which the theme paints in light and in dark."""

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

_ATTRIBUTE = re.compile(r"""(?P<name>[\w-]+)=(?:"(?P<quoted>[^"]*)"|(?P<bare>\S+))""")
_LINES = re.compile(r"\{([\d,\s-]+)\}")
_LANGUAGE = re.compile(r"^\s*(?:\{\s*\.?|\.)?([\w+#.-]+)")
_MOST_LINES = 10_000


@dataclass(frozen=True)
class Fence:
    """What stands behind the opening fence: ```python title="bake.py" {2,4-6}, or ```{.python}."""

    language: str
    title: str
    marked: frozenset[int]


def read_fence(info: str) -> Fence:
    """The parts of it that we know; others are passed over."""
    marked: set[int] = set()
    if lines := _LINES.search(info):
        for part in lines[1].split(","):
            first, _, last = part.strip().partition("-")
            if first.isdigit():
                marked.update(range(int(first), min(int(last) if last.isdigit() else int(first), _MOST_LINES) + 1))
        info = info.replace(lines[0], " ")
    attributes = {match["name"]: match["quoted"] or match["bare"] or "" for match in _ATTRIBUTE.finditer(info)}
    language = _LANGUAGE.match(_ATTRIBUTE.sub("", info))
    return Fence(language[1].lower() if language else "", attributes.get("title", ""), frozenset(marked))


def code_block(literal: str, info: str) -> str:
    """A figure with the title, where there is one, and the code."""
    fence = read_fence(info)
    lines = coloured(literal, fence.language).rstrip("\n").split("\n")
    if fence.marked:
        lines = [f"<mark>{line}</mark>" if n in fence.marked else line for n, line in enumerate(lines, start=1)]
    language = f' class="language-{escape(fence.language)}"' if fence.language else ""
    body = f'<pre tabindex="0"><code{language}>' + "\n".join(lines) + "\n</code></pre>"
    return f"<figure><figcaption>{escape(fence.title)}</figcaption>{body}</figure>\n" if fence.title else body + "\n"


@lru_cache(maxsize=8192)
def coloured(literal: str, language: str) -> str:
    """HTML of the code; without colours where the language is unknown."""
    lexer = _lexer(language)
    return str(highlight(literal, lexer, _FORMATTER)) if lexer else escape(literal, quote=False)


@lru_cache(maxsize=256)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False) if language else None
    except ClassNotFound:
        return None


_FORMATTER = HtmlFormatter(nowrap=True)
