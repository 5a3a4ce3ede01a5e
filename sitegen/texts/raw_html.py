"""HTML inside a text: what the list allows is written again, tag by tag; anything else is a fault.

The pages' content security policy blocks scripts, frames and style attributes. They are refused here, with their line,
because a browser would leave a hole without a word.
"""

from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

from sitegen.texts.faults import TextFault

VOID = {"br", "hr", "img", "wbr", "col"}
TAGS = VOID | {
    "a", "abbr", "b", "bdi", "bdo", "blockquote", "caption", "cite", "code", "colgroup", "dd", "del",
    "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h2", "h3", "h4", "h5", "h6", "i",
    "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small",
    "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr",
    "u", "ul", "var",
}  # fmt: skip
ATTRIBUTES = {"class", "id", "lang", "dir", "title", "role", "aria-label", "aria-hidden"}
OWN_ATTRIBUTES = {
    "a": {"href", "rel", "name"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "reversed", "type"},
    "li": {"value"},
    "td": {"colspan", "rowspan", "headers", "align"},
    "th": {"colspan", "rowspan", "headers", "scope", "align"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open", "name"},
    "time": {"datetime"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "p": {"align"},
    "div": {"align"},
    "h2": {"align"},
    "h3": {"align"},
}
_ALIGNMENTS = {"left", "center", "right"}

Resolve = Callable[[str, str, int, int], str]  # kind, address, line, column → address


class RawHtml:
    """The HTML of one text. It remembers which elements are open, so that none is left open at the end."""

    def __init__(self, resolve: Resolve) -> None:
        self.faults: list[TextFault] = []
        self._resolve = resolve
        self._open: list[tuple[str, int, int]] = []

    def write(self, literal: str, line: int, column: int) -> str:
        """The same HTML, without comments."""
        reader = _Reader(self, line, column)
        reader.feed(literal)
        reader.close()
        return "".join(reader.written)

    def end(self) -> None:
        """Add a fault for every element that was not closed."""
        for tag, line, column in self._open:
            if tag not in ("p", "li", "dt", "dd", "td", "th", "tr"):
                self.add(line, column, f"“<{tag}>” is never closed.", f"Write “</{tag}>” where it ends.")

    def add(self, line: int, column: int, problem: str, remedy: str) -> None:
        """Add a fault."""
        self.faults.append(TextFault(line, column, problem, remedy))

    def begin_element(self, tag: str, attributes: list[tuple[str, str | None]], line: int, column: int) -> str:
        """The opening tag, or nothing, with a fault."""
        if tag == "h1":
            tag = "h2"  # the page has its heading already
        if tag not in TAGS:
            self.add(line, column, f"“<{tag}>” is not allowed in a text: {_why(tag)}.", _instead(tag))
            return ""
        written = [tag]
        classes: list[str] = []
        for name, value in attributes:
            if name == "style" or name.startswith("on"):
                problem = f"The attribute “{name}” has no effect: the site’s security policy blocks it."
                self.add(line, column, problem, "Use a class of the theme, or Markdown’s own forms.")
            elif name == "align" and (value or "").lower() in _ALIGNMENTS:
                classes.append(f"align-{(value or '').lower()}")
            elif name == "class":
                classes.append(value or "")
            elif name in ATTRIBUTES or name in OWN_ATTRIBUTES.get(tag, ()) or name.startswith("data-"):
                if name in ("href", "src"):
                    value = self._resolve("picture" if name == "src" else "link", value or "", line, column)
                written.append(name if value is None else f'{name}="{escape(value)}"')
            else:
                known = ", ".join(sorted({*ATTRIBUTES, *OWN_ATTRIBUTES.get(tag, ())}))
                problem = f"“<{tag}>” cannot have the attribute “{name}” here."
                self.add(line, column, problem, f"Allowed: {known}.")
        if classes:
            written.append(f'class="{escape(" ".join(classes))}"')
        if tag not in VOID:
            self._open.append((tag, line, column))
        return f"<{' '.join(written)}>"

    def end_element(self, tag: str, line: int, column: int) -> str:
        """The closing tag, or nothing, with a fault where no such element is open."""
        if tag == "h1":
            tag = "h2"
        if tag in VOID or tag not in TAGS:
            return ""
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index][0] == tag:
                del self._open[index]
                return f"</{tag}>"
        self.add(line, column, f"“</{tag}>” closes nothing.", f"Delete it, or open “<{tag}>” before it.")
        return ""


def _why(tag: str) -> str:
    if tag in ("script", "style", "iframe", "object", "embed", "link", "meta", "base", "form", "input", "button"):
        return "the site’s security policy blocks it"
    return "it is no element that texts need"


def _instead(tag: str) -> str:
    if tag == "iframe":
        return "Embed a video with “@[youtube](its id)”, or a file with “@[video](files/name.mp4)”."
    if tag in ("video", "audio"):
        return f"Write “@[{tag}](name of the file)”."
    return "Delete it, or put it in `backticks` to show it as text. See “coursewright docs markdown”."


class _Reader(HTMLParser):
    def __init__(self, owner: RawHtml, line: int, column: int) -> None:
        super().__init__(convert_charrefs=False)
        self.owner = owner
        self.written: list[str] = []
        self._line, self._column = line, column
        self._inside: list[str] = []  # elements whose content goes with them

    def _place(self) -> tuple[int, int]:
        line, column = self.getpos()
        return self._line + line - 1, (self._column + column if line == 1 else column + 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.written.append(self.owner.begin_element(tag, attrs, *self._place()))
        if tag in ("script", "style"):
            self._inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.written.append(self.owner.begin_element(tag, attrs, *self._place()))
        if tag not in VOID:
            self.written.append(self.owner.end_element(tag, *self._place()))

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()
        else:
            self.written.append(self.owner.end_element(tag, *self._place()))

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.written.append(escape(data, quote=False))

    def handle_entityref(self, name: str) -> None:
        self.written.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.written.append(f"&#{name};")
