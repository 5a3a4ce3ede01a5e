"""A folder of Markdown and media → courses: folders become modules, texts become lessons."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from sitegen.moving_in.boxes import write_boxes
from sitegen.moving_in.course import FoundCourse, FoundLesson, FoundModule, Lost
from sitegen.moving_in.dialects import convert
from sitegen.moving_in.links import Links
from sitegen.moving_in.mending import drop_missing_anchors, mend
from sitegen.moving_in.names import slug_for
from sitegen.moving_in.order import by_links, chapters, natural
from sitegen.moving_in.pages import LARGEST, Page, is_about_files, read_pages

_VIDEOS = {".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi"}


class NothingFound(Exception):
    """The folder has no texts; the message says so."""


class Tree:
    """The texts of a folder. `site` is where they are published, for links that lead out of the folder.

    `lost` gets what cannot be carried. Raises NothingFound.
    """

    def __init__(self, folder: Path, *, language: str, site: str, lost: list[Lost]) -> None:
        self.folder = folder
        self._language = language
        self._site = site
        self._lost = lost
        self._pages = {page.name: page for page in read_pages(folder, lost)}
        self._root = _common_folder(self._pages)
        self._text_names = _text_names(self._pages)
        self._links: Links | None = None
        if not self._pages:
            raise NothingFound(f"{folder} has no Markdown files (.md, .mdx).")

    def courses(self, slug: str, title: str, *, one_course: bool = False) -> list[FoundCourse]:
        """One course; or one for each folder, where most of them have folders of their own."""
        self._tell_videos()
        planned = self._several() if not one_course else []
        planned = planned or [(self._root, slug, title, self._lessons(self._root))]
        moved: dict[str, str] = {}
        for root, name, _, lessons in planned:
            moved |= {each: f"{name}/notes/{self._text_names[each]}" for each in lessons}
            if index := self._index(root):
                moved[index.name] = f"{name}/description.md"
        self._links = Links(self.folder, moved, self._site)
        courses = [self._course(*each) for each in planned]
        drop_missing_anchors(courses, self._language)
        return courses

    def _several(self) -> list[tuple[PurePosixPath, str, str, list[str]]]:
        """Folder, slug, title and lessons of each course; none where they look like one."""
        tops: dict[str, list[str]] = {}
        for name in self._lessons(self._root):
            parts = PurePosixPath(name).relative_to(self._root).parts
            tops.setdefault(parts[0] if len(parts) > 1 else "", []).append(name)
        folders = sorted((top for top in tops if top), key=natural)
        nested = [top for top in folders if _has_folders(tops[top], self._root / top)]
        if len(nested) < 2 or len(nested) * 2 < len(folders):
            return []
        for name in tops.get("", ()):
            self._lost.append(Lost(name, 0, "stands beside folders that became courses, and belongs to none"))
        planned = []
        for top in folders:
            root = self._root / top
            index = self._index(root)
            title = index.title if index and index.title else _pretty(top)
            planned.append((root, slug_for(top), title, self._lessons(root)))
        return planned

    def _lessons(self, root: PurePosixPath) -> list[str]:
        """The texts below a folder that are lessons: not its own index, and not what tells about pictures."""
        index = self._index(root)
        return [
            name
            for name, page in self._pages.items()
            if PurePosixPath(name).is_relative_to(root)
            and page is not index
            and not (page.is_index and not page.text.strip())
            and not is_about_files(name, self._pages, self.folder)
        ]

    def _index(self, place: PurePosixPath) -> Page | None:
        """The text that says what a folder is about."""
        pages = self._pages.values()
        return next((page for page in pages if page.is_index and PurePosixPath(page.name).parent == place), None)

    def _course(self, root: PurePosixPath, slug: str, title: str, names: Sequence[str]) -> FoundCourse:
        index = self._index(root)
        course = FoundCourse(slug, index.title if index and index.title else title)
        for key, heading, group in self._modules(root, names):
            lessons = [self._lesson(self._pages[name], f"{slug}/notes/{self._text_names[name]}") for name in group]
            course.modules.append(FoundModule(key, heading, lessons))
        if index is not None:
            course.description = self._text(index, f"{slug}/description.md")
            course.summary = index.summary
        _name_lessons(course)
        assert self._links is not None  # noqa: S101 - set before
        course.files = {f"notes/{name}": path for name, path in self._links.files_of(f"{slug}/").items()}
        return course

    def _modules(self, root: PurePosixPath, names: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
        """Key, title and lessons of each module: of each folder, or of each chapter of a single one."""
        groups: dict[PurePosixPath, list[str]] = {}
        for name in names:
            groups.setdefault(PurePosixPath(name).parent, []).append(name)
        contents = self._contents(root)
        for place in self._places(root, groups, contents):
            group = self._ordered(groups[place], self._contents(place) or contents)
            if len(groups[place]) > 8 and (found := chapters(group, {name: self._pages[name].text for name in group})):
                for head, members in found:
                    yield head or f"{place} start", self._pages[head].title if head else "Start", members
                continue
            index = next((self._pages[name] for name in group if self._pages[name].is_index), None) or self._index(
                place
            )
            inner = [_pretty(part) for part in place.relative_to(root).parts]
            named = index.title if index and index.title and place != root else ""
            yield place.as_posix(), named or " – ".join(inner) or "Lessons", group

    def _places(
        self, root: PurePosixPath, groups: dict[PurePosixPath, list[str]], contents: str
    ) -> list[PurePosixPath]:
        """Folders in their order: by the numbers of their indexes, by the table of contents, or by name."""
        places = sorted(groups, key=lambda each: natural(str(each)))
        numbers = {place: index.number for place in places if (index := self._index(place))}
        if places and all(numbers.get(place) is not None for place in places if place != root) and len(places) > 1:
            return sorted(places, key=lambda place: numbers.get(place) or 0)
        every = [name for place in places for name in groups[place]]
        if contents and (linked := by_links(every, contents)):
            return sorted(places, key=lambda place: min(linked.index(name) for name in groups[place]))
        return places

    def _contents(self, place: PurePosixPath) -> str:
        """The table of contents of a folder: SUMMARY.md, or its index."""
        tables = ("SUMMARY.md", "_sidebar.md", "_toc.md")
        whole = self.folder if place == self._root else self.folder / place
        for path in (folder / name for folder in (self.folder / place, whole) for name in tables):
            if path.is_file() and path.stat().st_size < LARGEST:
                return path.read_text(encoding="utf-8", errors="replace")
        index = self._index(place)
        return index.text if index else ""

    def _ordered(self, names: Sequence[str], contents: str) -> list[str]:
        pages = self._pages
        found = sorted(names, key=lambda name: (not pages[name].is_index, natural(PurePosixPath(name).stem)))
        if any(pages[name].number is not None for name in names):
            return sorted(found, key=lambda name: (not pages[name].is_index, pages[name].number or 0))
        if any(PurePosixPath(name).stem[0].isdigit() for name in names):
            return found
        return (by_links(found, contents) if contents else None) or found

    def _lesson(self, page: Page, at: str) -> FoundLesson:
        path = PurePosixPath(page.name)
        named = page.is_index or path.stem.lower() in ("index", "_index")
        name = path.parent.name if named and path.parent.name else path.stem
        return FoundLesson(
            key=page.name,
            title=page.title or _pretty(name),
            text=self._text(page, at),
            file=self._text_names[page.name],
            slug=slug_for(str(page.head.get("slug") or name).rstrip("/").rpartition("/")[2]),
            summary=page.summary,
            published=page.head.get("draft") is not True and page.head.get("published") is not False,
        )

    def _text(self, page: Page, at: str) -> str:
        def tell(line: int, what: str) -> None:
            self._lost.append(Lost(page.name, line + page.skipped if line else 0, what))

        assert self._links is not None  # noqa: S101 - set before
        text = convert(page.text, tell, is_mdx=page.name.endswith(".mdx"))
        text = write_boxes(self._links.rewrite(text, page.name, at, tell))
        text = mend(text, self._language, lambda what: tell(0, what))
        return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"

    def _tell_videos(self) -> None:
        for path in sorted(self.folder.rglob("*")):
            if path.suffix.lower() in _VIDEOS and path.is_file():
                name = path.relative_to(self.folder).as_posix()
                self._lost.append(Lost(name, 0, f"is a video: put it up with “coursewright media upload '{path}'”"))


def _common_folder(pages: dict[str, Page]) -> PurePosixPath:
    """The folder that all lessons are in: a repository often has them in `docs/` or `content/en/`."""
    names = [PurePosixPath(name) for name, page in pages.items() if not (page.is_index and "/" not in name)]
    root = PurePosixPath()
    while names:
        tops = {name.relative_to(root).parts[0] for name in names}
        if len(tops) != 1 or any(len(name.relative_to(root).parts) == 1 for name in names):
            return root
        root /= tops.pop()
    return root


def _has_folders(names: Sequence[str], folder: PurePosixPath) -> bool:
    parts = [PurePosixPath(name).relative_to(folder).parts for name in names]
    return len({each[0] for each in parts if len(each) > 1}) >= 2


def _name_lessons(course: FoundCourse) -> None:
    """Slugs that are used twice get their folder's name before them."""
    seen: set[str] = set()
    for lesson in course.lessons:
        if lesson.slug in seen:
            lesson.slug = slug_for(lesson.key.rpartition(".")[0])
        number = 2
        while lesson.slug in seen:
            lesson.slug = f"{lesson.slug.rpartition('-')[0] if number > 2 else lesson.slug[:60]}-{number}"
            number += 1
        seen.add(lesson.slug)


def _text_names(names: Iterable[str]) -> dict[str, str]:
    """Each text's file below `notes/`: `.mdx` becomes `.md`, unless there is such a file beside it."""
    taken: set[str] = set()
    found = {}
    for name in sorted(names, key=lambda name: not name.endswith(".md")):
        base = re.sub(r"\.(md|mdx|markdown)$", "", name, flags=re.I)
        text = f"{base}.md"
        if text.casefold() in taken:
            text = f"{base}.{name.rpartition('.')[2]}.md"
        taken.add(text.casefold())
        found[name] = text
    return found


def _pretty(name: str) -> str:
    words = re.sub(r"^\d+[-_. ]*", "", name).replace("_", " ").replace("-", " ").strip() or name
    return words[:1].upper() + words[1:]
