"""Pelican's settings: `pelican -s pelicanconf.py` renders the same site. `coursewright build` checks it as well."""

from pathlib import Path

SCHOOL = str(Path(__file__).parent)
SITENAME = "Coursewright"
SITEURL = ""
PATH = "content"
OUTPUT_PATH = "output"
THEME = "theme"
PLUGINS = ["sitegen.plugin"]
TIMEZONE = "UTC"
DEFAULT_LANG = "en"

# Our generator writes everything; Pelican's own have nothing to do.
ARTICLE_PATHS: list[str] = []
PAGE_PATHS: list[str] = []
STATIC_PATHS: list[str] = []
THEME_STATIC_PATHS: list[str] = []
DIRECT_TEMPLATES: list[str] = []
AUTHOR_SAVE_AS = AUTHORS_SAVE_AS = CATEGORY_SAVE_AS = CATEGORIES_SAVE_AS = TAG_SAVE_AS = TAGS_SAVE_AS = ""
ARCHIVES_SAVE_AS = DRAFT_SAVE_AS = ""
FEED_ALL_ATOM = CATEGORY_FEED_ATOM = TRANSLATION_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None
