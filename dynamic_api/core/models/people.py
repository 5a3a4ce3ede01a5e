"""Tables of people, and of the browsers and phones they use."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, composite, mapped_column

from dynamic_api.core.columns import enum_text, one_of
from dynamic_api.core.emails import Email
from dynamic_api.core.models.base import Base, OrderId
from dynamic_api.core.states import LinkPurpose


class User(Base):
    """A learner."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email_spelling: Mapped[str] = mapped_column("email", String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    customer_id: Mapped[str | None] = mapped_column(String(100))  # Stripe's, once they bought while signed in
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_set_at: Mapped[datetime | None]
    password_device: Mapped[str | None] = mapped_column(String(80))  # “Firefox on Windows”
    password_browser_hash: Mapped[str | None] = mapped_column(String(64))  # the browser's checkout mark, if it had one
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    email: Mapped[Email] = composite("email_spelling", "email_key")


class WebSession(Base):
    """A signed-in browser."""

    __tablename__ = "web_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AccessToken(Base):
    """A signed-in phone."""

    __tablename__ = "access_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    device_name: Mapped[str] = mapped_column(String(120))
    abilities: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class OneTimeLink(Base):
    """An emailed link that does one thing once."""

    __tablename__ = "one_time_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[LinkPurpose] = mapped_column(enum_text(LinkPurpose, 20))
    order_id: Mapped[OrderId | None] = mapped_column(ForeignKey("orders.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    email_spelling: Mapped[str | None] = mapped_column("email", String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    # A sign-in email has six digits beside its link; wrong attempts are counted here, to survive a restart.
    code_hash: Mapped[str | None] = mapped_column(String(64))
    code_attempts: Mapped[int] = mapped_column("code_tries", default=0, server_default="0")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    email: Mapped[Email | None] = composite("email_spelling", "email_key")

    __table_args__ = (one_of("purpose", LinkPurpose),)
