"""Addresses: which are accepted, and which are the same."""

import pytest

from dynamic_api.core.emails import Email, EmailInvalid


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.com", "ANN@Example.COM"),
        (" ann@example.com ", "ann@example.com"),
        ("cafe\u0301@example.com", "caf\u00e9@example.com"),  # composed and decomposed
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@bücher.example"),
        ("ann@bu\u0308cher.example", "ann@bücher.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),  # IDNA 2008 keeps ß
    ],
)
def test_the_same_mailbox_has_one_key(one: str, other: str) -> None:
    assert Email.parse(one).key == Email.parse(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@straße.example", "ann@strasse.example"),
        ("ann+bread@example.com", "ann@example.com"),
        ("a.nn@example.com", "ann@example.com"),
        ("ann@example.com", "ann@examp1e.com"),
    ],
)
def test_what_mail_servers_tell_apart_stays_apart(one: str, other: str) -> None:
    assert Email.parse(one).key != Email.parse(other).key


def test_the_spelling_is_kept() -> None:
    assert str(Email.parse(" Ann.Smith@Example.com ")) == "Ann.Smith@Example.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@nowhere",
        "ann@@example.com",
        "ann@exa mple.com",
        "ann@example..com",
        "ann@-example.com",
        "ann..smith@example.com",
        ".ann@example.com",
        "ann@example.com\r\nBcc: x@example.com",
        "ann\u0000@example.com",
        "ann\u200d@example.com",  # a joiner nobody sees
        "ann@exam\u00adple.com",  # a soft hyphen
        "=?utf-8?q?ann?=@example.com",  # an encoded word
        "ann@[127.0.0.1]",
        "Ann <ann@example.com>",
        f"{'a' * 65}@example.com",
        f"ann@{'a' * 64}.com",
        f"{'a' * 60}@{'.'.join(['a' * 60] * 4)}.com",
    ],
)
def test_what_no_mail_server_takes_is_refused(text: str) -> None:
    with pytest.raises(EmailInvalid) as refused:
        Email.parse(text)
    assert str(refused.value) == "This doesn't look like an email address."


@pytest.mark.parametrize("text", ["o'brien@example.com", "ünï@example.com", "ann@例え.example", "a@b.co"])
def test_unusual_addresses_are_accepted(text: str) -> None:
    assert Email.parse(text).spelling == text


def test_254_characters_are_the_longest() -> None:
    longest = f"{'a' * 64}@{'.'.join(['b' * 61] * 3)}.cd"
    assert len(longest) == 253
    assert Email.parse(longest).key == longest
    longest = longest.replace(".cd", ".cde")
    assert Email.parse(longest).key == longest
    with pytest.raises(EmailInvalid):
        Email.parse(longest.replace(".cde", ".cdef"))


def test_looking_up_refuses_nothing() -> None:
    assert Email.lookup(" Nobody At All ").spelling == " Nobody At All "
    assert Email.lookup("ANN@example.com").key == "ann@example.com"
    assert Email.lookup("Nobody At All").key == "nobody at all"
    assert len(Email.lookup("x" * 1000).key) == 254


def test_deleted_accounts_have_an_address_of_their_own() -> None:
    deleted = Email.deleted(7)
    assert deleted.is_deleted
    assert str(deleted) == deleted.key == "7@deleted.invalid"
    assert deleted.key != Email.deleted(8).key
    assert not Email.parse("ann@example.com").is_deleted
