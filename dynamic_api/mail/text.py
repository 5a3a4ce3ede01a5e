"""What an email says, before it has an envelope."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Button:
    """The one thing an email asks for."""

    label: str
    url: str


@dataclass(frozen=True)
class Text:
    """An email before it has an envelope."""

    subject: str
    before: tuple[str, ...]
    button: Button | None = None
    after: tuple[str, ...] = ()
    code: str = ""
    quote: str = ""
