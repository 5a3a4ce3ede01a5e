"""Pages of courses that are not published yet: private files beside the manifest, for editors who have the link.

Each page refers to its neighbours by name, so that the folder can stand behind any address.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from sitegen import urls
from sitegen.catalog import model
from sitegen.catalog.public import public_view
from sitegen.content.load import Content
from sitegen.site.render import SiteFile, SiteRenderer, Source

_PICTURES = "/assets/pictures/"
_FORM = re.compile(r'<form method="post" action="/api/checkout">.*?</form>', re.S)


def draft_pages(catalog: model.Catalog, content: Content, source: Source) -> Iterator[tuple[str, SiteFile]]:
    """The slug of each draft, and its files: `index.html`, one for each lesson, and pictures."""
    renderer, shared = SiteRenderer(), Content(list(content.legal.values()))
    for course in catalog.courses:
        if course.status == "draft":
            alone = catalog.model_copy(update={"courses": (_opened(course),), "redirects": ()})
            rendered = renderer.render(public_view(alone), shared, replace(source, public=source.files / "-"))
            for file in rendered:
                name = _name(file.name, course.slug)
                if name is not None and name.endswith(".html"):
                    yield course.slug, SiteFile(name, _relative(file.content.decode(), course.slug).encode())
                elif name is not None:
                    yield course.slug, SiteFile(name, file.content)
            for lesson in course.all_lessons:
                for picture in lesson.files:
                    yield course.slug, SiteFile(picture.name, (source.files / picture.file).read_bytes())


def _opened(course: model.Course) -> model.Course:
    """The course as if all of it were free: an editor reads every lesson."""
    read = {"published": True, "preview": True, "video": None, "hls": None}
    opened = course.with_lessons(lambda lesson: lesson.model_copy(update=read))
    return opened.model_copy(update={"status": "published", "publish_at": None, "intro_video": None})


def _name(file: str, slug: str) -> str | None:
    """The name in the draft's folder; None for files that are not about this course."""
    if file == f"courses/{slug}/index.html":
        return "index.html"
    if match := re.fullmatch(rf"preview/{re.escape(slug)}/([^/]+)/index\.html", file):
        return f"{match[1]}.html"
    return file.rpartition("/")[2] if f"/{file}".startswith(_PICTURES) else None


def _relative(html: str, slug: str) -> str:
    html = re.sub(rf'"/courses/{re.escape(quote(slug))}/(?:gift/)?', '"index.html', html)
    html = re.sub(rf'"/(?:preview|learn)/{re.escape(quote(slug))}/([^/"#]+)/', r'"\1.html', html)
    html = html.replace(_PICTURES, "").replace(f'"{urls.PRIVATE_PICTURES}', '"')
    return _FORM.sub("<p>This is a draft: it cannot be bought yet.</p>", html)
