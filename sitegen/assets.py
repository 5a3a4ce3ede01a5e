"""URLs of pictures and theme files change with their content, so that browsers can cache them forever."""

import hashlib
import shutil
from functools import cached_property
from pathlib import Path

from pygments.formatters import HtmlFormatter

from sitegen.catalog.model import Site
from sitegen.catalog.public import PublicCatalog


class Assets:
    """The URLs of pictures and theme files, and the files themselves."""

    def __init__(self, public: PublicCatalog, course_data: Path, theme_static: Path) -> None:
        self._course_data = course_data
        self._static = theme_static
        self._generated = {
            "css/brand.css": _brand_css(public.site).encode(),
            "css/code.css": _code_css().encode(),
        }
        instructors = [course.instructor.photo for course in (*public.courses, *public.retired)]
        thumbnails = [course.thumbnail for course in (*public.courses, *public.retired)]
        self._pictures = {picture for picture in (public.site.logo, *instructors, *thumbnails) if picture}

    def theme(self, name: str) -> str:
        """The URL of a file of the theme, such as `css/base.css`.

        All of them share one folder, named after the content of them all, so that JavaScript modules find each other.
        """
        return f"/assets/{self._theme_version}/{name}"

    def write(self, output: Path) -> None:
        """Copy every picture and theme file to where its URL says."""
        theme = output / self.theme("").lstrip("/")
        shutil.copytree(self._static, theme, dirs_exist_ok=True)
        for name, content in self._generated.items():
            (theme / name).write_bytes(content)
        for picture in self._pictures:
            target = output / picture.address.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._course_data / picture.file, target)

    @cached_property
    def _theme_version(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(path for path in self._static.rglob("*") if path.is_file()):
            digest.update(path.relative_to(self._static).as_posix().encode() + b"\0" + path.read_bytes())
        for name, content in self._generated.items():
            digest.update(name.encode() + b"\0" + content)
        return digest.hexdigest()[:12]


def _brand_css(site: Site) -> str:
    return f":root {{ --brand: {site.brand_color}; --accent: {site.brand_accent}; }}\n"


def _code_css() -> str:
    light = HtmlFormatter(style="friendly").get_style_defs("pre code")
    dark = HtmlFormatter(style="github-dark").get_style_defs("pre code")
    return f"{_colours_only(light)}\n@media (prefers-color-scheme: dark) {{\n{_colours_only(dark)}\n}}\n"


def _colours_only(css: str) -> str:
    """Pygments' token rules, without its backgrounds and line numbers, which the theme defines."""
    return "\n".join(line for line in css.splitlines() if line.startswith("pre code ."))
