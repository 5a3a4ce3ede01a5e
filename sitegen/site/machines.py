"""What only machines read: sitemap, robots.txt, llms.txt, security.txt and the web app's manifest."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from sitegen.catalog.model import Site
from sitegen.site.page import SitePage

_SHORT = 12  # letters that phones show below an icon

# Collectors of text for AI that say they follow robots.txt, as their makers document them.
AI_ROBOTS = (
    "AI2Bot", "Amazonbot", "anthropic-ai", "Applebot-Extended", "Bytespider", "CCBot", "ChatGPT-User",
    "Claude-SearchBot", "Claude-User", "ClaudeBot", "cohere-ai", "Diffbot", "Google-Extended", "GPTBot",
    "meta-externalagent", "OAI-SearchBot", "omgili", "Perplexity-User", "PerplexityBot", "YouBot",
)  # fmt: skip


def sitemap(pages: Sequence[SitePage], site_url: str) -> str:
    """Every page that search engines may list, with its last change, pictures and videos.

    https://www.sitemaps.org/protocol.html
    """
    entries = []
    for page in pages:
        if not page.indexed:
            continue
        changed = f"<lastmod>{page.updated.isoformat()}</lastmod>" if page.updated else ""
        picture = page.shared.address
        image = f"<image:image><image:loc>{escape(site_url + picture)}</image:loc></image:image>" if picture else ""
        entries.append(
            f"  <url><loc>{escape(site_url + page.url)}</loc>{changed}{image}{_video(page, site_url)}</url>\n"
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" '
        'xmlns:video="http://www.google.com/schemas/sitemap-video/1.1">\n'
        f"{''.join(entries)}</urlset>\n"
    )


def _video(page: SitePage, site_url: str) -> str:
    video = next((each for each in page.described if each["@type"] == "VideoObject"), None)
    if video is None:
        return ""
    return (
        f"<video:video><video:thumbnail_loc>{escape(site_url + (page.shared.address))}</video:thumbnail_loc>"
        f"<video:title>{escape(str(video['name']))}</video:title>"
        f"<video:description>{escape(str(video['description']))}</video:description>"
        f"<video:player_loc>{escape(site_url + page.url)}</video:player_loc>"
        f"<video:publication_date>{video['uploadDate']}</video:publication_date></video:video>"
    )


def robots(site: Site, site_url: str) -> str:
    """https://www.rfc-editor.org/rfc/rfc9309"""
    if site.robots == "none":
        return "User-agent: *\nDisallow: /\n"
    refused = "".join(f"User-agent: {name}\n" for name in AI_ROBOTS) + "Disallow: /\n\n"
    return (
        f"{refused if site.robots == 'no-ai' else ''}"
        f"User-agent: *\nDisallow: /api/\n\nSitemap: {site_url}/sitemap.xml\n"
    )


def security(site: Site, site_url: str, now: datetime) -> str:
    """https://www.rfc-editor.org/rfc/rfc9116; good for a year from the first of this month, so that builds agree."""
    month = datetime(now.year, now.month, 1, tzinfo=UTC)
    expires = (month + timedelta(days=365)).strftime("%Y-%m-%dT%H:%M:%SZ")
    contact = site.security_contact or f"mailto:{site.contact_email}"
    contact = contact if ":" in contact else site_url + contact
    return (
        f"Contact: {contact}\nExpires: {expires}\nPreferred-Languages: {site.language}\n"
        f"Canonical: {site_url}/.well-known/security.txt\n"
    )


def web_manifest(site: Site, icons: Sequence[tuple[str, str]]) -> str:
    """https://www.w3.org/TR/appmanifest/; `icons` are sizes and addresses."""
    return json.dumps(
        {
            "name": site.name,
            "short_name": site.name if len(site.name) <= _SHORT else site.name.split()[0],
            "lang": site.language,
            "dir": "rtl" if site.say.is_right_to_left else "ltr",
            "start_url": "/",
            "display": "browser",
            "theme_color": site.brand_color,
            "background_color": "#0d0f12" if site.look == "studio" else "#ffffff",
            "icons": [{"src": address, "sizes": size, "type": "image/png"} for size, address in icons],
        },
        ensure_ascii=False,
        indent=1,
    )
