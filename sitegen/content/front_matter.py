"""What a page and a post may say above their text."""

from typing import Literal, get_args

from pydantic import Field

from sitegen.catalog.course_file import Day, Line, Moment, Typed
from sitegen.catalog.slugs import Slug

Role = Literal["terms", "privacy", "refunds", "imprint"]
ROLES: tuple[Role, ...] = get_args(Role)
REQUIRED: dict[Role, str] = {"terms": "terms", "privacy": "privacy"}  # role → the file that usually has it


class PageFile(Typed):
    """A page of the school: `content/pages/<name>.md`. Its text follows the second `---`."""

    title: Line = Field(description="Title.", examples=["About"])
    slug: Slug | None = Field(default=None, description="Its address; defaults to the file's name.", examples=["about"])
    summary: str = Field(default="", description="One line for search engines.", examples=["Who teaches here."])
    draft: bool = Field(default=False, description="`true` keeps it off the site.", examples=[True])
    publish_at: Moment | None = Field(
        default=None, description="Hidden until then, in the school's time zone.", examples=["2026-12-24 18:00"]
    )
    search_title: Line | None = Field(
        default=None, description="Title for search engines, where it is another.", examples=["Who teaches baking here"]
    )
    share_picture: str | None = Field(
        default=None,
        description="Picture for links on social networks, 1200 × 630, beside the text. Drawn otherwise.",
        examples=["images/share.png"],
    )
    role: Role | None = Field(
        default=None,
        description=(
            "What the page is: every page links to those with a role, and forms ask buyers to accept the `terms`. "
            "`terms` and `privacy` are required."
        ),
        examples=["terms"],
    )


class PostFile(PageFile):
    """A piece of news: `content/posts/<name>.md`. Its text follows the second `---`."""

    date: Day = Field(description="The day it is from.", examples=["2026-10-02"])
    authors: list[Line] = Field(default=[], description="Who wrote it.", examples=[["Mira Holm"]])
    tags: list[Line] = Field(default=[], description="Keywords.", examples=[["baking"]])
    picture: str | None = Field(default=None, description="Picture beside the post.", examples=["images/oven.jpg"])
    picture_alt: str = Field(
        default="", description="What the picture shows, for people who can't see it.", examples=["An oven"]
    )
