"""Writes the catalogue's pages with Pelican's writer and templates."""

from pathlib import Path
from typing import Any

from pelican.generators import Generator

from sitegen import urls
from sitegen.assets import Assets
from sitegen.catalog import money
from sitegen.catalog.load import load_catalog
from sitegen.catalog.public import PublicCatalog, public_view
from sitegen.pages import SitePage, all_pages


class CatalogGenerator(Generator):  # type: ignore[misc]
    """Course, catalogue and learner pages, sitemap and robots. Sees the public catalogue only."""

    public: PublicCatalog

    def generate_context(self) -> None:
        """Give every template what the whole site shares."""
        root = Path(self.settings["COURSE_DATA"])
        self.public = self.settings.get("PUBLIC_CATALOG") or public_view(load_catalog(root))
        self.assets = Assets(self.public, root, Path(self.theme) / "static")
        self.site_url = self.settings["SITEURL"] or self.public.site.url
        self.context.update(
            site=self.public.site,
            site_url=self.site_url,
            urls=urls,
            money=money,
            asset=self.assets.theme,
        )

    def generate_output(self, writer: Any) -> None:  # Any: Pelican has no types
        """Write every page, then the files for robots, then the assets."""
        pages = list(all_pages(self.public, self.site_url))
        for page in pages:
            writer.write_file(
                page.file, self.get_template(page.template), self.context, url=page.url, page_info=page, **page.values
            )
        output = Path(self.output_path)
        (output / "sitemap.xml").write_text(self._sitemap(pages), encoding="utf-8")
        (output / "robots.txt").write_text(
            f"User-agent: *\nDisallow: /api/\nSitemap: {self.site_url}/sitemap.xml\n", encoding="utf-8"
        )
        moved = "".join(f"{each.old} {each.new} 301\n" for each in self.public.redirects)
        (output / "_redirects").write_text(moved, encoding="utf-8")
        self.assets.write(output)

    def _sitemap(self, pages: list[SitePage]) -> str:
        own = [page.url for page in pages if page.indexed]
        written = [f"/{item.url}" for item in (*self.context.get("articles", ()), *self.context.get("pages", ()))]
        entries = "".join(f"  <url><loc>{self.site_url}{address}</loc></url>\n" for address in (*own, *written))
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
        )
