"""A whole text → HTML. Every link and picture is handed to the caller, who says where it leads."""

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from html import escape

from sitegen.texts.anchors import Anchors
from sitegen.texts.code import code_block
from sitegen.texts.faults import TextFault
from sitegen.texts.inlines import Inlines, read_braces, value_of
from sitegen.texts.limits import first_excess
from sitegen.texts.parser import Node, kind, member, parse, plain_text
from sitegen.texts.references import Reference, Resolve, written
from sitegen.texts.spelling import curly, take_abbreviations


@dataclass
class Text:
    """A rendered text. `anchors` are the ids that links may lead to."""

    html: str = ""
    anchors: frozenset[str] = frozenset()
    references: list[Reference] = field(default_factory=list)
    faults: list[TextFault] = field(default_factory=list)


_ALERTS = {
    "note": "Note", "info": "Note", "tip": "Tip", "important": "Important", "warning": "Warning",
    "caution": "Caution", "danger": "Caution",
}  # fmt: skip
_FOREIGN = re.compile(r"!!! ?\w+|\{\{[<%]|\{%|\[TOC\]|\[\[")  # Material, Hugo, Jekyll, wikis
_FOLDED = {"details", "solution", "hint", "spoiler"}
_DIRECTIVES = {*_ALERTS, *_FOLDED, "rtl", "ltr"}
_SIGNS = re.compile(r"[^a-z0-9]+")
_HEADING_BRACES = re.compile(r"\s*\{([^{}\n]+)\}\s*$")
_MDX_ID = re.compile(r"^(#{1,6} .*?)[ \t]*\{/\*\s*#?([^\s{}*]+)\s*\*/\}[ \t]*$", re.M)  # ## Title {/*its-id*/}
_CAPTION = re.compile(r"^(?:Table:|:)\s+")


def render(markdown: str, *, language: str = "en", resolve: Resolve = written) -> Text:
    """HTML, and everything that is wrong with the text."""
    if excess := first_excess(markdown):
        return Text(faults=[excess])
    source, meanings = take_abbreviations(_MDX_ID.sub(r"\1 {#\2}", markdown))
    try:
        return _Blocks(Inlines(language, resolve, meanings)).text(parse(source))
    except UnicodeEncodeError:
        problem, remedy = "This text has a sign that is no character.", "Save the file as UTF-8."
    except RecursionError:
        problem, remedy = "This text is nested too deep.", "Use fewer levels of lists, quotations and emphasis."
    return Text(faults=[TextFault(1, 1, problem, remedy)])


class _Blocks:
    """One method for each kind of block."""

    def __init__(self, inline: Inlines) -> None:
        self.inline = inline
        self.anchors = Anchors()
        self._shift = 0
        self._tight: list[bool] = []

    def text(self, tree: Node) -> Text:
        """The whole text."""
        html = self._document(tree)
        self.inline.raw.end()
        faults = sorted([*self.inline.faults, *self.inline.raw.faults])
        return Text(html, frozenset(self.anchors.used), self.inline.references, faults)

    def _document(self, tree: Node) -> str:
        self._shift = int(any(kind(each) == "Heading" and each.node_value.value.level == 1 for each in tree.children))
        notes = [each for each in tree.children if kind(each) == "FootnoteDefinition"]
        html = self._blocks([each for each in tree.children if kind(each) != "FootnoteDefinition"])
        if notes:
            items = "".join(self._footnote(each) for each in notes)
            html += f'<section class="footnotes" role="doc-endnotes">\n<ol>\n{items}</ol>\n</section>\n'
        for reference in self.inline.own_links:
            if reference.address[1:] not in self.anchors.used:
                known = ", ".join(f"#{name}" for name in sorted(self.anchors.used)) or "none"
                self.inline.add(reference, f"There is no heading “{reference.address}” here.", f"Headings: {known}.")
        return html

    def _blocks(self, nodes: list[Node]) -> str:
        """Blocks in their order; the caption of a table belongs to the table before it."""
        parts: list[str] = []
        for index, node in enumerate(nodes):
            if kind(node) == "Table":
                following = nodes[index + 1] if index + 1 < len(nodes) else None
                parts.append(self._table(node, following if following and _is_caption(following) else None))
            elif not (index and kind(nodes[index - 1]) == "Table" and _is_caption(node)):
                parts.append(self._block(node))
        return "".join(parts)

    def _block(self, node: Node) -> str:
        name = kind(node)
        method = getattr(self, f"_block_{name.lower()}", None)
        if method is not None:
            return str(method(node))
        self.inline.add(
            node, f"“{name}” is not known here.", "See “coursewright docs markdown” for what a text may contain."
        )
        return ""

    def _block_paragraph(self, node: Node) -> str:
        if embed := self.inline.embed(node):
            return embed
        begins_with_words = bool(node.children) and kind(node.children[0]) == "Text"
        if begins_with_words and (found := _FOREIGN.match(plain_text(node))):
            problem = f"“{found[0]}” is a form of another program, and would be printed as it is."
            self.inline.add(node, problem, "See “coursewright docs markdown” for ours, or put it in `backticks`.")
        if self._tight and self._tight[-1]:
            return self.inline.write(node)
        only = node.children[0] if len(node.children) == 1 else None
        if only is not None and kind(only) == "Image" and only.node_value.value.title:
            caption = escape(curly(only.node_value.value.title, self.inline.language), quote=False)
            return f"<figure>{self.inline.image(only, titled=False)}<figcaption>{caption}</figcaption></figure>\n"
        return f"<p>{self.inline.write(node)}</p>\n"

    def _block_table(self, node: Node) -> str:
        return self._table(node, None)  # one in a list, where no caption follows

    def _block_heading(self, node: Node) -> str:
        children, attributes = list(node.children), {}
        if children and kind(children[-1]) == "Text" and (found := _HEADING_BRACES.search(value_of(children[-1]))):
            attributes = read_braces(found[1])
        words = _HEADING_BRACES.sub("", plain_text(node)) if attributes else plain_text(node)
        own = attributes.get("id")
        if own and not self.anchors.own(own):
            self.inline.add(node, f"The id “{own}” is taken.", "Choose another, or leave it out.")
            own = None
        name = escape(own or self.anchors.named(words))
        level = min(node.node_value.value.level + self._shift, 6)
        content = self.inline.write(node)
        if attributes:
            content = _HEADING_BRACES.sub("", content)
        link = f'<a class="anchor" href="#{name}" aria-hidden="true" tabindex="-1">#</a>'
        return f'<h{level} id="{name}">{content} {link}</h{level}>\n'

    def _block_blockquote(self, node: Node) -> str:
        return f"<blockquote>\n{self._loose(node)}</blockquote>\n"

    def _block_list(self, node: Node) -> str:
        value = node.node_value.value
        ordered = member(value.list_type) == "ordered"
        self._tight.append(value.tight)
        items = "".join(self._item(each) for each in node.children)
        self._tight.pop()
        start = f' start="{value.start}"' if ordered and value.start != 1 else ""
        kinds = ' class="tasks"' if value.is_task_list else ""
        tag = "ol" if ordered else "ul"
        return f"<{tag}{start}{kinds}>\n{items}</{tag}>\n"

    def _item(self, node: Node) -> str:
        box = ""
        if kind(node) == "TaskItem":
            done = " checked" if node.node_value.value.symbol else ""
            box = f'<input type="checkbox" disabled{done}> '
        content = "".join(self._block(each) for each in node.children)
        if box and content.startswith("<p>"):
            return f"<li><p>{box}{content[3:]}</li>\n"
        return f"<li>{box}{content}</li>\n"

    def _block_descriptionlist(self, node: Node) -> str:
        parts = []
        for item in node.children:
            for part in item.children:
                tag = "dt" if kind(part) == "DescriptionTerm" else "dd"
                self._tight.append(item.node_value.value.tight)
                content = "".join(self._block(each) for each in part.children)
                self._tight.pop()
                parts.append(f"<{tag}>{content.strip()}</{tag}>\n")
        return f"<dl>\n{''.join(parts)}</dl>\n"

    def _block_alert(self, node: Node) -> str:
        value = node.node_value.value
        return self._callout(member(value.alert_type), value.title or "", node)

    def _block_blockdirective(self, node: Node) -> str:
        word, _, title = node.node_value.value.info.strip().partition(" ")
        word, title = word.lower(), title.strip()
        if not word:
            return self._loose(node)
        if word in _FOLDED:
            summary = escape(curly(title, self.inline.language), quote=False) or word.capitalize()
            return f"<details>\n<summary>{summary}</summary>\n{self._loose(node)}</details>\n"
        if word in ("rtl", "ltr"):
            return f'<div dir="{word}">\n{self._loose(node)}</div>\n'
        if word in _ALERTS:
            return self._callout(word, title, node)
        if near := get_close_matches(word, _DIRECTIVES, n=1, cutoff=0.75):
            self.inline.add(node, f"“:::{word}” is not known.", f"Did you mean “:::{near[0]}”?")
            return ""
        return self._callout(word, title, node)  # a box of the author's own kind, such as “:::exercise”

    def _callout(self, word: str, title: str, node: Node) -> str:
        name = _ALERTS.get(word, word.capitalize())
        heading = escape(curly(title or name, self.inline.language), quote=False)
        return (
            f'<aside class="callout {_box_class(word)}" aria-label="{escape(title or name)}">\n'
            f'<p class="callout-title">{heading}</p>\n{self._loose(node)}</aside>\n'
        )

    def _loose(self, node: Node) -> str:
        self._tight.append(False)
        content = self._blocks(node.children)
        self._tight.pop()
        return content

    def _block_codeblock(self, node: Node) -> str:
        value = node.node_value.value
        if value.fenced and not value.closed:
            self.inline.add(node, "This code is never closed.", f"Write “{'`' * value.fence_length}” where it ends.")
        return code_block(value.literal, value.info if value.fenced else "")

    def _block_htmlblock(self, node: Node) -> str:
        start, literal = node.sourcepos.start, node.node_value.value.literal
        if literal.lstrip().startswith("<!--") and "-->" not in literal:
            self.inline.add(
                node, "This comment is never closed.", "Write “-->” where it ends: it hides all that follows."
            )
        return self.inline.raw.write(literal, start.line, start.column)

    def _block_thematicbreak(self, _node: Node) -> str:
        return "<hr>\n"

    def _block_footnotedefinition(self, _node: Node) -> str:
        return ""  # one inside another block; comrak moves those of the text to its end

    def _footnote(self, node: Node) -> str:
        value = node.node_value.value
        name = escape(re.sub(r"\s+", "-", value.name))
        turns = ("" if n == 1 else f"-{n}" for n in range(1, max(value.total_references, 1) + 1))
        back = " ".join(
            f'<a href="#fnref-{name}{turn}" role="doc-backlink" aria-label="Back to the text">↩</a>' for turn in turns
        )
        content = self._loose(node)
        if content.endswith("</p>\n"):
            content = f"{content[:-5]} {back}</p>\n"
        else:
            content += f"<p>{back}</p>\n"
        return f'<li id="fn-{name}">{content}</li>\n'

    def _table(self, node: Node, caption: Node | None) -> str:
        """A wide table scrolls inside a box of its own, which the keyboard can reach."""
        alignments = [member(each) for each in node.node_value.value.alignments]
        rows = list(node.children)
        title = ""
        if caption is not None:
            title = f"<caption>{_CAPTION.sub('', self.inline.write(caption))}</caption>\n"
        elif rows and _is_caption_row(rows[-1]):
            title = f"<caption>{_CAPTION.sub('', self.inline.write(rows.pop().children[0]))}</caption>\n"
        head, body = [row for row in rows if row.node_value.value], [row for row in rows if not row.node_value.value]
        html = "".join(self._row(row, alignments, heading=True) for row in head)
        html = f"<thead>\n{html}</thead>\n" if html else ""
        if body:
            # Above a column of names stands nothing: they are the headings of their rows.
            named = bool(head) and not head[0].children[0].children
            rows_html = "".join(self._row(row, alignments, heading=False, named=named) for row in body)
            html += f"<tbody>\n{rows_html}</tbody>\n"
        return f'<div class="table-scroll" tabindex="0"><table>\n{title}{html}</table></div>\n'

    def _row(self, row: Node, alignments: list[str], *, heading: bool, named: bool = False) -> str:
        cells = []
        for number, (alignment, cell) in enumerate(zip(alignments, row.children, strict=False)):
            names_row = named and number == 0
            tag = "th" if (heading or names_row) and cell.children else "td"  # an empty heading heads nothing
            align = f' class="align-{alignment}"' if alignment in ("left", "center", "right") else ""
            side = "row" if names_row else "col"
            scope = f' scope="{side}"' if tag == "th" else ""
            cells.append(f"<{tag}{scope}{align}>{self.inline.write(cell)}</{tag}>\n")
        return f"<tr>\n{''.join(cells)}</tr>\n"


def _box_class(word: str) -> str:
    """A class that means nothing else in a theme, whatever word an author chose."""
    return _ALERTS[word].lower() if word in _ALERTS else f"box-{_SIGNS.sub('-', word)}"


def _is_caption(node: Node) -> bool:
    return kind(node) == "Paragraph" and bool(_CAPTION.match(plain_text(node)))


def _is_caption_row(row: Node) -> bool:
    """A caption without an empty line before it is read as a last row."""
    cells = row.children
    return bool(cells) and plain_text(cells[0]).startswith("Table: ") and not any(cell.children for cell in cells[1:])
