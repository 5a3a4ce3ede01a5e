"""The Markdown parser: comrak, with the extensions that docs/markdown.md describes. No other module knows it.

Should it be abandoned, markdown-it-py with its plugins parses nearly the same dialect; only this module and the names
of nodes in `render.py` and `inlines.py` would change.
"""

from functools import cache
from typing import Any, Protocol, cast

import comrak


class Value(Protocol):
    """What a node says. Any: its type depends on the kind of the node, which is only known by name."""

    value: Any


class Node(Protocol):
    """A block or a part of a line, with its place in the text."""

    node_value: Value
    sourcepos: comrak.Sourcepos
    children: list["Node"]


def parse(text: str) -> Node:
    """The text as a tree; each node knows its line and column."""
    extensions, options = _options()
    return cast(Node, comrak.parse_document(text, extensions, options))


@cache
def _options() -> tuple[comrak.ExtensionOptions, comrak.ParseOptions]:
    return comrak.ExtensionOptions(
        strikethrough=True,
        table=True,
        autolink=True,
        tasklist=True,
        superscript=True,
        subscript=True,
        footnotes=True,
        description_lists=True,
        alerts=True,
        block_directive=True,
        math_dollars=True,
        shortcodes=True,
        highlight=True,
        insert=True,
        cjk_friendly_emphasis=True,
    ), comrak.ParseOptions(sourcepos_chars=True)


def kind(node: Node) -> str:
    """The name of the node's class; some classes are not exported."""
    return type(node.node_value).__name__


def plain_text(node: Node) -> str:
    """The words of a node, without markup."""
    name = kind(node)
    if name == "Text":
        return str(node.node_value.value)
    if name in ("Code", "Math"):
        return str(node.node_value.value.literal)
    if name == "ShortCode":
        return str(node.node_value.value.emoji)
    if name in ("SoftBreak", "LineBreak"):
        return " "
    return "".join(plain_text(child) for child in node.children)


def member(value: object) -> str:
    """The name of a member of one of the parser's enums, in lower case; they print as `ListType.Bullet`."""
    return str(value).replace("::", ".").rpartition(".")[2].strip("_").lower()
