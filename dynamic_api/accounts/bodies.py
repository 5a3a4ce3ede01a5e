"""Bodies that more than one of the account's routes takes."""

from pydantic import BaseModel, Field

from dynamic_api.routing import Text


class LinkToken(BaseModel):
    """The part of a mailed link behind the #."""

    token: Text = Field(min_length=1, max_length=200)


class NewAccount(BaseModel):
    """Who an account is made for; empty for somebody who is signed in."""

    name: Text = Field(default="", max_length=120)
    password: str = Field(default="", max_length=1000)


class NewAccountByLink(LinkToken, NewAccount):
    """The same, by a mailed link."""
