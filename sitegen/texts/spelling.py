"""What happens to the words themselves: quotation marks of the language, and abbreviations with what they mean."""

import re
from html import escape

_QUOTES = {
    "en": "“”‘’", "de": "„“‚‘", "es": "«»“”", "fr": "«\u202f\u202f»‹\u202f\u202f›", "it": "«»“”", "pt": "“”‘’",
    "nl": "“”‘’", "pl": "„”‚’", "cs": "„“‚‘", "fi": "””’’", "sv": "””’’", "da": "„“‚‘", "no": "«»‘’", "nb": "«»‘’",
    "ru": "«»„“", "uk": "«»„“", "ja": "「」『』", "zh": "“”‘’", "ko": "“”‘’", "ar": "«»‹›", "he": "”“’‘", "tr": "“”‘’",
}  # fmt: skip
_OPENING = re.compile(r"(?:^|(?<=[\s(\[{«„“—–/]))[\"'](?=\S)")
_DEFINITION = re.compile(r"^\*\[([^\]\n]{1,60})\]:[ \t]*(.+)$", re.M)


def curly(text: str, language: str) -> str:
    """Straight quotation marks as the language writes them; an apostrophe is ’ everywhere."""
    if '"' not in text and "'" not in text:
        return text
    marks = _QUOTES.get(language.partition("-")[0], _QUOTES["en"])
    half = len(marks) // 2
    double, single = marks[:half], marks[half:]
    middle = len(double) // 2

    def opening(match: re.Match[str]) -> str:
        return double[:middle] if match[0] == '"' else single[:middle]

    text = re.sub(r"'(?=\d\ds?\b)", "’", text)  # the ’90s
    text = _OPENING.sub(opening, text).replace('"', double[middle:])
    if single[:middle] in text:  # what was opened is closed at the end of a word; the rest are apostrophes
        text = re.sub(rf"({re.escape(single[:middle])}[^']*(?:'\w[^']*)*)'(?!\w)", rf"\g<1>{single[middle:]}", text)
    return text.replace("'", "’")


def take_abbreviations(text: str) -> tuple[str, dict[str, str]]:
    """The text without lines like `*[HTML]: HyperText Markup Language`, and what they say. Line numbers stay."""
    if "*[" not in text:
        return text, {}
    meanings = {match[1]: match[2].strip() for match in _DEFINITION.finditer(text)}
    return _DEFINITION.sub("", text), meanings


def explained(escaped: str, meanings: dict[str, str]) -> str:
    """Escaped text with `<abbr>` around the abbreviations."""
    if not meanings or not any(word in escaped for word in meanings):
        return escaped
    words = "|".join(re.escape(escape(word, quote=False)) for word in sorted(meanings, key=len, reverse=True))
    return re.sub(
        rf"(?<!\w)(?:{words})(?!\w)",
        lambda match: f'<abbr title="{escape(meanings.get(match[0], ""))}">{match[0]}</abbr>',
        escaped,
    )
