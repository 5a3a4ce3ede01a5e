"""Pelican's settings. Use `scripts/coursewright build`, which checks first and refuses leaks afterwards."""

from pathlib import Path

COURSE_DATA = str(Path(__file__).parent / "course_data")
SITENAME = "Coursewright"
SITEURL = ""
PATH = "content"
OUTPUT_PATH = "output"
THEME = "theme"
THEME_STATIC_PATHS: list[str] = []  # the theme's files get hashed addresses from sitegen.assets
PLUGINS = ["sitegen.plugin"]
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
DEFAULT_CATEGORY = "news"
DEFAULT_DATE_FORMAT = "%-d %B %Y"
RELATIVE_URLS = False

JINJA_ENVIRONMENT = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True, "extensions": []}

PAGE_PATHS = ["pages"]
PAGE_URL = "{slug}/"
PAGE_SAVE_AS = "{slug}/index.html"
ARTICLE_PATHS = ["posts"]
ARTICLE_URL = "news/{slug}/"
ARTICLE_SAVE_AS = "news/{slug}/index.html"
DIRECT_TEMPLATES = ["news"]
NEWS_SAVE_AS = "news/index.html"
PAGINATED_TEMPLATES: dict[str, int | None] = {}
ARCHIVES_SAVE_AS = AUTHOR_SAVE_AS = AUTHORS_SAVE_AS = CATEGORY_SAVE_AS = CATEGORIES_SAVE_AS = ""
TAG_SAVE_AS = TAGS_SAVE_AS = DRAFT_SAVE_AS = ""

FEED_ALL_ATOM = "news/feed.atom"
CATEGORY_FEED_ATOM = TRANSLATION_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None
