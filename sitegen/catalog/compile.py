"""One checked file → compiled shapes: the files it names are read, its texts rendered."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sitegen.catalog import model
from sitegen.catalog.captions import CaptionsInvalid, parse_vtt
from sitegen.catalog.course_file import (
    CourseFile,
    LessonFile,
    ModuleFile,
    PriceFile,
    ResourceFile,
    TestimonialFile,
    Typed,
)
from sitegen.catalog.faults import Fault
from sitegen.catalog.library import Library, Rendered
from sitegen.catalog.pictures import FileRefused, find_file, picture_size
from sitegen.catalog.reviews_file import REVIEWS, ReviewsFile
from sitegen.catalog.site_file import InstructorFile
from sitegen.catalog.slugs import slug_of
from sitegen.catalog.text_files import Unreadable, read_text
from sitegen.catalog.validate import read_shape
from sitegen.catalog.yaml_source import Place, YamlSource

_FILE = re.compile(r"[^\s]*[^\s.]\.[A-Za-z]{2,8}|\.{0,2}/?[\w./-]*/[\w./-]*")  # a name with an ending, or a path

Compiled = TypeVar("Compiled", bound=model.Compiled)


def is_file_name(value: str) -> bool:
    """Whether a long text is the name of a Markdown file, and not the text itself."""
    return "\n" not in value and value.endswith(".md")


def compiled(shape: type[Compiled], file: Typed, **resolved: object) -> Compiled:
    """A compiled shape: what had to be resolved is given, and the other fields are copied from the file by name."""
    names = shape.model_fields.keys() & type(file).model_fields.keys()
    return shape.model_validate({name: getattr(file, name) for name in names} | resolved)


class Compiler:
    """Resolves what one YAML file names, and adds a fault for whatever is missing or wrong."""

    def __init__(
        self,
        root: Path,
        source: YamlSource,
        instructors: Mapping[str, InstructorFile],
        library: Library,
        zone: ZoneInfo,
    ) -> None:
        self.root = root
        self.source = source
        self.folder = source.path.parent
        self.library = library
        self.instructors = instructors
        self.zone = zone
        self.language: str | None = None  # of a course's texts, where it is not the school's
        self._pictures: list[model.Picture] = []

    def course(self, file: CourseFile) -> model.Course:
        """The course."""
        self.language = file.language
        description, described = self._text(file.description, ("description",))
        resolved = {
            "slug": slug_of(file.slug, self.folder.name),
            "description_markdown": description,
            "description_html": described.html,
            "instructor": self._instructor_of_course(file.instructor),
            "thumbnail": self._picture(file.thumbnail, ("thumbnail",)),
            "price": compiled(model.Price, file.price) if isinstance(file.price, PriceFile) else None,
            "partial_refund_keeps_access": file.partial_refund == "keeps",
            "intro_video": compiled(model.IntroVideo, file.intro_video) if file.intro_video else None,
            "folder": self.folder.relative_to(self.root.parent).as_posix(),
            "share_picture": self._picture(file.share_picture, ("share_picture",)) if file.share_picture else None,
            "testimonials": self._testimonials(file.testimonials),
            "questions": [
                compiled(model.Question, each, answer_html=self._text(each.answer, ("questions", n, "answer"))[1].html)
                for n, each in enumerate(file.questions)
            ],
            "publish_at": self._moment(file.publish_at),
            "reviews": self._reviews(),
            "resources": self._resources(file.resources),
            "modules": [self._module(module, ("modules", n)) for n, module in enumerate(file.modules)],
        }
        return compiled(model.Course, file, **resolved, pictures=tuple(dict.fromkeys(self._pictures)))

    def _testimonials(self, files: list[TestimonialFile]) -> list[model.Testimonial]:
        return [
            compiled(
                model.Testimonial, each, picture=self._shown_picture(each.picture, ("testimonials", number, "picture"))
            )
            for number, each in enumerate(files)
        ]

    def _shown_picture(self, value: str | None, place: Place) -> model.Picture | None:
        """A picture that a page shows; it is among the pictures of what is compiled."""
        if value is None:
            return None
        picture = self._picture(value, place)
        self._pictures.append(picture)
        return picture

    def _reviews(self) -> list[model.Review]:
        """What is shown of the file beside the course, the newest first."""
        path = self.folder / REVIEWS
        if not path.is_file():
            return []
        source, file = read_shape(ReviewsFile, path)
        seen: set[str] = set()
        for number, each in enumerate(file.reviews if file else ()):
            if each.id in seen:
                problem = f"The review “{each.id}” is there twice."
                source.faults.append(source.fault(("reviews", number, "id"), problem, "Delete one of the two."))
            seen.add(each.id)
        self.source.faults += source.faults
        shown = [compiled(model.Review, each) for each in (file.reviews if file else ()) if each.status == "shown"]
        return sorted(shown, key=lambda review: review.day, reverse=True)

    def _instructor_of_course(self, identifier: str) -> model.Instructor:
        file = self.instructors.get(identifier) or InstructorFile(id=identifier, name=identifier)
        # What is wrong with an instructor is reported once, with site.yaml.
        silent = Compiler(self.root, YamlSource(self.root / "site.yaml"), {}, self.library, self.zone)
        silent.language = self.language
        instructor = silent._instructor(file, ())
        self._pictures += silent._pictures
        return instructor

    def _instructor(self, file: InstructorFile, place: Place) -> model.Instructor:
        _, bio = self._text(file.bio, (*place, "bio")) if file.bio else ("", Rendered())
        photo = self._picture(file.photo, (*place, "photo")) if file.photo else None
        return compiled(model.Instructor, file, bio_html=bio.html, photo=photo)

    def _module(self, file: ModuleFile, place: Place) -> model.Module:
        return compiled(
            model.Module,
            file,
            lessons=[self._lesson(lesson, (*place, "lessons", n)) for n, lesson in enumerate(file.lessons)],
            resources=self._resources(file.resources),
        )

    def _lesson(self, file: LessonFile, place: Place) -> model.Lesson:
        rendered = Rendered()
        if file.notes:
            _, rendered = self._text(file.notes, (*place, "notes"), public=file.preview)
        return compiled(
            model.Lesson,
            file,
            notes_markdown=rendered.markdown if file.notes else None,
            notes_html=rendered.html if file.notes else None,
            captions=[
                model.Captions(language=language, vtt=self._captions(name, (*place, "captions", language)))
                for language, name in file.captions.items()
            ],
            chapters=[compiled(model.Chapter, chapter) for chapter in file.chapters],
            resources=self._resources(file.resources),
            files=rendered.private_files,
            publish_at=self._moment(file.publish_at),
        )

    def _moment(self, written: datetime | None) -> datetime | None:
        return written.replace(tzinfo=self.zone) if written else None

    def _resources(self, files: list[ResourceFile]) -> list[model.Resource]:
        return [compiled(model.Resource, file, size=file.size or self._size(file.key)) for file in files]

    def _size(self, key: str) -> int | None:
        path = self.root / "files" / key
        return path.stat().st_size if path.is_file() else None

    def _text(self, value: str, place: Place, *, public: bool = True) -> tuple[str, Rendered]:
        """A long text, as it is written and rendered: the content of the Markdown file it names, or the text itself."""
        path = self.folder / value if is_file_name(value) else None
        text = value
        if path is None and _FILE.fullmatch(value):
            problem = f"“{value}” looks like the name of a file, and long texts are Markdown files."
            self._add(place, problem, "Rename the file so that it ends in .md, or write the text itself.")
            return "", Rendered()
        if path is not None:
            read = self._read(value, place)
            if read is None:
                return "", Rendered()
            path, text = read
            if text.startswith("---\n") and "\n---\n" in text[3:]:
                problem = "This text begins with front matter."
                remedy = "Delete the lines up to the second “---”: title and the like are fields of course.yaml."
                self.source.faults.append(Fault(path, 1, 1, problem, remedy))
        start = self.source.fault(place, "", "")
        within = start.line if "\n" in value else start.line - 1  # a block begins on the line after its key

        def where(line: int, column: int) -> tuple[Path, int, int]:
            return (path, line, column) if path is not None else (self.source.path, within + line, column)

        folder = path.parent if path is not None else self.folder
        rendered = self.library.render(
            text, folder=folder, place=where, public=public, path=path, language=self.language
        )
        self.source.faults += rendered.faults
        self._pictures += rendered.public_files
        return text, rendered

    def _picture(self, value: str, place: Place) -> model.Picture:
        path = self._file(value, place)
        if path is None:
            return model.Picture(file=value, address="")
        try:
            picture_size(path)
        except FileRefused as error:
            self._add(place, f"{error}", error.remedy)
            return model.Picture(file=value, address="")
        return self.library.public_picture(path)

    def _captions(self, value: str, place: Place) -> str:
        read = self._read(value, place)
        if read is None:
            return ""
        path, text = read
        try:
            parse_vtt(text)
        except CaptionsInvalid as error:
            self.source.faults.append(Fault(path, error.line, 1, f"Not WebVTT: {error}.", "Fix this line."))
        return text

    def _read(self, value: str, place: Place) -> tuple[Path, str] | None:
        path = self._file(value, place)
        if path is None:
            return None
        try:
            return path, read_text(path)
        except Unreadable as error:
            self.source.faults.append(error.fault)
            return None

    def _file(self, value: str, place: Place) -> Path | None:
        """The file a value names, inside this folder; None, with a fault, when there is none."""
        try:
            return find_file(self.folder, value, roots=(self.folder,))
        except FileRefused as error:
            self._add(place, str(error), error.remedy)
            return None

    def _add(self, place: Place, problem: str, remedy: str) -> None:
        self.source.faults.append(self.source.fault(place, problem, remedy))
