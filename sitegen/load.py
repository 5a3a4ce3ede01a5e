"""A whole school, read and checked: course files, pages and posts, and the links between all of them."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import unquote

from sitegen import urls
from sitegen.catalog.faults import CatalogInvalid, Fault
from sitegen.catalog.library import External, Library
from sitegen.catalog.load import read_catalog
from sitegen.catalog.lock_file import Lock
from sitegen.catalog.model import Catalog
from sitegen.catalog.public import public_view
from sitegen.catalog.words import WordsUnreadable, read_words
from sitegen.content.load import Content, ContentReader
from sitegen.kept import Kept
from sitegen.school import School
from sitegen.site.page import Whole
from sitegen.site.pages import all_pages


@dataclass(frozen=True)
class Loaded:
    """What the files of a school say."""

    catalog: Catalog
    content: Content
    external: tuple[External, ...] = ()

    def dates(self) -> list[tuple[datetime, str]]:
        """When something is published, and what, in the order of time."""
        return sorted([*self.catalog.dates(), *self.content.dates()])


def load_school(school: School, *, now: datetime, earlier: Lock | None = None, known: Loaded | None = None) -> Loaded:
    """Raises CatalogInvalid with every fault of every file. `earlier` stands for a lock file that is missing.

    Courses that are equal to those of `known` are the very same objects, so that comparing them costs nothing.
    """
    library = Library(school.root, (school.course_data, school.content), school.paid_files)
    reader = ContentReader(school.content, library)
    catalog, faults = read_catalog(school.course_data, library, now=now, earlier=earlier, kept=Kept(school.kept))
    content = reader.read(catalog.site.timezone if catalog else "UTC")
    faults += reader.faults
    faults += library.finish(_Addresses(school, catalog, content).__contains__ if catalog else None)
    if faults or catalog is None:
        raise CatalogInvalid(faults)
    own = [school.own_theme / "locales"]
    languages = {catalog.site.language, *(each.language for each in catalog.courses if each.language)}
    try:
        words = read_words(own, sorted(languages))
    except WordsUnreadable as error:
        raise CatalogInvalid([Fault(error.path, error.line, 1, str(error), error.remedy)]) from None
    if words:
        catalog = catalog.model_copy(update={"site": catalog.site.model_copy(update={"words": words})})
    if known is not None:
        before = {course.id: course for course in known.catalog.courses}
        same = tuple(old if (old := before.get(new.id)) == new else new for new in catalog.courses)
        catalog = catalog.model_copy(update={"courses": same})
    return Loaded(catalog, content, tuple(each for each in library.records if isinstance(each, External)))


@dataclass(frozen=True)
class _Addresses:
    """Every address that a link may lead to; hidden pages too, since they will be there. Listed when first asked."""

    school: School
    catalog: Catalog
    content: Content

    def __contains__(self, address: str) -> bool:
        return address in self._known

    @cached_property
    def _known(self) -> set[str]:
        pages = all_pages(Whole(public_view(self.catalog), ""), self.content)
        known = {page.url for page in pages} | {"/news/feed.atom", urls.ANY_LESSON}
        public = self.school.public
        if public.is_dir():
            known |= {f"/{path.relative_to(public).as_posix()}" for path in public.rglob("*")}
        known = {unquote(address) for address in known}
        return known | {address.removesuffix("/") for address in known}
