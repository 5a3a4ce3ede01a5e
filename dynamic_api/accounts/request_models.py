"""Request bodies that more than one route takes."""

from pydantic import BaseModel, Field

from dynamic_api.web.requests import Text


class LinkToken(BaseModel):
    """The part of an emailed link after the #."""

    token: Text = Field(min_length=1, max_length=200)


class NewAccount(BaseModel):
    """A name and a password for a new account; empty for somebody who is signed in."""

    name: Text = Field(default="", max_length=120)
    password: str = Field(default="", max_length=1000)


class NewAccountByLink(LinkToken, NewAccount):
    """The same, by an emailed link."""
