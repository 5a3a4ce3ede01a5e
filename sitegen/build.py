"""One build, top to bottom: check, render, look for leaks, and only then publish."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from sitegen import urls
from sitegen.catalog.commit import find_commit
from sitegen.catalog.lock_file import Lock, lock_of, read_lock, write_lock
from sitegen.catalog.manifest import (
    Manifest,
    ManifestUnreadable,
    compile_manifest,
    drafts_folder,
    private_folder,
    read_manifest,
    write_manifest,
)
from sitegen.catalog.model import Catalog
from sitegen.catalog.public import public_view
from sitegen.compression import compress
from sitegen.content.load import Content
from sitegen.differences.record import with_record
from sitegen.history import read_history
from sitegen.kept import Kept
from sitegen.leaks.find import FolderFiles, Leak, find_leaks
from sitegen.leaks.origins import traced
from sitegen.leaks.private import Private, private_parts
from sitegen.load import Loaded, load_school
from sitegen.placeholders import placeholders
from sitegen.publish import Publishing, check_output, one_at_a_time, publish_site
from sitegen.school import LOCK, School
from sitegen.search import SearchFailed, add_search, can_search
from sitegen.site.drafts import draft_pages
from sitegen.site.overrides import useless_parts
from sitegen.site.render import SiteFile, SiteRenderer, Source, TemplateBroken

_BUILDING, _KILLED_AFTER = "building-", 3600  # seconds: no build takes an hour
_OWN_LINK = re.compile(r'href="(/(?!api/|/)[^"#?]*)')


class BuildFailed(Exception):
    """The site could not be rendered; the message says why, for a person."""


class SiteLeaks(Exception):
    """The rendered site contains paid content; nothing was published."""

    def __init__(self, leaks: list[Leak]) -> None:
        self.leaks = leaks
        super().__init__("\n".join(str(leak) for leak in leaks))


@dataclass(frozen=True)
class Built:
    """What a build did. `told` are passages that may be quotations; `foreign` are files that no build wrote."""

    courses: int
    retired: int
    drafts: int
    lessons: int
    pages: int
    changed: int
    version: str
    told: tuple[Leak, ...] = ()
    foreign: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()  # sentences: words of a starter that nobody replaced, templates without use
    unlinked: tuple[str, ...] = ()  # pages of the school's own that no page links to
    untranslated: tuple[tuple[str, str], ...] = ()  # language, and what its pages said in English
    due: float | None = None  # when something is published next; seconds since 1970


def build_site(
    school: School,
    *,
    output: Path | None = None,
    manifest: Path | None = None,
    site_url: str | None = None,
    now: datetime | None = None,
    rehearsal: bool = False,
    for_visitors: bool = False,
    compressed: bool = False,
) -> Built:
    """Build the site and the service's catalogue. A rehearsal leaves the lock file as it is.

    With `for_visitors`, the site gets its search index; with `compressed`, the compressed forms of its files.

    Raises CatalogInvalid, BuildFailed, SiteLeaks or OutputRefused; the output and the manifest are then as they were.
    """
    output, manifest, now = output or school.output, manifest or school.manifest, now or datetime.now(UTC)
    with prepare_site(
        school, output=output, manifest=manifest, site_url=site_url, now=now, for_visitors=for_visitors
    ) as prepared:
        if compressed:
            compress(prepared.folder, school.compressed)
        return publish_prepared(
            school, prepared, lambda site: publish_site(site, output), manifest=manifest, rehearsal=rehearsal
        )


@dataclass(frozen=True)
class Prepared:
    """A site that was rendered and checked, and is nowhere yet. `earlier` stands for a lock file that is missing."""

    folder: Path
    manifest: Manifest
    catalog: Catalog
    content: Content
    site_url: str
    pages: int
    told: tuple[Leak, ...]
    unfinished: tuple[str, ...]
    unlinked: tuple[str, ...]
    untranslated: tuple[tuple[str, str], ...]
    due: float | None
    earlier: Lock | None


@contextmanager
def prepare_site(
    school: School,
    *,
    output: Path,
    manifest: Path,
    site_url: str | None = None,
    now: datetime,
    for_visitors: bool = False,
) -> Iterator[Prepared]:
    """Render a site into a folder of its own, which is there until the block ends.

    Raises CatalogInvalid, BuildFailed, SiteLeaks or OutputRefused.
    """
    check_output(output, manifest=manifest, sources=(school.course_data, school.content, school.public, *school.themes))
    lock, before = school.course_data / LOCK, _last_build(manifest)
    # Where the lock file is missing, what the last build published stands in for it.
    earlier = lock_of(lock, before.catalog.courses) if before is not None and not lock.exists() else None
    loaded = load_school(school, now=now, earlier=earlier)
    catalog = loaded.catalog.at(now)
    compiled = compile_manifest(loaded.catalog, find_commit(school.course_data))
    became_due = before and any(before.built_at < moment <= now for moment, _ in loaded.dates())
    if before is not None and _is_the_same(before, compiled) and not became_due:
        compiled = before  # building twice is building once
    _forget_interrupted(manifest.parent)
    with tempfile.TemporaryDirectory(prefix=_BUILDING, dir=manifest.parent) as folder:
        rendered = Path(folder) / "site"
        renderer = SiteRenderer(Kept(school.kept))
        pages = _write(render(school, loaded, site_url=site_url, now=now, renderer=renderer), rendered)
        _check_theme_links(rendered)
        found = find_leaks(FolderFiles(rendered), private_of(school, catalog), Kept(school.kept))
        sources = sources_of(school, loaded) if found.refused or found.told else {}
        if found.refused:
            raise SiteLeaks(traced(found.refused, sources, school.root))
        if for_visitors and catalog.site.search and can_search():
            try:
                add_search(rendered, school.search, catalog.site.language)
            except SearchFailed as error:
                raise BuildFailed(str(error)) from error
        yield Prepared(
            folder=rendered,
            manifest=compiled,
            catalog=catalog,
            content=loaded.content.shown(now),
            site_url=site_url or catalog.site.url,
            pages=pages,
            told=tuple(traced(found.told, sources, school.root)),
            unfinished=(*placeholders(catalog, loaded.content.shown(now)), *useless_parts(school.themes)),
            unlinked=_unlinked(rendered, loaded.content.shown(now)),
            untranslated=tuple((name, each) for name, said in renderer.untranslated().items() for each in said),
            due=next((moment.timestamp() for moment, _ in loaded.dates() if moment > now), None),
            earlier=earlier,
        )


def _forget_interrupted(folder: Path) -> None:
    """Remove what a build left behind that was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(f"{_BUILDING}*"):
        if time.time() - path.stat().st_mtime > _KILLED_AFTER:
            shutil.rmtree(path, ignore_errors=True)


def publish_prepared(
    school: School, prepared: Prepared, put: Callable[[Path], Publishing], *, manifest: Path, rehearsal: bool
) -> Built:
    """Put a prepared site where it is read, and then its catalogue. Raises OutputRefused."""
    catalog = prepared.catalog
    with one_at_a_time(manifest.parent):
        keep_private_files(school, catalog, private_folder(manifest))
        _keep_drafts(school, prepared, drafts_folder(manifest))
        published = put(prepared.folder)
        write_manifest(prepared.manifest, manifest)  # after the pages: a price is charged once its page shows it
        if not rehearsal:
            write_lock(prepared.earlier or read_lock(school.course_data / LOCK), catalog.courses)
    return Built(
        courses=len(catalog.published),
        retired=sum(course.status == "retired" for course in catalog.courses),
        drafts=sum(course.status == "draft" for course in catalog.courses),
        lessons=sum(len(course.lessons) for course in catalog.published),
        pages=prepared.pages,
        changed=published.changed,
        version=prepared.manifest.version,
        told=prepared.told,
        foreign=published.foreign,
        unfinished=prepared.unfinished,
        unlinked=prepared.unlinked,
        untranslated=prepared.untranslated,
        due=prepared.due,
    )


def render(
    school: School, loaded: Loaded, *, site_url: str | None, now: datetime, renderer: SiteRenderer | None = None
) -> Iterable[SiteFile]:
    """The public files of a school, as visitors see them at that moment. Raises BuildFailed."""
    public = public_view(loaded.catalog.at(now))
    source = Source(
        school.root,
        school.themes,
        school.public,
        site_url or loaded.catalog.site.url,
        school.variants,
        school.cards,
        read_history(school.root, school.history),
        now,
        loaded.catalog.site.search and can_search(),
        school.templates,
    )
    try:
        files = (renderer or SiteRenderer()).render(public, loaded.content.shown(now), source)
        yield from with_record(files, loaded.catalog.at(now), compile_manifest(loaded.catalog).version)
    except TemplateBroken as error:
        raise BuildFailed(str(error)) from error


def _write(files: Iterable[SiteFile], folder: Path) -> int:
    """Write all files; returns how many pages there are."""
    pages = 0
    written: set[str] = set()
    for file in files:
        if file.name in written:
            raise BuildFailed(f"public/{file.name} has the name of a page or file that the build makes. Rename it.")
        written.add(file.name)
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        pages += file.name.endswith(".html")
    return pages


def _check_theme_links(folder: Path) -> None:
    """Raise BuildFailed where a page that all pages link to is not there, such as the terms of sale."""
    home = (folder / "index.html").read_text(encoding="utf-8")
    problems = []
    for address in sorted(set(_OWN_LINK.findall(home))):
        target = folder / unquote(address).lstrip("/")
        if not (target / "index.html").is_file() and not target.is_file():
            name = unquote(address).strip("/")
            problems.append(
                f"Every page links to {address}, and there is no such page. Write content/pages/{name}.md, or change "
                "the theme’s header and footer."
            )
    if problems:
        raise BuildFailed("\n".join(problems))


def _unlinked(folder: Path, content: Content) -> tuple[str, ...]:
    """Pages that nobody finds, since neither a menu nor a text leads to them."""
    waiting = {page.address: page.file for page in content.pages}
    places = (
        path
        for where in ("", "courses/", "courses/*/", "news/", "news/*/")
        for path in folder.glob(f"{where}index.html")
    )
    for path in {*places, *(folder / urls.save_as(each) for each in waiting)}:
        name, html = path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")
        for address in _OWN_LINK.findall(html):
            if urls.save_as(address if address.endswith("/") else f"{address}/") != name:
                waiting.pop(address if address.endswith("/") else f"{address}/", None)
    return tuple(sorted(waiting.values()))


def keep_private_files(school: School, catalog: Catalog, folder: Path) -> None:
    """Copy the pictures of paid texts to where the service reads them.

    None is removed: an owner may still be served an earlier form of a course, which shows them.
    """
    for course in catalog.courses:
        for file in (file for lesson in course.all_lessons for file in lesson.files):
            target = folder / file.name
            if not target.exists():
                folder.mkdir(parents=True, exist_ok=True, mode=0o750)
                draft = folder / f"{file.name}.{os.getpid()}.new"
                shutil.copyfile(school.root / file.file, draft)
                draft.replace(target)


def _keep_drafts(school: School, prepared: Prepared, folder: Path) -> None:
    """Write the pages of drafts, and remove those of what is no draft any more; nobody else writes there."""
    source = Source(
        school.root, school.themes, school.public, prepared.site_url, school.variants, templates=school.templates
    )
    written = set()
    for slug, file in draft_pages(prepared.catalog, prepared.content, source):
        path = folder / slug / file.name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        path.write_bytes(file.content)
        written.add(path)
    for path in [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else ():
        if path not in written:
            path.unlink()


def sources_of(school: School, loaded: Loaded) -> dict[str, list[str]]:
    """By page: the files of the school that it is made of. A lesson's own notes are not among them."""
    made_of = {urls.course(course.slug): _texts_of(school, course.folder) for course in loaded.catalog.courses}
    made_of |= {page.address: [page.file] for page in (*loaded.content.pages, *loaded.content.posts)}
    return {
        name: files
        for address, files in made_of.items()
        for name in (urls.save_as(address), unquote(urls.twin(address)).lstrip("/"))
    }


def _texts_of(school: School, folder: str) -> list[str]:
    found = sorted(path for path in (school.root / folder).glob("*") if path.suffix in (".yaml", ".md"))
    return [path.relative_to(school.root).as_posix() for path in found]


def private_of(school: School, catalog: Catalog) -> Private:
    """What must not be in the site; the theme's words and those of the school's own pages are public on purpose."""
    paid = school.paid_files
    files = [
        (path, f"the paid file {path.relative_to(paid)}")
        for path in sorted(paid.rglob("*"))
        if path.is_file() and path.suffix not in (".m4s", ".ts")  # thousands of parts of videos, named by playlists
    ]
    for course in catalog.courses:
        for lesson in course.all_lessons:
            files += [(school.root / each.file, f"a picture of lesson {lesson.id}") for each in lesson.files]
    trusted = [path for theme in school.themes for path in (theme / "templates").rglob("*.html")]
    trusted += (school.content / "pages").rglob("*.md")
    public = (path.read_text(encoding="utf-8") for path in trusted if path.is_file())
    return private_parts(catalog, files, public, Kept(school.kept))


def _last_build(manifest: Path) -> Manifest | None:
    """What was built before; None for the first build, or where another version of this program wrote it."""
    try:
        return read_manifest(manifest)
    except ManifestUnreadable:
        return None


def _is_the_same(one: Manifest, other: Manifest) -> bool:
    """Whether they differ in the moment of the build alone."""
    moment = other.built_at
    return one.model_copy(update={"built_at": moment}) == other
