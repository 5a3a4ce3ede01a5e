"""Every file of the site. Pure: what visitors may see goes in, names and bytes come out; the same for the same."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from babel.core import get_global
from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, TemplateError, TemplateNotFound, TemplateSyntaxError, UndefinedError
from markupsafe import Markup

from sitegen import urls
from sitegen.catalog import money
from sitegen.catalog.model import Site, price_of_form
from sitegen.catalog.public import Outline, PublicCatalog, PublicCourse, price_note
from sitegen.catalog.words import Words, locale_of
from sitegen.content.load import Content
from sitegen.history import History
from sitegen.kept import NOTHING_KEPT, Kept
from sitegen.parallel import spread
from sitegen.site import feed, machines, structured_data
from sitegen.site.assets import Assets
from sitegen.site.icons import Icons
from sitegen.site.page import SitePage, Whole
from sitegen.site.pages import all_pages
from sitegen.site.share_pictures import can_draw, draw
from sitegen.site.templates import open_templates, template_folders, templates_stamp

_OBJECT = re.compile(r"'(?:\w+\.)+(?:Public)?(\w+) object'")  # a type of ours, which its name tells enough of

_MANY = 100  # pages; fewer are rendered before a process is copied

# Files of these names in public/ stand for ours; a school had its own before we made them.
YIELDING = frozenset({"favicon.ico", "site.webmanifest", "llms.txt", ".well-known/security.txt"})


class SiteFile(NamedTuple):
    """A file below the output folder."""

    name: str
    content: bytes


class TemplateBroken(Exception):
    """A template cannot be used; the message says which, where and why."""


@dataclass(frozen=True)
class Source:
    """Where the files are that the site is made of. `files` is the folder that pictures are named from."""

    files: Path
    themes: Sequence[Path]
    public: Path
    site_url: str
    variants: Path | None = None  # where the sizes of pictures are kept; None: pages show the pictures as they are
    cards: Path | None = None  # where the pictures of shared links are kept; None: none are drawn
    history: History = field(default_factory=History)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    has_search: bool = False
    templates: Path | None = None  # where compiled templates are kept

    @property
    def own_theme(self) -> Path:
        """The school's own theme, or the one that comes with the program."""
        return self.themes[0]


class Rendered(NamedTuple):
    """A page, its bytes, and the sentences that it said in English, since there is no translation."""

    page: SitePage
    content: bytes
    missing: frozenset[str]


class SiteRenderer:
    """Renders a site; when it is asked again, a page whose values are the same is taken from the last time.

    `kept` has the last time of an earlier process.
    """

    def __init__(self, kept: Kept = NOTHING_KEPT) -> None:
        self._kept = kept
        self._shared: tuple[object, ...] = ()
        self._environments: dict[str, Environment] = {}
        self._words: dict[str, Words] = {}
        self._rendered: dict[str, Rendered] = {}
        self._courses: dict[str, PublicCourse] = {}

    def render(self, catalog: PublicCatalog, content: Content, source: Source) -> Iterator[SiteFile]:
        """Pages, feed, sitemap and the like, and assets. Raises TemplateBroken."""
        if not self._shared:
            self._recall()
        catalog = replace(catalog, courses=self._known(catalog.courses), retired=self._known(catalog.retired))
        self._courses = {course.slug: course for course in (*catalog.courses, *catalog.retired)}
        assets = Assets(catalog, content, source.files, source.themes, source.variants)
        self._forget(catalog, content, source, assets)
        fonts, folder = source.own_theme / "fonts", source.cards
        draws = partial(can_draw, fonts=fonts) if folder is not None else (lambda _card: False)
        icons = Icons(catalog.site, source.files, folder)
        beside = [SiteFile(name, content) for name, content in icons.drawn()]
        if icons.of_manifest():
            manifest = machines.web_manifest(catalog.site, icons.of_manifest())
            beside.append(SiteFile("site.webmanifest", manifest.encode()))
        whole = Whole(catalog, source.site_url, source.history, draws, source.has_search)
        pages = list(all_pages(whole, content))
        yield from self._pages(pages, assets, source.site_url)
        if catalog.site.robots == "all":
            twins = (page for page in pages if page.twin and page.indexed)
            yield from (SiteFile(urls.twin(page.url).lstrip("/"), page.twin.encode()) for page in twins)
        if folder is not None:
            for card in {page.shared.card for page in pages if page.shared.card}:
                yield SiteFile(card.address.lstrip("/"), draw(card, source.files, fonts, folder))
        beside += _for_machines(catalog, content, pages, source)
        own = {name for name in YIELDING if (source.public / name).is_file()}
        yield from (each for each in beside if each.name not in own)
        yield from (SiteFile(name, content) for name, content in assets.files())
        if source.public.is_dir():
            for path in sorted(path for path in source.public.rglob("*") if path.is_file()):
                yield SiteFile(path.relative_to(source.public).as_posix(), path.read_bytes())

    def _pages(self, pages: Sequence[SitePage], assets: Assets, site_url: str) -> Iterator[SiteFile]:
        before = self._rendered
        fresh = [page for page in pages if page.file not in before or before[page.file].page != page]

        def render(part: Sequence[SitePage]) -> list[tuple[str, bytes, frozenset[str]]]:
            return [(page.file, *self._render(page, assets, site_url)) for page in part]

        parts = spread(render, fresh, is_large=len(fresh) >= _MANY)
        made = {file: (content, missing) for part in parts for file, content, missing in part}
        self._rendered = {
            page.file: Rendered(page, *made[page.file]) if page.file in made else before[page.file] for page in pages
        }
        if made or len(before) != len(pages):
            self._kept.put("pages", "", (self._shared, self._courses, self._rendered))
        yield from (SiteFile(file, each.content) for file, each in self._rendered.items())

    def _render(self, page: SitePage, assets: Assets, site_url: str) -> tuple[bytes, frozenset[str]]:
        templates, words = self._templates(page.language)
        words.missing.clear()
        content = assets.in_page(_render(templates, page, site_url)).encode()
        return content, frozenset(words.missing)

    def _recall(self) -> None:
        known = self._kept.get("pages", "")
        if known is not None:
            self._shared, self._courses, self._rendered = known  # type: ignore[misc]  # as they were put above

    def untranslated(self) -> dict[str, list[str]]:
        """By language, what the pages said in English, since there is no translation."""
        said: dict[str, set[str]] = {}
        for page, _, missing in self._rendered.values():
            said.setdefault(page.language, set()).update(missing)
        return {language: sorted(sentences) for language, sentences in said.items() if sentences}

    def _known(self, courses: Sequence[PublicCourse]) -> tuple[PublicCourse, ...]:
        """The same objects as the last time where they are equal: comparing an object with itself costs nothing."""
        return tuple(old if (old := self._courses.get(new.slug)) == new else new for new in courses)

    def _forget(self, catalog: PublicCatalog, content: Content, source: Source, assets: Assets) -> None:
        """When the templates changed, or what all pages share, they are opened anew and no page is kept."""
        # What the history and the clock say reaches a page through its values.
        asked = replace(source, history=History(), now=Source.now)
        shared = (catalog.site, content.legal, asked, assets.theme(""), templates_stamp(source.themes))
        self._site, self._open = catalog.site, partial(_open, catalog.site, content, source, assets)
        if shared != self._shared:
            self._shared, self._rendered, self._environments, self._words = shared, {}, {}, {}
        for environment in self._environments.values():
            environment.globals["outline"] = _outlines(environment)

    def _templates(self, language: str) -> tuple[Environment, Words]:
        if language not in self._environments:
            self._words[language] = self._site.in_language(language)
            self._environments[language] = self._open(self._words[language])
        return self._environments[language], self._words[language]


def _open(site: Site, content: Content, source: Source, assets: Assets, words: Words) -> Environment:
    """The templates in one language."""
    environment = open_templates(
        source.themes,
        {
            "_": words,
            "n_": words.plural,
            "site": site,
            "site_url": source.site_url,
            "urls": urls,
            "legal": content.legal,
            "money": money,
            "note_of_price": lambda course: price_note(course, site, words),
            "price_of_form": price_of_form,
            "asset": assets.theme,
            "has_search": source.has_search,
            "icons": Icons(site, source.files, source.cards).links(),
            "link": _link,
            "duration": lambda seconds: money.format_duration(seconds, words),
            "og_locale": _og_locale,
            "own_name": lambda language: (locale_of(language).get_language_name() or language).capitalize(),
            "is_right_to_left": lambda language: locale_of(language).text_direction == "rtl",
            "decimal": lambda value: format_decimal(value, "0.#", locale=words.locale),
            "date": lambda day: format_date(day, "long", locale=words.locale),
        },
        source.templates,
    )
    environment.filters["language_name"] = lambda code: locale_of(code).get_display_name(words.locale) or code
    environment.globals["outline"] = _outlines(environment)
    return environment


def _og_locale(language: str) -> str:
    """`de` → de_DE: Open Graph wants a country, and takes the likely one."""
    if "-" in language:
        return language.replace("-", "_")
    likely = get_global("likely_subtags").get(language, "")
    return f"{language}_{likely.rpartition('_')[2]}" if likely else language


def _link(address: str, text: str) -> Markup:
    """A link as a part of a sentence."""
    return Markup('<a href="{}">{}</a>').format(address, text)


def _render(environment: Environment, page: SitePage, site_url: str) -> str:
    described = [*page.described, *([structured_data.breadcrumb(page.crumbs, site_url)] if page.crumbs else [])]
    json_ld = structured_data.to_json(described) if described else ""
    try:
        template = environment.get_template(f"{page.template}.html")
        return template.render(page_info=page, json_ld=json_ld, **page.values)
    except TemplateSyntaxError as error:
        raise TemplateBroken(
            f"{error.filename}:{error.lineno}: This template cannot be read: {error.message}"
        ) from error
    except (TemplateError, TypeError, ValueError, AttributeError, LookupError) as error:
        file, line = _place(error, environment)
        said = _OBJECT.sub(r"“\1”", (error.message or "") if isinstance(error, UndefinedError) else str(error))
        if isinstance(error, TemplateNotFound):
            said = f"there is no template “{error.name}”."
        raise TemplateBroken(f"{file}:{line}: This template stops at {page.url}: {said}") from error


def _place(error: BaseException, environment: Environment) -> tuple[str, int]:
    """The innermost template that the error came through."""
    place = ("theme", 1)
    folders = tuple(str(folder) for folder in template_folders(environment))
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith(folders):
            place = (name, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _outlines(environment: Environment) -> Callable[[Outline, str], Markup]:
    """A course's list of lessons is rendered once, and marked for each of its pages."""
    rendered: dict[str, str] = {}

    def outline(course: Outline, slug: str) -> Markup:
        if course.slug not in rendered:
            template = environment.get_template("partials/outline.html")
            rendered[course.slug] = template.render(course=course)
        mark = f'data-lesson-link="{slug}"'
        return Markup(rendered[course.slug].replace(mark, f'{mark} aria-current="page"', 1))  # noqa: S704 - rendered above

    return outline


def _for_machines(
    catalog: PublicCatalog, content: Content, pages: Sequence[SitePage], source: Source
) -> Iterator[SiteFile]:
    site, url = catalog.site, source.site_url
    yield SiteFile(feed.ADDRESS.lstrip("/"), feed.atom(site, content.posts, url).encode())
    yield SiteFile("sitemap.xml", machines.sitemap(pages, url).encode())
    yield SiteFile("robots.txt", machines.robots(site, url).encode())
    if site.robots == "all":
        yield SiteFile("llms.txt", pages[0].twin.encode())
    yield SiteFile(".well-known/security.txt", machines.security(site, url, source.now).encode())
    yield SiteFile("_redirects", "".join(f"{each.old} {each.new} 301\n" for each in catalog.redirects).encode())
