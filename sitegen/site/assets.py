"""URLs of pictures and theme files change with their content, so that browsers can cache them forever."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import unquote

import rcssmin  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter

from sitegen.catalog.model import Picture
from sitegen.catalog.pictures import picture_size
from sitegen.catalog.public import PublicCatalog
from sitegen.catalog.words import Words
from sitegen.content.load import Content
from sitegen.site import brand
from sitegen.site.fonts import fit
from sitegen.site.responsive import Responsive, tone_rules

SHEET = "css/site.css"
_FIRST = ("colours", "tokens", "brand", "base", "layout", "parts", "prose")  # what others build on
_IS_SHEET = re.compile(r"css/[^/]+\.css").fullmatch
_FACES = {"text": "", "ui": "sans"}  # what stands in for a font while it loads; for texts, as the school says
_IMG = re.compile(r'<img src="(/assets/pictures/[^"]+)"([^>]*)>')
_IS_SCRIPT = re.compile(r"js/[^/]+\.js").fullmatch  # not those of others, in js/vendor
_SENTENCE = re.compile(r'\bt\(("(?:[^"\\]|\\.)*")')  # what a script says goes through t("…")


class Assets:
    """The URLs of pictures and theme files, and the files themselves."""

    def __init__(
        self, public: PublicCatalog, content: Content, files: Path, themes: Sequence[Path], variants: Path | None
    ) -> None:
        site = public.site
        languages = [words.language for words in public.languages]
        folder = variants.parent / "fonts" if variants is not None else None
        fonts = {
            use: fit(files / name, languages, _FACES[use] or site.brand.faces, folder)
            for use, name in site.brand.fonts.items()
        }
        own = {f"fonts/{Path(name).name}": fonts[use].content for use, name in site.brand.fonts.items()}
        self._theme_files = {
            "css/brand.css": brand.style_sheet(site, fonts).encode(),
            "css/code.css": _code_css(is_dark=site.look == "studio").encode(),
            "css/tones.css": tone_rules().encode(),
            **own,
        }
        for theme in reversed(themes):
            static = theme / "static"
            for path in sorted(path for path in static.rglob("*") if path.is_file() and not path.name.startswith(".")):
                self._theme_files[path.relative_to(static).as_posix()] = path.read_bytes()
        if site.brand.css:
            self._theme_files["css/own.css"] = (files / site.brand.css).read_bytes()
        sheets = {name: self._theme_files.pop(name) for name in list(self._theme_files) if _IS_SHEET(name)}
        self._theme_files[SHEET] = _one_sheet(sheets)
        for words in public.languages:
            if words.known and not words.page_language:
                self._theme_files[f"js/words/{words.language}.js"] = _words_of_scripts(words, self._theme_files)
        self._pictures = {picture.address: files / picture.file for picture in _pictures(public, content)}
        self._responsive = Responsive(self._pictures, variants) if variants is not None else None

    def theme(self, name: str) -> str:
        """The URL of a file of the theme, such as `css/base.css`.

        All of them share one folder, named after the content of them all, so that JavaScript modules find each other.
        """
        return f"/assets/{self._theme_version}/{name}"

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every picture and theme file, with its name below the output folder."""
        for name, content in self._theme_files.items():
            yield self.theme(name).lstrip("/"), content
        responsive = self._responsive
        for address, path in sorted(self._pictures.items()):
            yield unquote(address).lstrip("/"), responsive.original(address) if responsive else path.read_bytes()
        if responsive is not None:
            yield from responsive.files()

    def in_page(self, html: str) -> str:
        """The page, with the room that each picture takes, and every size of it."""
        sized = _IMG.sub(self._sized, html)
        return self._responsive.in_page(sized) if self._responsive is not None else sized

    def _sized(self, found: re.Match[str]) -> str:
        """Browsers keep its place free while it loads. What a template says of its size stays."""
        path, said = self._pictures.get(found[1]), found[2]
        size = picture_size(path) if path is not None and "width=" not in said else None
        if size is None:
            return found[0]
        width, height = size
        if known := re.search(r' height="(\d+)"', said):  # the width that belongs to a height
            return f'<img src="{found[1]}" width="{round(int(known[1]) * width / height)}"{said}>'
        return f'<img src="{found[1]}" width="{width}" height="{height}"{said}>'

    @cached_property
    def _theme_version(self) -> str:
        digest = hashlib.sha256()
        for name, content in sorted(self._theme_files.items()):
            digest.update(name.encode() + b"\0" + content)
        return digest.hexdigest()[:12]


def _pictures(public: PublicCatalog, content: Content) -> Iterator[Picture]:
    """Every picture that a public page shows."""
    if public.site.logo:
        yield public.site.logo
    yield from public.site.pictures
    for course in (*public.courses, *public.retired):
        yield course.thumbnail
        if course.instructor.photo:
            yield course.instructor.photo
        if course.share_picture:
            yield course.share_picture
        yield from course.pictures
    for text in (*content.pages, *content.posts):
        yield from text.pictures
        if text.share_picture:
            yield text.share_picture
    for post in content.posts:
        if post.picture:
            yield post.picture


def sentences_of_script(text: str) -> list[str]:
    """What a script says to people."""
    return sorted({json.loads(found) for found in _SENTENCE.findall(text)})


def _words_of_scripts(words: Words, files: Mapping[str, bytes]) -> bytes:
    """The module that `words.js` imports: each sentence of the scripts → its translation."""
    scripts = "".join(content.decode() for name, content in sorted(files.items()) if _IS_SCRIPT(name))
    said = {sentence: words(sentence) for sentence in sentences_of_script(scripts)}
    return f"export default {json.dumps(said, ensure_ascii=False, indent=0)};\n".encode()


def _one_sheet(sheets: Mapping[str, bytes]) -> bytes:
    """All style sheets as one: each page loads it once, and browsers keep it."""
    names = [f"css/{name}.css" for name in _FIRST]
    names += sorted(sheets.keys() - {*names, "css/own.css"})
    written = b"\n".join(sheets[name] for name in (*names, "css/own.css") if name in sheets)
    return str(rcssmin.cssmin(written.decode())).encode()


@cache
def _code_css(*, is_dark: bool) -> str:
    """The colours of code. A look that is always dark has those for dark pages alone."""
    light = HtmlFormatter(style="friendly").get_style_defs("pre code")
    dark = HtmlFormatter(style="github-dark").get_style_defs("pre code")
    if is_dark:
        return f"{_colours_only(dark)}\n"
    return f"{_colours_only(light)}\n@media (prefers-color-scheme: dark) {{\n{_colours_only(dark)}\n}}\n"


def _colours_only(css: str) -> str:
    """Pygments' token rules, without its backgrounds and line numbers, which the theme defines."""
    return "\n".join(line for line in css.splitlines() if line.startswith("pre code ."))
