"""Small pure things: captions, money, durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitegen.catalog.captions import CaptionsInvalid, parse_vtt
from sitegen.catalog.money import format_clock, format_duration, format_money, iso_duration
from sitegen.catalog.words import words_of


def test_captions() -> None:
    text = (
        "\ufeffWEBVTT\n\nNOTE a remark\n\n1\n"
        "00:01.000 --> 00:04.500 align:start\n"
        "<v Mira>Hello &amp; welcome.</v>\nSecond line.\n"
    )
    [cue] = parse_vtt(text)
    assert (cue.start, cue.end, cue.text) == (1.0, 4.5, "Hello & welcome. Second line.")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("subtitles", 1),
        ("WEBVTT\n\n00:01 --> 00:02\nx", 3),
        ("WEBVTT\n\n00:05.000 --> 00:02.000\nx", 3),
        ("WEBVTT\n\n00:05.000 --> 00:06.000\nx\n\n00:01.000 --> 00:02.000\ny", 6),
    ],
)
def test_captions_say_which_line_is_wrong(text: str, line: int) -> None:
    with pytest.raises(CaptionsInvalid) as caught:
        parse_vtt(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("amount", "currency", "language", "expected"),
    [
        (4900, "EUR", "en", "€49"),
        (4950, "EUR", "en", "€49.50"),
        (500, "JPY", "en", "¥500"),
        (123456, "USD", "en", "$1,234.56"),
        (4900, "EUR", "de", "49\xa0€"),
        # As charged, whatever ISO 4217 or a browser thinks of these.
        (512300, "UGX", "en", "UGX5,123"),
        (120000, "ISK", "en", "ISK1,200"),
        (51234, "MGA", "en", "MGA51,234"),
        (499900, "HUF", "en", "HUF4,999"),
        (12500, "KWD", "en", "KWD12.500"),
    ],
)
def test_money(amount: int, currency: str, language: str, expected: str) -> None:
    assert format_money(amount, currency, language).replace(",00", "") == expected


def test_durations() -> None:
    assert [format_duration(seconds, words_of("en")) for seconds in (40, 400, 3600, 4800)] == [
        "40 s",
        "7 min",
        "1 h",
        "1 h 20 min",
    ]
    assert [format_clock(seconds) for seconds in (5, 400, 3725)] == ["0:05", "6:40", "1:02:05"]
    assert iso_duration(3725) == "PT1H2M5S"


@given(st.integers(min_value=1, max_value=10**6))
def test_a_duration_always_says_something(seconds: int) -> None:
    assert format_duration(seconds, words_of("en"))
    assert iso_duration(seconds) != "PT"
