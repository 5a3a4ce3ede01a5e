"""Markdown files with front matter → pages and posts, checked like course files."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sitegen import urls
from sitegen.catalog import model
from sitegen.catalog.faults import Fault
from sitegen.catalog.library import Library, TextPage
from sitegen.catalog.pictures import FileRefused, find_file, picture_size
from sitegen.catalog.slugs import HOW, is_slug, slug_of
from sitegen.catalog.text_files import Unreadable, read_text
from sitegen.catalog.validate import check_shape
from sitegen.catalog.yaml_source import YamlSource, parse_yaml
from sitegen.content.front_matter import REQUIRED, ROLES, PageFile, PostFile, Role

File = TypeVar("File", bound=PageFile)


@dataclass(frozen=True)
class Page:
    """A page of the school. `hidden_until` is None once anybody may see it; a draft is hidden for good."""

    slug: str
    title: str
    summary: str
    html: str
    draft: bool
    publish_at: datetime | None
    role: Role | None = None
    search_title: str | None = None
    share_picture: model.Picture | None = None
    file: str = ""  # below the school's folder
    markdown: str = ""
    pictures: tuple[model.Picture, ...] = ()

    @property
    def address(self) -> str:
        """Its address on the site."""
        return urls.page(self.slug)

    def is_shown(self, now: datetime) -> bool:
        """Whether visitors see it."""
        return not self.draft and (self.publish_at is None or self.publish_at <= now)


@dataclass(frozen=True)
class Post(Page):
    """A piece of news."""

    date: date = date.min
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    picture: model.Picture | None = None
    picture_alt: str = ""

    @property
    def address(self) -> str:
        """Its address on the site."""
        return urls.post(self.slug)


@dataclass
class Content:
    """All pages, and all posts with the newest first."""

    pages: list[Page] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    @cached_property
    def legal(self) -> dict[Role, Page]:
        """The pages that the law or a sale asks for, by what they are."""
        found = {page.role: page for page in self.pages if page.role}
        return {role: found[role] for role in ROLES if role in found}

    def dates(self) -> list[tuple[datetime, str]]:
        """When something is published, and what."""
        texts = [*self.pages, *self.posts]
        return [(each.publish_at, f"{each.address}") for each in texts if each.publish_at and not each.draft]

    def shown(self, now: datetime) -> "Content":
        """What visitors see."""
        return Content(
            [page for page in self.pages if page.is_shown(now)], [post for post in self.posts if post.is_shown(now)]
        )


@dataclass
class _Written:
    """A file before its text is rendered."""

    path: Path
    slug: str
    file: PageFile
    source: YamlSource
    text: str
    above: int


class ContentReader:
    """Reads `folder` in two steps, since texts link to each other: first what there is, then the texts."""

    def __init__(self, folder: Path, library: Library) -> None:
        self.folder = folder
        self.library = library
        self.faults: list[Fault] = []
        self._pages = self._register("pages", PageFile, urls.page)
        self._posts = self._register("posts", PostFile, urls.post)
        self._check_slugs()
        self._check_roles()

    def _register(self, name: str, shape: type[File], address: Callable[[str], str]) -> list[_Written]:
        found = []
        for path in sorted((self.folder / name).rglob("*.md")):
            if path.name.startswith("."):
                continue
            source = YamlSource(path)
            written = self._split(path, source)
            file = check_shape(shape, source) if written is not None else None
            if written is not None and file is not None:
                slug = slug_of(file.slug, path.stem)
                if not is_slug(slug):
                    problem = f"The name “{path.name}” cannot be part of a URL."
                    source.faults.append(Fault(path, 1, 1, problem, f"Add “slug:”. {HOW}"))
                text, above = written
                found.append(_Written(path, slug, file, source, text, above))
                self.library.register(path, TextPage(address(slug), address(slug)))
            self.faults += source.faults
        return found

    def _split(self, path: Path, source: YamlSource) -> tuple[str, int] | None:
        """The text, and how many lines stand above it; the front matter goes into `source`."""
        try:
            text = read_text(path)
        except Unreadable as error:
            source.faults.append(error.fault)
            return None
        lines = text.split("\n")
        end = next((n for n, line in enumerate(lines[1:], start=1) if line.rstrip() == "---"), None)
        if lines[0].rstrip() == "---" and end is None:
            problem, remedy = "The front matter is never closed.", "Write “---” on a line of its own, above the text."
            source.faults.append(Fault(path, 1, 1, problem, remedy))
            return None
        if lines[0].rstrip() != "---" or end is None:
            problem = "This file does not begin with front matter."
            remedy = "Write “---” in the first line, then “title: …”, then “---” again, and the text after that."
            source.faults.append(Fault(path, 1, 1, problem, remedy))
            return None
        parse_yaml(source, "\n".join(lines[1:end]), above=1)
        return "\n".join(lines[end + 1 :]), end + 1

    def _check_slugs(self) -> None:
        for files, reserved in ((self._pages, urls.RESERVED), (self._posts, frozenset[str]())):
            seen: dict[str, Path] = {}
            for each in files:
                slug = each.slug
                place = each.source.fault(("slug",), "", "")
                if slug in reserved:
                    problem = f"“/{slug}/” is an address of the program itself."
                    self.faults.append(Fault(each.path, place.line, 1, problem, "Choose another slug."))
                elif slug in seen:
                    problem = f"The slug “{slug}” is used twice."
                    remedy = f"It was first used in {seen[slug]}; choose another here."
                    self.faults.append(Fault(each.path, place.line, 1, problem, remedy))
                seen.setdefault(slug, each.path)

    def _check_roles(self) -> None:
        """Nothing is sold without terms, and no account is made without a word about privacy."""
        seen: dict[str, Path] = {}
        for each in self._pages:
            role = each.file.role
            if each.file.draft or each.file.publish_at:
                continue  # it is not there for everybody, or not yet
            if role in seen:
                problem = f"Two pages have the role “{role}”."
                place = each.source.fault(("role",), problem, f"The other is {seen[role]}; leave the line out here.")
                self.faults.append(place)
            elif role:
                seen[role] = each.path
        for role, slug in REQUIRED.items():
            if role not in seen:
                written = next((each for each in self._pages if each.slug == slug), None)
                path = written.path if written else self.folder / "pages" / f"{slug}.md"
                problem = f"No page has the role “{role}”, and every page links to it."
                remedy = f"Write “role: {role}” between the “---” lines of this file."
                if written is None:
                    remedy = f"Write {path}, with “title: …” and “role: {role}” between two lines of “---”."
                self.faults.append(Fault(path, 1, 1, problem, remedy))

    def read(self, timezone: str) -> Content:
        """Render the texts."""
        zone = ZoneInfo(timezone)
        pages = [Page(**self._common(each, zone)) for each in self._pages]  # type: ignore[arg-type]  # checked shapes
        posts = [self._post(each, zone) for each in self._posts]
        posts.sort(key=lambda post: (post.date, post.slug), reverse=True)
        return Content(pages, posts)

    def _common(self, written: _Written, zone: ZoneInfo) -> dict[str, object]:
        path, above, file = written.path, written.above, written.file
        rendered = self.library.render(
            written.text,
            folder=path.parent,
            place=lambda line, column: (path, above + line, column),
            public=True,
            path=path,
        )
        self.faults += rendered.faults
        shared = self._picture(written, file.share_picture, "share_picture") if file.share_picture else None
        return {
            "slug": written.slug,
            "title": file.title,
            "summary": file.summary,
            "html": rendered.html,
            "draft": file.draft,
            "role": file.role,
            "search_title": file.search_title,
            "share_picture": shared,
            "file": _below(path, self.folder.parent),
            "markdown": rendered.markdown,
            "publish_at": file.publish_at.replace(tzinfo=zone) if file.publish_at else None,
            "pictures": tuple(rendered.public_files),
        }

    def _post(self, written: _Written, zone: ZoneInfo) -> Post:
        file = written.file
        assert isinstance(file, PostFile)  # noqa: S101 - posts are read with that shape
        picture = self._picture(written, file.picture) if file.picture else None
        common = self._common(written, zone)
        return Post(
            **common,  # type: ignore[arg-type]  # checked shapes
            date=file.date,
            authors=tuple(file.authors),
            tags=tuple(file.tags),
            picture=picture,
            picture_alt=file.picture_alt,
        )

    def _picture(self, written: _Written, name: str, field: str = "picture") -> model.Picture | None:
        try:
            path = find_file(written.path.parent, name, roots=self.library.folders)
            picture_size(path)
        except FileRefused as error:
            self.faults.append(written.source.fault((field,), str(error), error.remedy))
            return None
        return self.library.public_picture(path)


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
