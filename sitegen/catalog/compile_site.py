"""`site.yaml` → the compiled school: its look, its home page, and its own HTML and CSS."""

from pathlib import Path

from sitegen.catalog import model
from sitegen.catalog.compile import Compiler, compiled
from sitegen.catalog.faults import Fault
from sitegen.catalog.site_file import BrandFile, HomeSectionFile, SiteFile, SnippetFile
from sitegen.catalog.snippets import css_faults, snippet_faults
from sitegen.catalog.words import words_of
from sitegen.catalog.yaml_source import Place


class SiteCompiler(Compiler):
    """Resolves what `site.yaml` names."""

    def site(self, file: SiteFile) -> model.Site:
        """The school; texts and pictures of its instructors are checked here, and compiled with each course."""
        for number, instructor in enumerate(file.instructors):
            self._instructor(instructor, ("instructors", number))
        logo = self._picture(file.logo, ("logo",)) if file.logo else None
        return compiled(
            model.Site,
            file,
            logo=logo,
            brand_color=file.brand.color,
            brand_accent=file.brand.accent,
            brand=self._brand(file.brand),
            head_html=self._snippet(file.head) if file.head else "",
            head_hosts=tuple(file.head.hosts) if file.head else (),
            menu=self._links(file, "menu"),
            footer=self._links(file, "footer"),
            social=[compiled(model.MenuLink, each) for each in file.social],
            seller=compiled(model.Seller, file.seller) if file.seller else None,
            home=[self._home(each, ("home", number)) for number, each in enumerate(file.home)],
            testimonials=self._testimonials(file.testimonials),
            pictures=tuple(dict.fromkeys(self._pictures)),
        )

    def _links(self, file: SiteFile, name: str) -> list[model.MenuLink]:
        """The creator's own links, or those of a school that wrote none, in its language."""
        links = [compiled(model.MenuLink, each) for each in getattr(file, name)]
        if name in file.model_fields_set:
            return links
        words = words_of(file.language)
        return [each.model_copy(update={"label": words(each.label)}) for each in links]

    def _brand(self, file: BrandFile) -> model.Brand:
        fonts = {"text": file.fonts.text, "ui": file.fonts.ui}
        found = {use: self._file(name, ("brand", "fonts", use)) for use, name in fonts.items() if name}
        css = self._own_css(file.css) if file.css else None
        return compiled(
            model.Brand,
            file,
            logo_dark=self._shown_picture(file.logo_dark, ("brand", "logo_dark")),
            fonts={use: self._below(path) for use, path in found.items() if path is not None},
            css=self._below(css) if css is not None else None,
        )

    def _own_css(self, name: str) -> Path | None:
        read = self._read(name, ("brand", "css"))
        if read is None:
            return None
        self.source.faults += (Fault(read[0], line, 1, what, remedy) for line, what, remedy in css_faults(read[1]))
        return read[0]

    def _snippet(self, file: SnippetFile) -> str:
        read = self._read(file.file, ("head", "file"))
        if read is None:
            return ""
        found = snippet_faults(read[1], file.hosts)
        self.source.faults += (Fault(read[0], line, 1, what, remedy) for line, what, remedy in found)
        return read[1]

    def _below(self, path: Path) -> str:
        return path.resolve().relative_to(self.root.parent.resolve()).as_posix()

    def _home(self, file: HomeSectionFile, place: Place) -> model.HomeSection:
        return compiled(
            model.HomeSection,
            file,
            text_html=self._text(file.text, (*place, "text"))[1].html if file.text else "",
            picture=self._shown_picture(file.picture, (*place, "picture")),
            button=compiled(model.MenuLink, file.button) if file.button else None,
        )
