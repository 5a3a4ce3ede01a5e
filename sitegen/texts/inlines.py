"""What stands inside a paragraph → HTML."""

import re
from html import escape
from typing import Literal

from sitegen.texts.faults import TextFault
from sitegen.texts.formulas import FormulaInvalid, mathml
from sitegen.texts.parser import Node, kind, plain_text
from sitegen.texts.raw_html import RawHtml
from sitegen.texts.references import Reference, Resolve, Target, Unresolved
from sitegen.texts.spelling import curly, explained

_BRACES = re.compile(r"^\{([^{}]+)\}")
_ATTRIBUTE = re.compile(
    r"""#(?P<id>[^\s{}#.="']+)|\.(?P<class>[A-Za-z][\w-]*)"""
    r"""|(?P<name>[a-z][a-z-]*)=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'{}]+))"""
)
_EMBEDS = {"video", "audio", "youtube"}
_YOUTUBE = re.compile(r"[\w-]{6,20}")
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):", re.I)
_DENSE = re.compile("[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
_PAIRS = {
    "Strong": "strong", "Emph": "em", "Strikethrough": "del", "Highlight": "mark", "Insert": "ins",
    "Subscript": "sub", "Superscript": "sup", "Underline": "u",
}  # fmt: skip


class Inlines:
    """Writes the inner part of paragraphs, headings and cells, and collects what they refer to."""

    def __init__(self, language: str, resolve: Resolve, meanings: dict[str, str]) -> None:
        self.language = language
        self.faults: list[TextFault] = []
        self.references: list[Reference] = []
        self.own_links: list[Reference] = []
        self.raw = RawHtml(self._raw_address)
        self._meanings = meanings
        self._resolve = resolve
        self._attributes: dict[str, str] = {}

    def write(self, node: Node) -> str:
        """The children of a node."""
        parts: list[str] = []
        children = node.children
        skip = 0
        for index, child in enumerate(children):
            following = children[index + 1] if index + 1 < len(children) else None
            name = kind(child)
            if name == "Text":
                text = value_of(child)[skip:]
                skip = 0
                if (at := text.find("](")) >= 0 and " " in text[at:].partition(")")[0]:
                    self.add(child, "This is no link: its address has a space.", "Write it as <address with spaces>.")
                parts.append(explained(escape(curly(text, self.language), quote=False), self._meanings))
                continue
            braces = None
            if name in ("Link", "Image", "Code") and following is not None and kind(following) == "Text":
                braces = _BRACES.match(value_of(following))
            self._attributes = read_braces(braces[1]) if braces else {}
            skip = len(braces[0]) if braces and self._attributes else 0
            parts.append(self._inline(name, child, children, index))
            self._attributes = {}
        return "".join(parts)

    def _inline(self, name: str, node: Node, siblings: list[Node], index: int) -> str:
        if (tag := _PAIRS.get(name)) is not None:
            return f"<{tag}>{self.write(node)}</{tag}>"
        if name == "Code":
            return f"<code{_class(self._attributes)}>{escape(node.node_value.value.literal, quote=False)}</code>"
        if name == "Link":
            return self._link(node)
        if name == "Image":
            return self.image(node)
        if name == "SoftBreak":
            return "" if _joins(siblings, index) else "\n"
        if name == "LineBreak":
            return "<br>\n"
        if name == "ShortCode":
            return escape(node.node_value.value.emoji)
        if name == "Math":
            return self._formula(node)
        if name == "HtmlInline":
            return self.raw.write(node.node_value.value, node.sourcepos.start.line, node.sourcepos.start.column)
        if name == "FootnoteReference":
            value = node.node_value.value
            label = escape(re.sub(r"\s+", "-", value.name))
            turn = "" if value.ref_num == 1 else f"-{value.ref_num}"
            return f'<sup><a id="fnref-{label}{turn}" href="#fn-{label}" role="doc-noteref">{value.ix}</a></sup>'
        return self.write(node)

    def _formula(self, node: Node) -> str:
        value = node.node_value.value
        try:
            return mathml(value.literal.strip(), display=value.display_math)
        except FormulaInvalid as error:
            self.add(node, f"This formula cannot be read: {error}.", "Correct it; a dollar sign alone is written \\$.")
            return ""

    def _link(self, node: Node) -> str:
        value = node.node_value.value
        attributes = dict(self._attributes)
        target = self._target("link", value.url, node)
        content = self.write(node)
        title = f' title="{escape(value.title)}"' if value.title else ""
        return f'<a href="{escape(target.address)}"{title}{_class(attributes)}>{content}</a>'

    def image(self, node: Node, *, titled: bool = True) -> str:
        value = node.node_value.value
        attributes = dict(self._attributes)
        target = self._target("picture", value.url, node)
        width, height = target.width, target.height
        wanted = attributes.get("width", "").removesuffix("px")
        if wanted.isdigit() and width and height:
            width, height = int(wanted), round(height * int(wanted) / width)
        size = f' width="{width}" height="{height}"' if width and height else ""
        title = f' title="{escape(value.title)}"' if value.title and titled else ""
        alt = escape(attributes.get("alt") or plain_text(node))
        return f'<img src="{escape(target.address)}" alt="{alt}"{size}{title}{_class(attributes)} loading="lazy">'

    def embed(self, node: Node) -> str:
        """`@[video](clip.mp4)`, `@[audio](talk.mp3)` or `@[youtube](id)`, alone in a paragraph."""
        if [kind(each) for each in node.children] != ["Text", "Link"] or value_of(node.children[0]) != "@":
            return ""
        link = node.children[1]
        word, address = plain_text(link).strip().lower(), link.node_value.value.url
        if word not in _EMBEDS:
            self.add(link, f"“@[{word}]” is not known.", f"Known: {', '.join(sorted(_EMBEDS))}.")
            return ""
        if word == "youtube":
            if not _YOUTUBE.fullmatch(address):
                self.add(link, f"“{address}” is no id of a YouTube video.", "Copy what stands after “v=”.")
                return ""
            page = f"https://www.youtube.com/watch?v={address}"
            return f'<p class="embed"><a href="{page}" rel="noopener">Watch the video on YouTube</a></p>\n'
        target = escape(self._target("file", address, link).address)
        return f'<figure><{word} src="{target}" controls preload="none"></{word}></figure>\n'

    def _target(self, what: Literal["link", "picture", "file"], address: str, node: Node) -> Target:
        reference = Reference(what, address, node.sourcepos.start.line, node.sourcepos.start.column)
        return self._follow(reference)

    def _raw_address(self, what: str, address: str, line: int, column: int) -> str:
        return self._follow(Reference("picture" if what == "picture" else "link", address, line, column)).address

    def _follow(self, reference: Reference) -> Target:
        address = reference.address
        scheme = _SCHEME.match(address)
        if scheme and scheme[1].lower() not in ("http", "https", "mailto", "tel"):
            self.add(reference, f"A link cannot begin with “{scheme[1]}:”.", "Link to a page, a file or an address.")
            return Target("")
        self.references.append(reference)
        if address.startswith("#") and reference.kind == "link":
            self.own_links.append(reference)
            return Target(address)
        if scheme or address.startswith("//"):
            if reference.kind != "link":
                problem = "A picture from another site cannot be shown: the site’s security policy blocks it."
                self.add(reference, problem, "Put the file beside the text, and name it.")
            return Target(address)
        try:
            return self._resolve(reference)
        except Unresolved as error:
            self.add(reference, str(error), error.remedy)
            return Target("")

    def add(self, place: Node | Reference, problem: str, remedy: str) -> None:
        """Add a fault at a node or a reference."""
        if isinstance(place, Reference):
            line, column = place.line, place.column
        else:
            line, column = place.sourcepos.start.line, place.sourcepos.start.column
        self.faults.append(TextFault(line, column, problem, remedy))


def value_of(node: Node) -> str:
    """The value of a node whose value is text."""
    return str(node.node_value.value)


def read_braces(written: str) -> dict[str, str]:
    """`#id .class width=300 alt='A jar'` → a dict; empty where it is anything else, such as text in braces."""
    found: dict[str, str] = {}
    rest = _ATTRIBUTE.sub("", written)
    if rest.strip():
        return {}
    for part in _ATTRIBUTE.finditer(written):
        if part["id"]:
            found["id"] = part["id"]
        elif part["class"]:
            found["class"] = f"{found.get('class', '')} {part['class']}".strip()
        else:
            found[part["name"]] = part["double"] or part["single"] or part["bare"] or ""
    return found


def _class(attributes: dict[str, str]) -> str:
    return f' class="{escape(attributes["class"])}"' if attributes.get("class") else ""


def _joins(siblings: list[Node], index: int) -> bool:
    """Whether a line ends between two signs of a script that puts no space between words."""
    if not 0 < index < len(siblings) - 1:
        return False
    before, after = plain_text(siblings[index - 1]), plain_text(siblings[index + 1])
    return bool(before and after and _DENSE.match(before[-1]) and _DENSE.match(after[0]))
