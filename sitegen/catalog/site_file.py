"""`site.yaml` as a creator may write it: validator, JSON Schema and reference at once."""

from typing import Annotated, Literal

from pydantic import Field

from sitegen.catalog.course_file import (
    COLOUR,
    HttpsAddress,
    Identifier,
    Language,
    Line,
    TestimonialFile,
    TimeZone,
    Typed,
)
from sitegen.catalog.taxes import Taxes
from sitegen.catalog.words import Sentence


class FontsFile(Typed):
    """The school's own fonts: WOFF2 files beside `site.yaml`, which you may put on a website."""

    text: str | None = Field(default=None, description="For texts and headings.", examples=["fonts/Lora.woff2"])
    ui: str | None = Field(default=None, description="For menus, buttons and forms.", examples=["fonts/Inter.woff2"])


class BrandFile(Typed):
    """How the school looks. Shades for text, hover and backgrounds, light and dark, are derived from the colours."""

    color: str = Field(
        description="Buttons and links. Text of this colour must be readable on white paper: WCAG AA, 4.5 to 1.",
        examples=["#1f5f8b"],
        pattern=COLOUR,
    )
    accent: str = Field(
        description="Labels, stars and highlights; the same holds.", examples=["#a34a1a"], pattern=COLOUR
    )
    logo_dark: str | None = Field(
        default=None, description="The logo for dark screens, beside `site.yaml`.", examples=["images/logo-dark.svg"]
    )
    logo_height: int = Field(default=28, ge=16, le=64, description="Height of the logo, in pixels.", examples=[32])
    faces: Literal["serif", "sans"] = Field(
        default="serif", description="What the browser's own fonts look like in texts.", examples=["sans"]
    )
    fonts: FontsFile = Field(default=FontsFile(), description="Fonts of your own.")
    corners: Literal["square", "soft", "round"] = Field(
        default="soft", description="Corners of buttons and pictures.", examples=["round"]
    )
    density: Literal["compact", "comfortable", "airy"] = Field(
        default="comfortable", description="Room between parts of a page.", examples=["airy"]
    )
    css: str | None = Field(
        default=None, description="A style sheet of your own, beside `site.yaml`; it comes last.", examples=["own.css"]
    )


class SnippetFile(Typed):
    """HTML of your own in the head of course and catalogue pages, such as a counter of visits."""

    file: str = Field(description="The file, beside `site.yaml`.", examples=["head.html"])
    hosts: list[Annotated[str, Field(pattern=r"^https://[a-z0-9.-]+(:\d+)?$")]] = Field(
        default=[],
        description="What it loads from and talks to; browsers block every other host.",
        examples=[["https://plausible.io"]],
        max_length=6,
    )


class InstructorFile(Typed):
    """An instructor."""

    id: Identifier = Field(description="Stable name.", examples=["mira-holm"])
    name: Line = Field(description="Name.", examples=["Mira Holm"])
    role: Line | None = Field(default=None, description="One line under the name.", examples=["Baker and bookbinder"])
    bio: str = Field(default="", description="A paragraph, as Markdown.", examples=["Mira has baked since 2009."])
    photo: str | None = Field(
        default=None, description="Square picture beside `site.yaml`.", examples=["images/mira.svg"]
    )


PageLink = Annotated[str, Field(pattern=r"^(/[^\s/]\S*|/|https://\S+|mailto:\S+)$")]


class LinkFile(Typed):
    """A link in the header or the footer."""

    label: Line = Field(description="What visitors read.", examples=["About"])
    link: PageLink = Field(description="A page of the site, or an address.", examples=["/about/"])


class SellerFile(Typed):
    """Who sells: what the law of many countries wants said."""

    name: Line = Field(description="The person or company.", examples=["Lantern Workshop Oy"])
    address: str = Field(description="Postal address.", examples=["Rantatie 4, 00100 Helsinki, Finland"], min_length=1)
    country: str = Field(description="Two letters, as in ISO 3166.", examples=["FI"], pattern=r"^[A-Z]{2}$")
    registration: Line | None = Field(default=None, description="Number in a register.", examples=["FI 1234567-8"])
    vat_id: Line | None = Field(default=None, description="VAT number.", examples=["FI12345678"])
    taxes: Taxes | None = Field(
        default=None,
        description=(
            "Says beside each price, in the page's language and as the country calls its tax, that it is in the price "
            "(`included`), comes on top (`added`), or is not charged (`none`); `price_note` stands for it where you "
            "write one."
        ),
        examples=["included"],
    )


class ButtonFile(Typed):
    """A button."""

    label: Line = Field(description="What it says.", examples=["See the courses"])
    link: PageLink = Field(description="Where it leads.", examples=["/courses/"])


class HomeSectionFile(Typed):
    """A part of the home page."""

    section: Literal["hero", "courses", "teachers", "testimonials", "news", "text", "sign-up"] = Field(
        description=(
            "`hero` opens the page; `courses`, `teachers` and `news` list what there is; `testimonials` are those of "
            "this file; `text` is yours; `sign-up` asks for an address for news (needs `newsletter`)."
        ),
        examples=["hero"],
    )
    title: Line | None = Field(default=None, description="Its heading.", examples=["Learn with your hands"])
    text: str = Field(default="", description="Its text, as Markdown.", examples=["Small courses, well taught."])
    picture: str | None = Field(
        default=None, description="A picture beside `site.yaml`; for `hero` and `text`.", examples=["images/bench.jpg"]
    )
    picture_alt: str = Field(default="", description="What the picture shows.", examples=["A workbench"])
    button: ButtonFile | None = Field(default=None, description="A button; for `hero` and `text`.")
    intro: Identifier | None = Field(
        default=None,
        description="Id of a course whose introduction is played from the picture; for `hero`.",
        examples=["sourdough"],
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
        default=[LinkFile(label=Sentence("About"), link="/about/")],
        description="Links in the header, after the courses.",
        max_length=6,
    )
    footer: list[LinkFile] = Field(
        default=[
            LinkFile(label=Sentence("News"), link="/news/"),
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
    app: HttpsAddress | None = Field(
        default=None, description="Where learners get the phone app.", examples=["https://school.example/app"]
    )
    home: list[HomeSectionFile] = Field(
        default=[HomeSectionFile(section="hero"), HomeSectionFile(section="courses")],
        description="The parts of the home page, in this order.",
        min_length=1,
        max_length=12,
    )
    testimonials: list[TestimonialFile] = Field(
        default=[], description="What people said about the school, for the home page.", max_length=12
    )
    newsletter: bool = Field(
        default=False,
        description=(
            "Whether visitors can leave an address for news. Each confirms it by email; `coursewright newsletter` "
            "writes the addresses as CSV for the program you send with."
        ),
        examples=[True],
    )
    social: list[LinkFile] = Field(
        default=[], description="Your pages elsewhere: in the footer, and told to search engines.", max_length=8
    )
    seller: SellerFile | None = Field(default=None, description="Who sells; shown in the footer.")
    payment_marks: list[Line] = Field(
        default=[],
        description="How buyers can pay, as you set it up at Stripe; shown below the button.",
        examples=[["Visa", "Mastercard", "Apple Pay", "SEPA"]],
        max_length=8,
    )
    robots: Literal["all", "no-ai", "none"] = Field(
        default="all",
        description="Who may read the public pages: everybody, everybody but collectors for AI, or no robot.",
        examples=["no-ai"],
    )
    security_contact: PageLink | None = Field(
        default=None,
        description="Where faults of security are reported; written to `/.well-known/security.txt`.",
        examples=["mailto:security@school.example"],
    )
    search: bool = Field(
        default=True, description="Whether visitors can search the public pages (needs the extra `search`)."
    )
    head: SnippetFile | None = Field(default=None, description="A snippet for course and catalogue pages.")
    look: Literal["paper", "studio"] = Field(
        default="paper",
        description="`paper` is light and made of text; `studio` is dark and led by pictures.",
        examples=["studio"],
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
