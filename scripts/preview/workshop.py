"""The school as its creator sees it: drafts and what comes later are there, and marked; faults do not stop it."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sitegen.build import BuildFailed, keep_private_files
from sitegen.catalog import model
from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.manifest import compile_manifest, private_folder, write_manifest
from sitegen.catalog.public import PublicCatalog, public_view
from sitegen.content.load import Content
from sitegen.load import Loaded, load_school
from sitegen.school import School
from sitegen.site.page import Whole
from sitegen.site.pages import all_pages
from sitegen.site.render import SiteRenderer, Source, TemplateBroken


@dataclass(frozen=True)
class Problem:
    """Something to mend, with its place where it has one."""

    place: str
    problem: str
    remedy: str


@dataclass
class Workshop:
    """Builds in memory, again and again; what did not change is not rendered again."""

    school: School
    url: str
    manifest: Path
    files: dict[str, bytes] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    courses: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    version: int = 0
    _renderer: SiteRenderer = field(default_factory=SiteRenderer)
    _loaded: Loaded | None = None
    _everything: model.Catalog | None = None
    _manifest_version: str = ""

    def build(self) -> None:
        """Read the files and render what changed. Where they have faults, the last good pages stay."""
        began, now = time.perf_counter(), datetime.now(UTC)
        self.problems = []
        try:
            self._loaded = load_school(self.school, now=now, known=self._loaded)
            everything = _everything(self._loaded)
            public = public_view(everything.catalog)
            source = Source(self.school.root, self.school.themes, self.school.public, self.url)
            self.files = {file.name: file.content for file in self._renderer.render(public, everything.content, source)}
        except CatalogInvalid as error:
            self.problems = [
                Problem(f"{each.file}:{each.line}:{each.column}", each.problem, each.remedy) for each in error.faults
            ]
        except TemplateBroken as error:
            self.problems = [Problem("", str(error), "Correct the template.")]
        except (BuildFailed, OSError) as error:
            self.problems = [Problem("", str(error), "Save again once it is there.")]
        else:
            shown = Loaded(self._loaded.catalog.at(now), self._loaded.content.shown(now))
            is_all = everything.catalog == shown.catalog and everything.content == shown.content
            self.hidden = frozenset() if is_all else _hidden(public, everything.content, shown)
            self.courses = [(course.slug, course.title) for course in public.courses]
            self._everything = everything.catalog
        self.seconds = time.perf_counter() - began
        self.version += 1

    def notes(self, course: str, lesson: str) -> str | None:
        """The notes of a lesson as they are now; None where they show private pictures, which the service signs."""
        for each in self._everything.courses if self._everything else ():
            if each.slug == course:
                for one in each.lessons:
                    if one.slug == lesson and not one.files:
                        return one.notes_html
        return None

    def keep_manifest(self) -> None:
        """For the service, which shows lessons to the buyer; written only when it differs."""
        if (catalog := self._everything) is None:
            return
        compiled = compile_manifest(catalog)
        if compiled.version != self._manifest_version:
            keep_private_files(self.school, catalog, private_folder(self.manifest))
            write_manifest(compiled, self.manifest)
            self._manifest_version = compiled.version


def _everything(loaded: Loaded) -> Loaded:
    """The school as if all of it were published."""

    def shown(lesson: model.Lesson) -> model.Lesson:
        is_shown = lesson.published and lesson.publish_at is None
        return lesson if is_shown else lesson.model_copy(update={"published": True, "publish_at": None})

    courses = []
    for course in loaded.catalog.courses:
        status = "published" if course.status == "draft" else course.status
        changed = course.with_lessons(shown).model_copy(update={"status": status, "publish_at": None})
        courses.append(course if changed == course else changed)  # the same object costs nothing to compare
    return Loaded(loaded.catalog.model_copy(update={"courses": tuple(courses)}), loaded.content)


def _hidden(everything: PublicCatalog, content: Content, shown: Loaded) -> frozenset[str]:
    """Addresses that visitors do not have yet."""
    theirs = {page.url for page in all_pages(Whole(public_view(shown.catalog), ""), shown.content)}
    return frozenset({page.url for page in all_pages(Whole(everything, ""), content)} - theirs)
