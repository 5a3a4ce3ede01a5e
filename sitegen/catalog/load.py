"""Course files → Catalog. Finds every fault of every file in one run, and raises if there are any."""

import hashlib
import re
from pathlib import Path
from typing import TypeVar

from sitegen.catalog import model
from sitegen.catalog.captions import CaptionsInvalid, parse_vtt
from sitegen.catalog.course_file import (
    IDENTIFIER,
    CourseFile,
    InstructorFile,
    LessonFile,
    ModuleFile,
    PriceFile,
    ResourceFile,
    SiteFile,
    Typed,
)
from sitegen.catalog.faults import CatalogInvalid, Fault
from sitegen.catalog.lock_file import NAME as LOCK
from sitegen.catalog.lock_file import Lock, read_lock
from sitegen.catalog.lock_rules import check_against_lock
from sitegen.catalog.markdown import render
from sitegen.catalog.redirects import find_redirects
from sitegen.catalog.rules import Loaded, check_catalog, check_course
from sitegen.catalog.validate import check_shape
from sitegen.catalog.yaml_source import Place, YamlSource, read_yaml

Compiled = TypeVar("Compiled", bound=model.Compiled)


def load_catalog(root: Path, *, earlier: Lock | None = None) -> model.Catalog:
    """Read `root/site.yaml` and `root/courses/*/course.yaml`, and hold them against `root/published.lock`.

    `earlier` stands for a lock file that is missing. Raises CatalogInvalid with all faults at once.
    """
    site_source = read_yaml(root / "site.yaml")
    site_file = check_shape(SiteFile, site_source)
    sources = [site_source]
    loaded: list[Loaded] = []
    compiled: list[model.Course] = []
    for folder in sorted(path for path in (root / "courses").glob("*") if path.is_dir()):
        source = read_yaml(folder / "course.yaml")
        sources.append(source)
        if not re.fullmatch(IDENTIFIER, folder.name):
            source.faults.append(
                Fault(
                    folder,
                    1,
                    1,
                    f"The folder “{folder.name}” cannot be part of a URL.",
                    "Rename it, using lower-case letters, digits and single hyphens.",
                )
            )
        course_file = check_shape(CourseFile, source)
        if course_file is None:
            continue
        loaded.append((course_file, source))
        check_course(course_file, source, site_file)
        if site_file:
            compiled.append(_Compiler(root, source, site_file).course(course_file))
    check_catalog(loaded)
    site = _Compiler(root, site_source, site_file).site(site_file) if site_file else None
    lock = read_lock(root / LOCK) if earlier is None else earlier
    if site_file and not lock.faults and len(loaded) == len(sources) - 1:
        check_against_lock(lock, site_file, loaded, compiled)
    faults = [*lock.faults, *(fault for source in sources for fault in source.faults)]
    if faults or site is None:
        raise CatalogInvalid(faults)
    courses = tuple(sorted(compiled, key=lambda course: course.title.casefold()))
    return model.Catalog(site=site, courses=courses, redirects=find_redirects(lock, site, courses))


def _compiled(shape: type[Compiled], file: Typed, **resolved: object) -> Compiled:
    """A compiled shape: what had to be resolved is given, and the other fields are copied from the file by name."""
    names = shape.model_fields.keys() & type(file).model_fields.keys()
    return shape.model_validate({name: getattr(file, name) for name in names} | resolved)


class _Compiler:
    """Resolves the files that one YAML file names, and adds faults for those that are missing."""

    def __init__(self, root: Path, source: YamlSource, site: SiteFile | None) -> None:
        self.root = root
        self.source = source
        self.folder = source.path.parent
        self.instructors = {instructor.id: instructor for instructor in site.instructors} if site else {}

    def site(self, file: SiteFile) -> model.Site:
        for number, instructor in enumerate(file.instructors):
            self._photo(instructor, ("instructors", number, "photo"))
        logo = self._picture(file.logo, ("logo",)) if file.logo else None
        return _compiled(model.Site, file, logo=logo, brand_color=file.brand.color, brand_accent=file.brand.accent)

    def course(self, file: CourseFile) -> model.Course:
        description = self._text(file.description, ("description",))
        return _compiled(
            model.Course,
            file,
            slug=file.slug or self.folder.name,
            description_markdown=description,
            description_html=render(description),
            instructor=self._instructor(file.instructor),
            thumbnail=self._picture(file.thumbnail, ("thumbnail",)),
            price=_compiled(model.Price, file.price) if isinstance(file.price, PriceFile) else None,
            partial_refund_keeps_access=file.partial_refund == "keeps",
            intro_video=_compiled(model.IntroVideo, file.intro_video) if file.intro_video else None,
            questions=[_compiled(model.Question, each, answer_html=render(each.answer)) for each in file.questions],
            resources=self._resources(file.resources),
            modules=[self._module(module, ("modules", n)) for n, module in enumerate(file.modules)],
        )

    def _instructor(self, identifier: str) -> model.Instructor:
        file = self.instructors.get(identifier) or InstructorFile(id=identifier, name=identifier)
        # The photo is beside site.yaml; loading that file reports a missing one.
        photo = _Compiler(self.root, YamlSource(self.root / "site.yaml"), None)._photo(file, ())
        return _compiled(model.Instructor, file, bio_html=render(file.bio), photo=photo)

    def _photo(self, file: InstructorFile, place: Place) -> model.Picture | None:
        return self._picture(file.photo, place) if file.photo else None

    def _module(self, file: ModuleFile, place: Place) -> model.Module:
        return _compiled(
            model.Module,
            file,
            lessons=[self._lesson(lesson, (*place, "lessons", n)) for n, lesson in enumerate(file.lessons)],
            resources=self._resources(file.resources),
        )

    def _lesson(self, file: LessonFile, place: Place) -> model.Lesson:
        notes = self._text(file.notes, (*place, "notes")) if file.notes else None
        return _compiled(
            model.Lesson,
            file,
            notes_markdown=notes,
            notes_html=render(notes) if notes else None,
            captions=[
                model.Captions(language=language, vtt=self._captions(name, (*place, "captions", language)))
                for language, name in file.captions.items()
            ],
            chapters=[_compiled(model.Chapter, chapter) for chapter in file.chapters],
            resources=self._resources(file.resources),
        )

    def _resources(self, files: list[ResourceFile]) -> list[model.Resource]:
        return [_compiled(model.Resource, file, size=file.size or self._size(file.key)) for file in files]

    def _size(self, key: str) -> int | None:
        path = self.root / "files" / key
        return path.stat().st_size if path.is_file() else None

    def _text(self, value: str, place: Place) -> str:
        """A long text: the content of the Markdown file it names, or the text itself."""
        if "\n" in value or not value.endswith(".md"):
            return value
        path = self._file(value, place)
        return path.read_text(encoding="utf-8") if path else ""

    def _picture(self, value: str, place: Place) -> model.Picture:
        path = self._file(value, place)
        if path is None:
            return model.Picture(file=value, address="")
        file = path.resolve().relative_to(self.root.resolve()).as_posix()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        return model.Picture(file=file, address=f"/assets/pictures/{path.stem}.{digest}{path.suffix}")

    def _captions(self, value: str, place: Place) -> str:
        path = self._file(value, place)
        if not path:
            return ""
        text = path.read_text(encoding="utf-8")
        try:
            parse_vtt(text)
        except CaptionsInvalid as error:
            self.source.faults.append(Fault(path, error.line, 1, f"Not WebVTT: {error}.", "Fix this line."))
        return text

    def _file(self, value: str, place: Place) -> Path | None:
        """The file a value names, inside this folder; None, with a fault, when there is none."""
        path = self.folder / value
        folder = self.folder.resolve()
        if not path.resolve().is_relative_to(folder):
            self._add(place, f"“{value}” is outside this folder.", f"Move the file into {self.folder}.")
        elif not path.is_file():
            self._add(place, f"The file “{value}” is missing.", f"Create {path}, or fix the name.")
        else:
            return path
        return None

    def _add(self, place: Place, problem: str, remedy: str) -> None:
        self.source.faults.append(self.source.fault(place, problem, remedy))
