"""Markdown of other programs → ours: components, shortcodes, template tags, HTML that the site does not allow."""

import re
from collections.abc import Callable

from sitegen.moving_in.boxes import closed, mark_boxes, opened, our_name
from sitegen.moving_in.prose import lines_of, map_prose
from sitegen.texts.raw_html import ATTRIBUTES, OWN_ATTRIBUTES, TAGS, VOID

Tell = Callable[[int, str], None]

_TAG = re.compile(
    r"<(/?)([A-Za-z][\w.:-]*)((?:\s+[^\s<>/=]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[^\s\"'<>`]+))?)*)\s*(/?)>"
)
_ATTRIBUTE = re.compile(r"([^\s<>/=]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[^\s\"'<>`]+))?")
_YOUTUBE = re.compile(r"(?:youtube(?:-nocookie)?\.com/(?:embed/|watch\?v=)|youtu\.be/)([\w-]{6,})")
_COMPONENTS: dict[str, tuple[str, str]] = {
    "YouWillLearn": ("note", "What you will learn"), "DeepDive": ("details", ""), "Note": ("note", ""),
    "Pitfall": ("warning", "Pitfall"), "Recap": ("tip", "Recap"), "Hint": ("details", "Hint"),
    "Solution": ("details", "Solution"), "Tip": ("tip", ""), "Info": ("note", ""), "Warning": ("warning", ""),
    "Danger": ("caution", ""), "Caution": ("caution", ""), "Callout": ("note", ""), "Aside": ("note", ""),
    "Admonition": ("note", ""), "Wip": ("warning", "In progress"), "Deprecated": ("warning", "Deprecated"),
    "Accordion": ("details", ""), "Collapse": ("details", ""), "ConsoleBlock": ("warning", ""),
}  # fmt: skip
_PICTURES = {"Diagram", "Illustration", "Image", "Figure"}
_MDX_COMMENT = re.compile(r"\{/\*(.*?)\*/\}")
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]")
_KRAMDOWN = re.compile(r"\{:[^{}]*\}")
_ROLE = re.compile(
    r":(?:numref|eqref|ref|cite|citet|citep|label|eqlabel|width|height|end_tab|begin_tab|doc|term|pep):`[^`]*`|:(?:begin_tab|end_tab):\S*"
)
_SNIPPET = re.compile(r"^\s*-+8<-+\s*\"?([^\"]*?)\"?\s*$")
_TAB = re.compile(r"^(\s*)===[!+]?\s+\"([^\"]+)\"\s*$")
_SHORTCODE = re.compile(r"\{\{[<%]\s*(/?)\s*([\w./-]+)(.*?)/?\s*[%>]\}\}")
_LIQUID = re.compile(r"(?<!\{)\{%-?\s*(\w+)(.*?)-?%\}")
_WIKI = re.compile(r"(!?)\[\[([^\]|#\n]*)(#[^\]|\n]+)?(?:\\?\|([^\]\n]+))?\]\]")
_HIDDEN = re.compile(r"(?<![`%])%%(?![%`]).+?%%(?!%)|<(script|style)\b[^>]*>.*?</\1\s*>", re.S | re.I)
_NAMED = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_IMPORT = re.compile(r"^(?:import\s.+from\s+['\"].+['\"];?|export\s+(?:const|default|function)\s.*)$")
_COMPONENT_LINE = re.compile(r"\s*</?[A-Z]")
_OPEN_TAG = re.compile(r"<[A-Za-z][\w.:-]*(?:\s(?:[^<>\"'{}]|\"[^\"]*\"|'[^']*'|\{[^{}]*\})*)?$")
_LONGEST_TAG = 30  # lines
_FILE_NAME = re.compile(
    r"^([ \t]*`{3,}[\w+-]+)[ \t]+([\w./-]+\.\w+)(?:[ \t]+(?:active|hidden|readOnly|live|ref))*[ \t]*$"
)
_HUGO_BOXES = {
    "notice",
    "alert",
    "callout",
    "admonition",
    "hint",
    "note",
    "tip",
    "warning",
    "info",
    "details",
    "expand",
}


def convert(text: str, tell: Tell, *, is_mdx: bool = False) -> str:
    """The text in our Markdown, but for its boxes, which `write_boxes` writes; links may be rewritten in between.

    `tell(line, what)` hears of everything that is lost.
    """
    if is_mdx:
        text = map_prose(text, lambda part, _: "" if _IMPORT.match(part) else part)
    text = _fences(_with_whole_tags(_outside_fences(text, tell)))
    for change in (_comments, _template_tags, _shortcodes, _html, _roles, _wiki_links):
        text = map_prose(text, lambda part, number, change=change: change(part, number, tell))  # type: ignore[misc]  # bound at once
    return mark_boxes(text)


def _outside_fences(text: str, tell: Tell) -> str:
    """`_hidden_comments` for the parts that are no code."""
    parts: list[list[str]] = [[]]
    kinds = [False]
    for line in lines_of(text):
        if line.is_code != kinds[-1]:
            parts.append([])
            kinds.append(line.is_code)
        parts[-1].append(line.text)
    whole = ("\n".join(part) for part in parts)
    written = [each if is_code else _hidden_comments(each, tell) for each, is_code in zip(whole, kinds, strict=True)]
    return "\n".join(each for each, part in zip(written, parts, strict=True) if part)


def _with_whole_tags(text: str) -> str:
    """A tag that is written over several lines is moved to its first line; empty lines keep the others' numbers."""
    lines = list(lines_of(text))
    written: list[str] = []
    while len(written) < len(lines):
        line = lines[len(written)]
        joined, taken = line.text, 0
        if not line.is_code and _OPEN_TAG.search(line.text):
            for following in lines[len(written) + 1 : len(written) + 1 + _LONGEST_TAG]:
                taken += 1
                joined += " " + following.text.strip()
                if not _OPEN_TAG.search(joined):
                    break
            else:
                joined, taken = line.text, 0
        written += [joined, *[""] * taken]
    return "\n".join(written)


def _fences(text: str) -> str:
    """MyST writes boxes as fences: ```{note} Title."""
    lines, open_fence = [], ""
    for line in text.split("\n"):
        found = re.match(r"^([ \t]*)(`{3,}|:{3,}|~{3,})\{([a-z][\w-]*)\}[ \t]*(.*)$", line)
        if (
            found
            and found[3]
            in {
                "note",
                "tip",
                "warning",
                "important",
                "caution",
                "hint",
                "admonition",
                "seealso",
                "danger",
                "attention",
                "dropdown",
                "exercise",
                "solution",
            }
            and not open_fence
        ):
            open_fence = found[2]
            lines.append(found[1] + opened("details" if found[3] == "dropdown" else our_name(found[3]), found[4]))
        elif open_fence and line.strip() == open_fence:
            open_fence = ""
            lines.append(closed())
        elif open_fence and re.match(r"^[ \t]*:\w+:", line):
            continue  # an option of the box, such as its class
        else:
            lines.append(_FILE_NAME.sub(r'\1 title="\2"', line))
    return "\n".join(lines)


def _comments(part: str, _number: int, _tell: Tell) -> str:
    if _HEADING.match(part):
        return re.sub(r"\{/\*\s*#?([^\s{}*]+)\s*\*/\}", r"{#\1}", part)
    return _KRAMDOWN.sub("", _MDX_COMMENT.sub("", part)) if "{" in part else part


def _template_tags(part: str, number: int, tell: Tell) -> str:
    def replaced(found: re.Match[str]) -> str:
        name, rest = found[1], found[2].strip()
        if name in ("raw", "endraw", "comment", "endcomment"):
            return ""
        if name == "highlight":
            return f"\n```{rest.split(' ')[0]}\n"
        if name == "endhighlight":
            return "\n```\n"
        if name == "hint":
            style = {"danger": "caution", "success": "tip", "info": "note"}.get(
                _arguments(rest).get("style", ""), "note"
            )
            return opened(style)
        if name in ("endhint", "endtab", "endtabs"):
            return closed() if name == "endhint" else ""
        if name == "embed" and (video := _YOUTUBE.search(rest)):
            return f"\n\n@[youtube]({video[1]})\n\n"
        tell(number, f"the template tag “{found[0]}”")
        return ""

    return _LIQUID.sub(replaced, part) if "{%" in part else part


def _arguments(rest: str) -> dict[str, str]:
    return {found[1]: found[2] or found[3] or found[4] or "" for found in _NAMED.finditer(rest)}


def _shortcodes(part: str, number: int, tell: Tell) -> str:
    def replaced(found: re.Match[str]) -> str:
        closes, name, rest = found[1], found[2].lower(), found[3].strip()
        if name in _HUGO_BOXES:
            if closes:
                return closed()
            named = _arguments(rest)
            kind = named.get("type") or named.get("context") or (rest.split() or [name])[0].strip("\"'")
            kind = kind if kind.isalpha() else name
            box = "details" if name in ("details", "expand") else our_name(kind if kind != "notice" else "note")
            return opened(box, named.get("title", ""))
        if name == "figure" and (source := _arguments(rest).get("src")):
            caption = _arguments(rest).get("caption") or _arguments(rest).get("title", "")
            return f"![{_arguments(rest).get('alt', caption)}]({source}" + (f' "{caption}")' if caption else ")")
        if name == "youtube" and not closes:
            video = _arguments(rest).get("id") or rest.strip("\"' ").split(" ")[0]
            return f"\n\n@[youtube]({video})\n\n"
        if name in ("ref", "relref"):
            return rest.strip("\"' ")
        if name == "highlight":
            return "\n```\n" if closes else f"\n```{(rest.split() or [''])[0]}\n"
        tell(number, f"the shortcode “{name}”")
        return ""

    return _SHORTCODE.sub(replaced, part) if "{{" in part else part


def _html(part: str, number: int, tell: Tell) -> str:
    if "<" not in part:
        return part
    written = _TAG.sub(lambda found: _tag(found, number, tell), part)
    # What stands inside components is indented there, and would be code without them.
    return written.lstrip() if _COMPONENT_LINE.match(part) else written


def _tag(found: re.Match[str], number: int, tell: Tell) -> str:
    closes, name, written, closed_at_once = bool(found[1]), found[2], found[3], bool(found[4])
    if name[0].isupper() or "." in name:
        return _component(name, _attributes(written), closes, closed_at_once, number, tell)
    tag = name.lower()
    if tag == "iframe":
        if not closes and (video := _YOUTUBE.search(written)):
            return f"\n\n@[youtube]({video[1]})\n\n"
        if not closes:
            tell(number, f"what was embedded from {_attributes(written).get('src') or 'elsewhere'}")
        return ""
    if tag == "h1":
        return found[0]
    if tag not in TAGS:
        if not closes and tag not in ("center", "font", "nobr", "big", "tt"):
            tell(number, f"the element “<{tag}>”, and not what is in it")
        return ""
    if closes:
        return "" if tag in VOID else found[0]
    kept = []
    for attribute, value in _attributes(written).items():
        lower = {"classname": "class"}.get(attribute.lower(), attribute.lower())
        if lower in ATTRIBUTES or lower in OWN_ATTRIBUTES.get(tag, ()) or lower.startswith("data-"):
            kept.append(lower if value is None else f'{lower}="{value}"')
    end = " /" if closed_at_once and tag in VOID else ""
    opening = f"<{' '.join([tag, *kept])}{end}>"
    return opening + (f"</{tag}>" if closed_at_once and tag not in VOID else "")


def _attributes(written: str) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    for found in _ATTRIBUTE.finditer(written):
        value = found[2]
        if value is not None:
            value = value[1:-1] if value[:1] in "\"'" else value
            value = _in_braces(value[1:-1]) if value[:1] == "{" else value
        values[found[1]] = value
    return values


def _in_braces(expression: str) -> str:
    """What an expression of JSX says, as far as it is a text: `"a"`, `` `a` ``, `require('./a.png').default`."""
    found = re.search(r"require\(\s*[\"'`]([^\"'`]+)[\"'`]\s*\)", expression)
    return found[1] if found else expression.strip().strip("\"'`")


def _component(
    name: str, attributes: dict[str, str | None], closes: bool, at_once: bool, number: int, tell: Tell
) -> str:
    if name in _PICTURES and not closes:
        source = attributes.get("src") or attributes.get("srcLight") or ""
        alt = attributes.get("alt") or attributes.get("caption") or ""
        if source:
            return f"![{alt}]({source})"
        tell(number, f"the picture “{attributes.get('name') or alt or name}”")
        return ""
    if name in ("YouTube", "Youtube") and (video := attributes.get("id") or attributes.get("videoId")):
        return f"\n\n@[youtube]({video})\n\n"
    if name in _COMPONENTS and not at_once:
        box, title = _COMPONENTS[name]
        kind = (attributes.get("type") or "").lower()
        if kind and box == "note":
            box = our_name(kind)
        return closed() if closes else opened(box, attributes.get("title") or title)
    if name in ("TabItem", "Tab") and not closes and (label := attributes.get("label") or attributes.get("title")):
        return f"\n\n**{label}**\n\n"
    if name == "TerminalBlock":
        return "\n```\n" if closes else "\n```bash\n"
    if at_once:
        tell(number, f"the component “<{name}>”")
    return ""


def _roles(part: str, number: int, tell: Tell) -> str:
    if found := _SNIPPET.match(part):
        tell(number, f"the file {found[1]} that was put in here")
        return ""
    if found := _TAB.match(part):
        return f"{found[1]}**{found[2]}**"
    return _ROLE.sub("", part) if ":" in part else part


def _wiki_links(part: str, _number: int, _tell: Tell) -> str:
    """Those of wikis and of Obsidian. A text that is shown inside another becomes a link to it."""

    def replaced(found: re.Match[str]) -> str:
        picture, page, anchor, shown = found[1], found[2].strip(), found[3] or "", found[4] or ""
        if not (page or anchor or shown):
            return found[0]  # brackets around nothing are no link
        is_file = bool(re.search(r"\.\w{2,5}$", page))
        target = page if is_file or not page else f"{page}.md"
        if anchor:
            anchor = "#" + re.sub(r"[^\w]+", "-", anchor[1:].strip().lower()).strip("-")
        if is_file and re.fullmatch(r"\d+(x\d+)?", shown):
            shown = ""  # a width
        return f"{picture if is_file else ''}[{shown or page or found[3].removeprefix('#')}](<{target}{anchor}>)"

    return _WIKI.sub(replaced, part) if "[[" in part else part


def _hidden_comments(text: str, tell: Tell) -> str:
    """Obsidian's `%%comments%%`, and scripts and styles with all that is in them; lines keep their numbers."""

    def removed(found: re.Match[str]) -> str:
        if not found[0].startswith("%"):
            tell(text.count("\n", 0, found.start()) + 1, f"the element “<{found[1].lower()}>” and what is in it")
        return "\n" * found[0].count("\n")

    return _HIDDEN.sub(removed, text) if "%%" in text or "<s" in text.lower() else text
