"""One page of the site, before it is rendered, and what all of them are made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sitegen import urls
from sitegen.catalog.model import Picture
from sitegen.catalog.public import PublicCatalog
from sitegen.catalog.words import Words
from sitegen.history import History
from sitegen.site.share_pictures import Card

Crumb = tuple[str, str]  # what it says, and its address


def _is_shown(picture: Picture) -> bool:
    return not picture.file.endswith(".svg")


def _draws_nothing(_card: Card) -> bool:
    return False


@dataclass(frozen=True)
class Whole:
    """The whole that a page is a part of: what visitors may see, where, since when, and which pictures can be drawn."""

    public: PublicCatalog
    site_url: str
    history: History = field(default_factory=History)
    can_draw: Callable[[Card], bool] = _draws_nothing
    has_search: bool = False

    def shared(
        self, title: str, by: str, words: Words, own: Picture | None = None, other: Picture | None = None
    ) -> "Shared":
        """What a shared link shows: the creator's own picture, a card, or else the other one. Networks show no SVG."""
        if own is not None and _is_shown(own):
            return Shared(own.address)
        site = self.public.site
        logo = site.logo.file if site.logo else ""
        card = Card(
            title, by, site.name, site.brand_color, site.brand_accent, words.language, words.is_right_to_left, logo
        )
        if self.can_draw(card):
            return Shared(card.address, card)
        return Shared(other.address if other is not None and _is_shown(other) else "")


@dataclass(frozen=True)
class Shared:
    """The picture of a shared link: its address, empty where there is none; and the card, where it is drawn."""

    address: str
    card: Card | None = None


@dataclass(frozen=True)
class SitePage:
    """One URL, its template, and the template's values.

    `indexed` says whether search engines may list it. `twin` is the page as Markdown, where it has one. `described` is
    what structured data says of it, beside its breadcrumb. `alternates` are language and address of the same page in
    other languages.
    """

    url: str
    template: str
    title: str
    description: str
    language: str
    indexed: bool = True
    save_as: str = ""
    crumbs: tuple[Crumb, ...] = ()
    updated: datetime | None = None
    twin: str = ""
    described: tuple[Mapping[str, object], ...] = ()
    shared: Shared = Shared("")
    kind: str = "website"  # Open Graph's type
    alternates: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_searched(self) -> bool:
        """Whether the search finds it: courses, free lessons and texts; lists only repeat them."""
        return self.indexed and self.template in ("course", "preview", "article", "page")

    @property
    def has_snippet(self) -> bool:
        """Whether the creator's own HTML is in its head: course and catalogue pages, as `_headers` says too."""
        return self.template in ("course", "catalogue")

    @property
    def file(self) -> str:
        """Where the page is written, below the output folder."""
        return self.save_as or urls.save_as(self.url)
