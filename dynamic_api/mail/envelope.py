"""A text → an email: plain text, and the same words in HTML."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dynamic_api.mail.text import Text
from sitegen.catalog.model import Site

# The plain SMTP policy writes 8-bit bodies, which not every server on the way accepts.
_POLICY = SMTP.clone(cte_type="7bit")


def make_email(
    text: Text, *, site: Site, site_url: str, sender: str, to: str, message_id: str, now: datetime
) -> EmailMessage:
    """`message_id` must be the same on every attempt, so that an email sent twice is shown once."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = text.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{message_id}@{_domain(sender, site_url)}>"
    message["Auto-Submitted"] = "auto-generated"
    values = {"text": text, "site": site, "site_url": site_url, "_": site.say}
    message.set_content(_templates().get_template("message.txt").render(values))
    message.add_alternative(_templates().get_template("message.html").render(values), subtype="html")
    return message


def _domain(sender: str, site_url: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or urlsplit(site_url).hostname or "localhost"


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
