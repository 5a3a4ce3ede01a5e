"""`site.yaml` as a creator may write it: validator, JSON Schema and reference at once."""

from typing import Literal

from pydantic import Field

from sitegen.catalog.course_file import COLOUR, Identifier, Language, Line, TimeZone, Typed


class BrandFile(Typed):
    """The creator's colours. Shades for text, hover and backgrounds are derived from them."""

    color: str = Field(description="Buttons and links.", examples=["#1f5f8b"], pattern=COLOUR)
    accent: str = Field(description="Labels and highlights.", examples=["#c8632b"], pattern=COLOUR)


class InstructorFile(Typed):
    """An instructor."""

    id: Identifier = Field(description="Stable name.", examples=["mira-holm"])
    name: Line = Field(description="Name.", examples=["Mira Holm"])
    role: Line | None = Field(default=None, description="One line under the name.", examples=["Baker and bookbinder"])
    bio: str = Field(default="", description="A paragraph, as Markdown.", examples=["Mira has baked since 2009."])
    photo: str | None = Field(
        default=None, description="Square picture beside `site.yaml`.", examples=["images/mira.svg"]
    )


class LinkFile(Typed):
    """A link in the header or the footer."""

    label: Line = Field(description="What visitors read.", examples=["About"])
    link: str = Field(
        description="A page of the site, or an address.",
        examples=["/about/"],
        pattern=r"^(/[^\s/]\S*|/|https://\S+|mailto:\S+)$",
    )


class SiteFile(Typed):
    """The school: `course_data/site.yaml`."""

    name: Line = Field(description="Name of the school.", examples=["Lantern Workshop"])
    tagline: Line = Field(
        description="What it offers, in one sentence.", examples=["Patient courses for hands and heads."]
    )
    description: str = Field(
        description="One or two sentences for search engines.", examples=["Small courses, well taught."], min_length=1
    )
    url: str = Field(
        description="URL of the site.", examples=["https://lantern.example"], pattern=r"^https?://[^/\s]+$"
    )
    language: Language = Field(
        default="en",
        description="Language of the texts, of pages and messages, and of prices and dates.",
        examples=["en", "de", "es"],
    )
    contact_email: str = Field(
        description="Address for questions.",
        examples=["hello@lantern.example"],
        pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    )
    timezone: TimeZone = Field(
        default="UTC",
        description="Time zone; gifts are sent at eight in the morning.",
        examples=["Europe/Helsinki"],
    )
    promotion_codes: Literal["stripe", "own", "off"] = Field(
        default="stripe",
        description="Where buyers enter a code: Stripe's page, our own field (explains refusals), or nowhere.",
        examples=["own"],
    )
    price_note: str = Field(
        default="",
        description="Shown beside each price: what your country wants said about taxes.",
        examples=["including VAT"],
        max_length=60,
    )
    featured: list[Identifier] = Field(
        default=[],
        description="Ids of the courses that come first in the catalogue and on the home page, in this order.",
        examples=[["sourdough", "git-for-writers"]],
    )
    menu: list[LinkFile] = Field(
        default=[LinkFile(label="About", link="/about/")],
        description="Links in the header, after the courses.",
        max_length=6,
    )
    footer: list[LinkFile] = Field(
        default=[
            LinkFile(label="News", link="/news/"),
        ],
        description="Links in the footer. Legal pages need none: each says its `role`, and is linked.",
        max_length=12,
    )
    refund_days: int | None = Field(
        default=None,
        ge=1,
        le=365,
        description="Buyers get their money back within so many days: said beside the price, on gifts and receipts.",
        examples=[30],
    )
    promises: list[Line] = Field(
        default=["any-device"],
        description=(
            "Lines below the button: `any-device`, `app` (needs `app`), `lifetime-access`, or sentences of your own. "
            "They are your word, and `[]` says nothing."
        ),
        examples=[["any-device", "lifetime-access", "Answers by email within two days"]],
        max_length=6,
    )
    app: str | None = Field(
        default=None,
        description="Where learners get the phone app.",
        examples=["https://school.example/app"],
        pattern=r"^https://[^/\s]+(/\S*)?$",
    )
    logo: str | None = Field(default=None, description="Picture beside `site.yaml`.", examples=["images/logo.svg"])
    brand: BrandFile = Field(description="Colours.")
    instructors: list[InstructorFile] = Field(description="Instructors.", min_length=1)
    retired: list[Identifier] = Field(
        default=[],
        description="Ids of courses that were published and whose files are gone on purpose. Their owners keep them.",
        examples=[["sourdough-2019"]],
    )
    replaced_by: dict[Identifier, Identifier] = Field(
        default={},
        description="Id of a course whose files are gone → id of the course that took its place. Old links lead there.",
        examples=[{"sourdough-2019": "sourdough"}],
    )
