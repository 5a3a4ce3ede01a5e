"""Markdown: every form of docs/markdown.md, what is refused, and that nothing hostile stops the build."""

import json
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitegen.texts.anchors import RESERVED
from sitegen.texts.code import read_fence
from sitegen.texts.references import Reference, Target, Unresolved
from sitegen.texts.render import render
from tests.conftest import ROOT


def shown(markdown: str, language: str = "en") -> str:
    """The HTML of a text without faults."""
    text = render(markdown, language=language)
    assert text.faults == []
    return text.html


FORMS = {
    "emphasis": (
        "**a** *b* ~~c~~ ==d== ++e++",
        "<strong>a</strong> <em>b</em> <del>c</del> <mark>d</mark> <ins>e</ins>",
    ),
    "sub and superscript": ("H~2~O and x^2^", "H<sub>2</sub>O and x<sup>2</sup>"),
    "emphasis beside brackets": ("の**「強調」**で", "の<strong>「強調」</strong>で"),
    "emoji": (":smile: and :nope:", "😄 and :nope:"),
    "keys": ("<kbd>Ctrl</kbd>", "<kbd>Ctrl</kbd>"),
    "bare address": ("see www.example.com now", '<a href="http://www.example.com">www.example.com</a> now'),
    "class of a link": ("[a](/b/){.button}", '<a href="/b/" class="button">a</a>'),
    "braces that are text": ("`a`{curly words}", "<code>a</code>{curly words}"),
    "hard break": ("a\\\nb", "a<br>\nb"),
    "tasks": (
        "- [ ] a\n- [x] b",
        '<ul class="tasks">\n<li><input type="checkbox" disabled> a</li>\n'
        '<li><input type="checkbox" disabled checked> b</li>',
    ),
    "numbered from four": ("4. a", '<ol start="4">\n<li>a</li>'),
    "definitions": ("Term\n: what it is", "<dl>\n<dt>Term</dt>\n<dd>what it is</dd>\n</dl>"),
    "callout": (
        "> [!WARNING]\n> Hot.",
        '<aside class="callout warning" aria-label="Warning">\n<p class="callout-title">Warning</p>\n<p>Hot.</p>',
    ),
    "callout with a title": (
        "> [!tip] Before you start\n> Wash.",
        '<p class="callout-title">Before you start</p>\n<p>Wash.</p>',
    ),
    "fenced callout": (
        ":::note Mind the gap\nInner **b**\n:::",
        '<p class="callout-title">Mind the gap</p>\n<p>Inner <strong>b</strong></p>',
    ),
    "nested fences": (
        "::::tip\n:::details More\na\n:::\n::::",
        "<details>\n<summary>More</summary>\n<p>a</p>\n</details>\n</aside>",
    ),
    "right to left": (":::rtl\nمرحبا\n:::", '<div dir="rtl">\n<p>مرحبا</p>\n</div>'),
    "details in HTML": (
        "<details><summary>s</summary>\n\n*in*\n\n</details>",
        "<summary>s</summary>\n<p><em>in</em></p>\n</details>",
    ),
    "comment": ("a <!-- secret --> b", "<p>a  b</p>"),
    "block comment": ("a\n\n<!-- secret\n\nmore -->\n\nb", "<p>a</p>\n\n<p>b</p>"),
    "formula": ("$a_b * c_d$", "<math><msub><mi>a</mi><mi>b</mi></msub>"),
    "display formula": ("$$\nx = 1\n$$", '<math display="block"><mi>x</mi><mo>=</mo><mn>1</mn></math>'),
    "dollars": ("It costs $5 and \\$6.", "It costs $5 and $6."),
    "heading": ("## Warmer water", '<h2 id="warmer-water">Warmer water <a class="anchor" href="#warmer-water"'),
    "heading with an id": ("## Warmer {#w}", '<h2 id="w">Warmer <a class="anchor" href="#w"'),
    "heading with an id as in MDX": ("## Warmer {/*warm-er*/}", '<h2 id="warm-er">Warmer <a class="anchor"'),
    "box of one's own": (":::exercise\nTry it.\n:::", '<aside class="callout box-exercise" aria-label="Exercise">'),
    "solution": (":::solution\nSo.\n:::", "<details>\n<summary>Solution</summary>\n<p>So.</p>"),
    "picture with a width": ("![a](/x.png){alt='A jar' .wide}", '<img src="/x.png" alt="A jar" class="wide"'),
    "first heading": ("# One\n\n## Two", '<h3 id="two">'),
    "heading of another script": ("## 生地をこねる", '<h2 id="生地をこねる">'),
    "figure": ('![A jar](/x.png "After two days")', "<figcaption>After two days</figcaption></figure>"),
    "abbreviation": ("HTML here.\n\n*[HTML]: Hyper & Text", '<abbr title="Hyper &amp; Text">HTML</abbr> here.'),
    "footnote": ("a[^x]\n\n[^x]: b", '<sup><a id="fnref-x" href="#fn-x" role="doc-noteref">1</a></sup>'),
    "video": ("@[youtube](dQw4w9WgXcQ)", '<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ" rel="noopener">'),
    "coloured code": (
        "```python\nx = 1 < 2\n```",
        '<pre tabindex="0"><code class="language-python"><span class="n">x</span>',
    ),
    "code of an unknown language": ("```nolanguage\n<b>\n```", '<code class="language-nolanguage">&lt;b&gt;\n</code>'),
    "code with attributes": ('```{.python title="bake.py"}\nx\n```', "<figure><figcaption>bake.py</figcaption><pre"),
    "marked lines": ("```text {2}\na\nb\n```", "a\n<mark>b</mark>\n"),
    "changes": ("```diff\n+a\n```", '<span class="gi">+a</span>'),
    "soft line end": ("a\nb", "<p>a\nb</p>"),
    "line end between signs": ("生地を\n折る", "<p>生地を折る</p>"),
}


@pytest.mark.parametrize("form", FORMS)
def test_form(form: str) -> None:
    written, expected = FORMS[form]
    assert expected in shown(written)


def test_a_table_has_alignment_and_a_caption() -> None:
    table = shown("| a | b |\n|:--|--:|\n| 1 | $x$ |\n\nTable: What to weigh")
    assert '<div class="table-scroll" tabindex="0"><table>\n<caption>What to weigh</caption>' in table
    assert '<th scope="col" class="align-right">b</th>' in table
    assert '<td class="align-right"><math>' in table
    assert "<caption>close</caption>" in shown("| a |\n|---|\n| 1 |\nTable: close")


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "“a ‘b’ c”"), ("de", "„a ‚b‘ c“"), ("fr", "«\u202fa ‹\u202fb\u202f› c\u202f»"), ("ja", "「a 『b』 c」")],
)
def test_quotation_marks_of_the_language(language: str, expected: str) -> None:
    assert expected in shown("\"a 'b' c\"", language)
    assert "isn’t" in shown("isn't", language)
    assert "it's" in shown("`it's`", language)


@pytest.mark.parametrize(
    ("info", "language", "title", "marked"),
    [
        ("python", "python", "", set()),
        ("{.Python}", "python", "", set()),
        ('js title="a b.js" {1,3-5}', "js", "a b.js", {1, 3, 4, 5}),
        ("{.bash .numberLines}", "bash", "", set()),
        ("c++", "c++", "", set()),
        ("", "", "", set()),
    ],
)
def test_what_stands_behind_a_fence(info: str, language: str, title: str, marked: set[int]) -> None:
    fence = read_fence(info)
    assert (fence.language, fence.title, fence.marked) == (language, title, frozenset(marked))


FAULTS = {
    "script": ("a <script>x()</script>", 1, "“<script>” is not allowed"),
    "iframe": ("\n<iframe src=x></iframe>", 2, "Embed a video"),
    "event": ('<b onclick="x()">a</b>', 1, "“onclick” has no effect"),
    "style": ('<b style="color:red">a</b>', 1, "“style” has no effect"),
    "unknown element": ("a <blink>b</blink>", 1, "“<blink>” is not allowed"),
    "unknown attribute": ("<b href=x>a</b>", 1, "cannot have the attribute “href”"),
    "left open": ("a\n\n<div>\n\nb", 3, "“<div>” is never closed"),
    "closed twice": ("a</b>", 1, "closes nothing"),
    "javascript": ("[a](javascript:alert(1))", 1, "cannot begin with “javascript:”"),
    "javascript in HTML": ('<a href="javascript:alert(1)">b</a>', 1, "cannot begin with “javascript:”"),
    "foreign picture": ("![a](https://example.com/x.png)", 1, "from another site"),
    "unknown heading": ("## A\n\n[b](#c)", 3, "There is no heading “#c” here"),
    "taken id": ("## A {#x}\n\n## B {#x}", 3, "The id “x” is taken"),
    "formula": ("a\n\n$\\nope$", 3, "This formula cannot be read"),
    "unknown fence": (":::warnign\na\n:::", 1, "“:::warnign” is not known"),
    "unknown embed": ("@[vimeo](1)", 1, "“@[vimeo]” is not known"),
    "youtube": ("@[youtube](https://youtu.be/x)", 1, "no id of a YouTube video"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_a_place_and_a_remedy(name: str) -> None:
    written, line, problem = FAULTS[name]
    text = render(written)
    assert text.faults, text.html
    assert any(fault.line == line and problem in f"{fault.problem} {fault.remedy}" for fault in text.faults), (
        text.faults
    )
    assert all(fault.remedy for fault in text.faults)
    assert "<script" not in text.html
    assert "javascript:" not in text.html


def test_every_address_is_handed_over() -> None:
    seen: list[Reference] = []

    def resolve(reference: Reference) -> Target:
        seen.append(reference)
        if reference.address == "gone.md":
            raise Unresolved("It is gone.", "Bring it back.")
        return Target(f"/there/{reference.address}", 640, 480)

    text = render(
        "[a](one.md#x) [b](gone.md)\n\n![c](p.png){width=320}\n\n@[video](v.mp4)\n\n<img src='q.png' alt=''>",
        resolve=resolve,
    )
    assert [(each.kind, each.address, each.line) for each in seen] == [
        ("link", "one.md#x", 1),
        ("link", "gone.md", 1),
        ("picture", "p.png", 3),
        ("file", "v.mp4", 5),
        ("picture", "q.png", 7),
    ]
    assert '<a href="/there/one.md#x">' in text.html
    assert '<img src="/there/p.png" alt="c" width="320" height="240" loading="lazy">' in text.html
    assert '<video src="/there/v.mp4" controls preload="none">' in text.html
    assert [(fault.line, fault.column, fault.problem) for fault in text.faults] == [(1, 15, "It is gone.")]


def test_ids_of_headings_and_of_the_pages_around_them_never_meet() -> None:
    templates = "".join(path.read_text() for path in (ROOT / "theme/templates").rglob("*.html"))
    used = set(re.findall(r'\sid="([a-z-]+)"', templates))
    learning = {
        "lesson.html",
        "preview.html",
        "course.html",
        "article.html",
        "page.html",
        "base.html",
        "partials/buy_box.html",
    }
    near = "".join((ROOT / "theme/templates" / name).read_text() for name in learning)
    assert set(re.findall(r'\sid="([a-z-]+)"', near)) <= RESERVED
    assert used
    assert 'id="notes-1"' in shown("## Notes")
    assert shown("## A\n\n## A").count('id="a-1"') == 1


HOSTILE = {
    "brackets": "[" * 100_000,
    "nested quotes": "> " * 5_000 + "a",
    "nested list": "\n".join("  " * depth + "- a" for depth in range(500)),
    "emphasis": "*a **a " * 4_000,
    "underscores": "_" * 60_000 + "a",
    "strikes": "~~a " * 100_000,
    "links": "[a](" * 8_000,
    "pictures": "![" * 9_000,
    "table": "|" + "a|" * 5_000 + "\n|" + "-|" * 5_000,
    "footnotes": "[^1] " * 5_000,
    "html": "<div>" * 5_000,
    "entities": "&" * 30_000,
    "formula": "$" + "{" * 3_000 + "}" * 3_000 + "$",
    "dollars": "$" * 30_000,
    "fences": "`" * 40_000 + "\n" + "~" * 4_000,
    "one line": "a" * 900_000,
    "definition": "a\n" + ": b\n" * 10_000,
    "colons": ":::note\n" * 3_000,
    "surrogate": "a\ud800b",
    "null": "a\0b",
    "large": "a b\n\n" * 300_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_refused_or_rendered_at_once(name: str) -> None:
    began = time.process_time()
    text = render(HOSTILE[name])
    assert time.process_time() - began < 5
    assert text.html or text.faults


@given(st.text(alphabet=st.sampled_from("ab \n#*_`~[](){}<>!|:-+=>$\\^&;\"'1.\t「é"), max_size=200))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_is_rendered_without_an_error_and_without_scripts(text: str) -> None:
    rendered = render(text)
    assert not re.search(r"<script|\son\w+=|javascript:", rendered.html)
    for fault in rendered.faults:
        assert fault.line >= 1
        assert fault.problem
        assert fault.remedy


def test_every_form_of_the_documentation_is_rendered_as_it_says() -> None:
    """docs/markdown.md shows each form with what it becomes; both are held against the renderer."""
    page = (ROOT / "docs/markdown.md").read_text()
    pairs = re.findall(r"````markdown\n(.*?)\n````\n\n```html\n(.*?)\n```", page, re.S)
    assert len(pairs) > 20
    for written, expected in pairs:
        assert shown(written).strip() == expected.strip(), json.dumps(written)
