"""The news as an Atom feed (https://www.rfc-editor.org/rfc/rfc4287)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from sitegen import urls
from sitegen.catalog.model import Site
from sitegen.content.load import Post

ADDRESS = f"{urls.NEWS}feed.atom"
_NEWEST = 30


def atom(site: Site, posts: Sequence[Post], site_url: str) -> str:
    """The newest posts with their whole text."""
    return "\n".join(_lines(site, posts[:_NEWEST], site_url)) + "\n"


def _lines(site: Site, posts: Sequence[Post], site_url: str) -> Iterator[str]:
    updated = _moment(posts[0]) if posts else datetime(2020, 1, 1, tzinfo=UTC).isoformat()
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={quoteattr(site.language)}>'
    yield f"<title>{escape(site.name)}</title>"
    yield f"<subtitle>{escape(site.tagline)}</subtitle>"
    yield f'<link href={quoteattr(site_url + urls.NEWS)} rel="alternate"/>'
    yield f'<link href={quoteattr(site_url + ADDRESS)} rel="self"/>'
    yield f"<id>{escape(site_url)}/</id>"
    yield f"<updated>{updated}</updated>"
    yield f"<author><name>{escape(site.name)}</name></author>"
    for post in posts:
        yield "<entry>"
        yield f"<title>{escape(post.title)}</title>"
        yield f'<link href={quoteattr(site_url + post.address)} rel="alternate"/>'
        yield f"<id>tag:{urlsplit(site_url).hostname},{post.date.isoformat()}:{escape(post.address)}</id>"
        yield f"<published>{_moment(post)}</published>"
        yield f"<updated>{_moment(post)}</updated>"
        yield from (f"<author><name>{escape(name)}</name></author>" for name in post.authors)
        yield from (f"<category term={quoteattr(tag)}/>" for tag in post.tags)
        yield f"<summary>{escape(post.summary)}</summary>"
        yield f'<content type="html">{escape(_absolute(post.html, site_url))}</content>'
        yield "</entry>"
    yield "</feed>"


def _moment(post: Post) -> str:
    return datetime.combine(post.date, time(), UTC).isoformat()


def _absolute(html: str, site_url: str) -> str:
    """Readers show a text away from its site."""
    return html.replace(' href="/', f' href="{site_url}/').replace(' src="/', f' src="{site_url}/')
