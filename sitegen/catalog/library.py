"""Every text of a school, and where links between them lead.

A text may be read by everybody, or by owners alone. Its pictures go where its readers are: into the public
site, or into a folder that only the service reads.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from sitegen import urls
from sitegen.catalog import model
from sitegen.catalog.faults import Fault, did_you_mean
from sitegen.catalog.includes import with_includes
from sitegen.catalog.pictures import (
    FileRefused,
    find_file,
    picture_size,
    private_name,
    public_address,
    real_folder,
    real_path,
)
from sitegen.texts.faults import TextFault
from sitegen.texts.references import Reference, Target, Unresolved
from sitegen.texts.render import Text, render


class TextPage(NamedTuple):
    """Where a text is read: by owners, and by everybody else."""

    owner: str
    visitor: str


Place = Callable[[int, int], tuple[Path, int, int]]


@dataclass
class Rendered:
    """A text as HTML, with the files that it shows."""

    html: str = ""
    markdown: str = ""  # the text with the addresses that the HTML has, for phones
    public_files: list[model.Picture] = field(default_factory=list)
    private_files: list[model.PrivateFile] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class Anchors(NamedTuple):
    """The ids of headings in the text of a file."""

    file: Path
    ids: frozenset[str]


class External(NamedTuple):
    """A link to another site, and where it is written."""

    address: str
    file: Path
    line: int
    column: int


class Link(NamedTuple):
    """A link that can only be judged when everything is read, and where it is written."""

    file: Path
    line: int
    column: int
    target: Path | None
    address: str
    anchor: str


@dataclass
class Library:
    """The texts of `school`. Files are published from `folders` alone, and never from `paid`.

    Pages are registered first, then texts are rendered.
    """

    school: Path
    folders: tuple[Path, ...]
    paid: Path
    language: str = "en"
    pages: dict[Path, TextPage] = field(default_factory=dict)
    records: list[Anchors | Link | External] = field(default_factory=list)
    strayed: bool = False  # whether a text showed a file from outside the folder it stands in

    def register(self, path: Path, page: TextPage) -> None:
        """Say where the text of a file is read."""
        self.pages[real_path(path)] = page

    def render(
        self,
        text: str,
        *,
        folder: Path,
        place: Place,
        public: bool,
        path: Path | None = None,
        language: str | None = None,
    ) -> Rendered:
        """A text, whose links and files are beside it in `folder`. `place` tells where a line of it is written.

        `language` is that of its quotation marks, where it is not the school's.
        """
        language = language or self.language
        rendered = Rendered()
        text, place, wrong = with_includes(text, lambda name: self._included(folder, name, public=public), place)
        addresses: dict[str, str] = {}

        def resolve(reference: Reference) -> Target:
            target = self._resolve(reference, folder, rendered, place, public=public)
            addresses[reference.address] = target.address
            return target

        done = _without_references(text, language) or render(text, language=language, resolve=resolve)
        if path is not None:
            self.records.append(Anchors(real_path(path), done.anchors))
        for each in done.references:
            if each.address.startswith(("http://", "https://")):
                self.records.append(External(each.address, *place(each.line, each.column)))
        rendered.html = done.html
        rendered.markdown = text
        for written, address in addresses.items():
            if written != address:
                rendered.markdown = rendered.markdown.replace(f"]({written}", f"]({address}")
        rendered.faults = [*wrong, *(_fault(place, each) for each in done.faults)]
        return rendered

    def finish(self, known: Callable[[str], bool] | None = None) -> list[Fault]:
        """Faults of links to headings that are not there, and to addresses that `known` does not know."""
        faults = []
        known_anchors = {each.file: each.ids for each in self.records if isinstance(each, Anchors)}
        for link in self.records:
            if not isinstance(link, Link):
                continue
            if link.target is not None and link.anchor not in (ids := known_anchors.get(link.target, frozenset())):
                remedy = did_you_mean(link.anchor, ids)
                problem = f"There is no heading “#{link.anchor}” in {link.target.name}."
                faults.append(Fault(link.file, link.line, link.column, problem, remedy))
            elif link.target is None and known is not None and not known(link.address):
                remedy = "Correct the address, or link to the file, such as “../branches/notes.md”."
                problem = f"There is no page “{link.address}” on this site."
                faults.append(Fault(link.file, link.line, link.column, problem, remedy))
        return faults

    def _included(self, folder: Path, name: str, *, public: bool) -> Path:
        path = find_file(folder, name, roots=self.folders)
        self.strayed = self.strayed or not real_path(path).is_relative_to(real_folder(folder))
        if public and real_path(path).is_relative_to(real_folder(self.paid)):
            raise FileRefused(f"“{name}” is a file that people pay for, and this text is public.", "Copy what is free.")
        return path

    def _resolve(self, reference: Reference, folder: Path, rendered: Rendered, place: Place, *, public: bool) -> Target:
        written = place(reference.line, reference.column)
        address, _, anchor = reference.address.partition("#")
        name = unquote(address.partition("?")[0])
        if address.startswith("/"):
            if reference.kind == "link":
                self.records.append(Link(*written, None, name, ""))
                return Target(reference.address)
            raise Unresolved(f"“{address}” is an address, and not a file.", "Name the file as it lies beside the text.")
        try:
            path = find_file(folder, name, roots=self.folders)
            if reference.kind == "link" and (page := self.pages.get(real_path(path))):
                if anchor:
                    self.records.append(Link(*written, real_path(path), "", anchor))
                return Target((page.visitor if public else page.owner) + (f"#{anchor}" if anchor else ""))
            if path.suffix.lower() == ".md":
                problem = f"“{name}” is no page of this site."
                raise Unresolved(problem, "Link to a text that a lesson, a page or a post is made of.")
            if public and real_path(path).is_relative_to(real_folder(self.paid)):
                problem = f"“{name}” is a file that people pay for, and this text is public."
                raise Unresolved(problem, "Copy it out of that folder if it is free; otherwise make it a resource.")
            size = picture_size(path) if reference.kind == "picture" else None
        except FileRefused as error:
            raise Unresolved(str(error), error.remedy) from None
        width, height = size or (None, None)
        return Target(self._keep(path, folder, rendered, public=public), width, height)

    def public_picture(self, path: Path) -> model.Picture:
        """A file as it is named on the site."""
        return model.Picture(file=self._name(path), address=public_address(path))

    def _name(self, path: Path) -> str:
        return real_path(path).relative_to(real_folder(self.school)).as_posix()

    def _keep(self, path: Path, folder: Path, rendered: Rendered, *, public: bool) -> str:
        self.strayed = self.strayed or not real_path(path).is_relative_to(real_folder(folder))
        if public:
            picture = self.public_picture(path)
            if picture not in rendered.public_files:
                rendered.public_files.append(picture)
            return picture.address
        private = model.PrivateFile(file=self._name(path), name=private_name(path))
        if private not in rendered.private_files:
            rendered.private_files.append(private)
        return urls.PRIVATE_PICTURES + private.name


@lru_cache(maxsize=32768)
def _without_references(text: str, language: str) -> Text | None:
    """A text that names nothing outside itself is the same wherever it stands, and is rendered once."""
    done = render(text, language=language)
    return None if done.references else done


def _fault(place: Place, fault: TextFault) -> Fault:
    return Fault(*place(fault.line, fault.column), fault.problem, fault.remedy)
