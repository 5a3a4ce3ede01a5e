"""Markdown → HTML: CommonMark with tables, strikethrough and highlighted code. Authors are trusted with HTML."""

from collections.abc import Sequence
from functools import cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound


def render(markdown: str) -> str:
    """HTML for a whole text."""
    return str(_parser().render(markdown))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"highlight": _highlight, "typographer": False})
    parser.enable(["table", "strikethrough"])
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    for name in ("th_open", "td_open", "th_close", "td_close"):
        parser.add_render_rule(name, _cell)
    return parser


def _highlight(code: str, language: str, _attributes: str) -> str:
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _open_table(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """A wide table scrolls inside a box of its own, which the keyboard can reach."""
    return '<div class="table-scroll" tabindex="0">' + renderer.renderToken(tokens, index, options, env)


def _close_table(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return renderer.renderToken(tokens, index, options, env).rstrip() + "</div>\n"


def _cell(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """Alignment as a class, since the site's policy forbids style attributes; an empty heading cell heads nothing."""
    token = tokens[index]
    if token.nesting == 1 and (style := token.attrs.pop("style", None)) is not None:
        token.attrSet("class", str(style).replace("text-align:", "align-"))
    content = tokens[index + 1] if token.nesting == 1 else tokens[index - 1]
    if token.tag == "th" and not content.content:
        token.tag = "td"
    return renderer.renderToken(tokens, index, options, env)
