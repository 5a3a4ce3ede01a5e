"""What a creator's own HTML and CSS may be: browsers would block the rest without a word."""

import re
from collections.abc import Iterator, Sequence

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.I | re.S)
_SOURCE = re.compile(r"""\b(?:src|href)\s*=\s*["']?(https?:)?//([^/"'\s>]+)""", re.I)
_HANDLER = re.compile(r"""<[^>]+\son[a-z]+\s*=""", re.I)
_DATA = re.compile(r"""type\s*=\s*["']?application/(ld\+)?json""", re.I)
_OUTSIDE = re.compile(r"""@import|url\(\s*["']?(https?:)?//""", re.I)

Found = tuple[int, str, str]  # line, what is wrong, what to do


def snippet_faults(html: str, hosts: Sequence[str]) -> Iterator[Found]:
    """What the policy of the pages would block in the head snippet."""
    for script in _SCRIPT.finditer(html):
        if script[2].strip() and not _DATA.search(script[1]):
            yield (
                _line(html, script.start()),
                "This script is written in the page, where browsers block it.",
                ('Put it into a file below public/, and name that: <script src="/own.js" defer></script>.'),
            )
    for handler in _HANDLER.finditer(html):
        yield _line(html, handler.start()), "An on…= attribute is a script, and browsers block it.", "Leave it out."
    known = {host.partition("://")[2] for host in hosts}
    for source in _SOURCE.finditer(html):
        if source[2] not in known:
            yield (
                _line(html, source.start()),
                f"This loads from {source[2]}, which is not among the hosts.",
                f"Add “https://{source[2]}” to “hosts:” of “head:” in site.yaml.",
            )


def css_faults(css: str) -> Iterator[Found]:
    """What the policy of the pages would block in a style sheet."""
    for found in _OUTSIDE.finditer(css):
        yield (
            _line(css, found.start()),
            "This loads something from elsewhere, which browsers block.",
            ("Put the file below public/, and name it as url(/file)."),
        )


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
