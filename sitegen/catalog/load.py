"""Course files → Catalog. Every fault of every file is found in one run, and nothing is returned while one is left."""

import hashlib
import re
from pathlib import Path

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
)
from sitegen.catalog.faults import CatalogInvalid, Fault
from sitegen.catalog.markdown import render
from sitegen.catalog.rules import Loaded, check_catalog, check_course
from sitegen.catalog.shapes import check_shape
from sitegen.catalog.yaml_source import Place, YamlSource, read_yaml


def load_catalog(root: Path) -> model.Catalog:
    """Read `root/site.yaml` and `root/courses/*/course.yaml`. Raises CatalogInvalid with all faults at once."""
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
                    f"The folder “{folder.name}” cannot become an address.",
                    "Rename it: lower-case letters, digits and single hyphens.",
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
    faults = [fault for source in sources for fault in source.faults]
    if faults or site is None:
        raise CatalogInvalid(faults)
    return model.Catalog(site=site, courses=tuple(sorted(compiled, key=lambda course: course.title.casefold())))


class _Compiler:
    """Resolves the files one YAML file names, adding to its faults those that are missing."""

    def __init__(self, root: Path, source: YamlSource, site: SiteFile | None) -> None:
        self.root = root
        self.source = source
        self.folder = source.path.parent
        self.instructors = {instructor.id: instructor for instructor in site.instructors} if site else {}

    def site(self, file: SiteFile) -> model.Site:
        for number, instructor in enumerate(file.instructors):
            self._photo(instructor, ("instructors", number, "photo"))
        return model.Site(
            name=file.name,
            tagline=file.tagline,
            description=file.description,
            url=file.url,
            language=file.language,
            contact_email=file.contact_email,
            timezone=file.timezone,
            promotion_codes=file.promotion_codes,
            logo=self._picture(file.logo, ("logo",)) if file.logo else None,
            brand_color=file.brand.color,
            brand_accent=file.brand.accent,
        )

    def course(self, file: CourseFile) -> model.Course:
        description = self._text(file.description, ("description",))
        price = file.price
        return model.Course(
            id=file.id,
            slug=file.slug or self.folder.name,
            title=file.title,
            summary=file.summary,
            description_markdown=description,
            description_html=render(description),
            published=file.status == "published",
            level=file.level,
            instructor=self._instructor(file.instructor),
            tags=tuple(file.tags),
            thumbnail=self._picture(file.thumbnail, ("thumbnail",)),
            thumbnail_alt=file.thumbnail_alt,
            price=model.Price(amount=price.amount, currency=price.currency) if isinstance(price, PriceFile) else None,
            partial_refund_keeps_access=file.partial_refund == "keeps",
            intro_video=model.IntroVideo(video=file.intro_video.video, duration=file.intro_video.duration)
            if file.intro_video
            else None,
            outcomes=tuple(file.outcomes),
            requirements=tuple(file.requirements),
            questions=tuple(
                model.Question(question=entry.question, answer_html=render(entry.answer)) for entry in file.questions
            ),
            resources=self._resources(file.resources),
            modules=tuple(self._module(module, ("modules", n)) for n, module in enumerate(file.modules)),
        )

    def _instructor(self, identifier: str) -> model.Instructor:
        file = self.instructors.get(identifier) or InstructorFile(id=identifier, name=identifier)
        # The photo stands beside site.yaml, which reports it where it is missing.
        photo = _Compiler(self.root, YamlSource(self.root / "site.yaml"), None)._photo(file, ())
        return model.Instructor(id=file.id, name=file.name, role=file.role, bio_html=render(file.bio), photo=photo)

    def _photo(self, file: InstructorFile, place: Place) -> model.Picture | None:
        return self._picture(file.photo, place) if file.photo else None

    def _module(self, file: ModuleFile, place: Place) -> model.Module:
        return model.Module(
            id=file.id,
            title=file.title,
            summary=file.summary,
            lessons=tuple(self._lesson(lesson, (*place, "lessons", n)) for n, lesson in enumerate(file.lessons)),
            resources=self._resources(file.resources),
        )

    def _lesson(self, file: LessonFile, place: Place) -> model.Lesson:
        notes = self._text(file.notes, (*place, "notes")) if file.notes else None
        return model.Lesson(
            id=file.id,
            slug=file.slug,
            title=file.title,
            summary=file.summary,
            notes_markdown=notes,
            notes_html=render(notes) if notes else None,
            video=file.video,
            duration=file.duration,
            preview=file.preview,
            published=file.published,
            captions=tuple(
                model.Captions(language=language, vtt=self._captions(name, (*place, "captions", language)))
                for language, name in file.captions.items()
            ),
            chapters=tuple(model.Chapter(start=chapter.start, title=chapter.title) for chapter in file.chapters),
            resources=self._resources(file.resources),
        )

    def _resources(self, files: list[ResourceFile]) -> tuple[model.Resource, ...]:
        return tuple(
            model.Resource(
                id=file.id, name=file.name, key=file.key, type=file.type, size=file.size or self._size(file.key)
            )
            for file in files
        )

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
            self.source.faults.append(Fault(path, error.line, 1, f"Not WebVTT: {error}.", "Mend this line."))
        return text

    def _file(self, value: str, place: Place) -> Path | None:
        """The file a value names, inside this folder; None, with a fault, when there is none."""
        path = self.folder / value
        folder = self.folder.resolve()
        if not path.resolve().is_relative_to(folder):
            self._add(place, f"“{value}” lies outside this folder.", f"Move the file below {self.folder}.")
        elif not path.is_file():
            self._add(place, f"The file “{value}” is missing.", f"Create {path}, or correct the name.")
        else:
            return path
        return None

    def _add(self, place: Place, problem: str, remedy: str) -> None:
        self.source.faults.append(self.source.fault(place, problem, remedy))
