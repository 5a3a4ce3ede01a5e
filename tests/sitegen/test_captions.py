"""`coursewright captions convert`: every common form becomes WebVTT that the loader accepts."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sitegen.catalog.captions import parse_vtt
from sitegen.commands.captions import convert
from sitegen.media.captions import CaptionsUnknown, convert_captions, is_other_script, wrong_times

SRT = (
    "1\r\n00:00:01,500 --> 00:00:04,000\r\n<i>Flour</i> &amp; water.\r\nTwo lines.\r\n\r\n"
    "2\r\n00:01:04,000 --> 00:01:06,5\r\nSalt.\r\n"
)
ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.070 align:start position:0%
 
hello<00:00:00.480><c> and</c><00:00:00.719><c> welcome</c>

00:00:02.070 --> 00:00:02.080 align:start position:0%
hello and welcome
 

00:00:02.080 --> 00:00:04.390 align:start position:0%
hello and welcome
to<00:00:02.399><c> the</c><00:00:02.639><c> course</c>

00:00:04.390 --> 00:00:04.400 align:start position:0%
to the course
 

00:00:04.400 --> 00:00:06.000 align:start position:0%
to the course
about<00:00:04.720><c> bread</c>
"""


def cues(content: str | bytes) -> list[tuple[float, float, str]]:
    vtt = convert_captions(content if isinstance(content, bytes) else content.encode())
    return [(cue.start, cue.end, cue.text) for cue in parse_vtt(vtt)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (SRT, [(1.5, 4.0, "Flour & water. Two lines."), (64.0, 66.5, "Salt.")]),
        ("WEBVTT\n\n0:01.000 --> 0:05.5\nShort.\n", [(1.0, 5.5, "Short.")]),
        ("1:02 --> 1:05\nNo header.\n", [(62.0, 65.0, "No header.")]),
        ("0:00:01.000,0:00:03.000\nSBV\n", [(1.0, 3.0, "SBV")]),
        (ROLLING, [(0.16, 2.07, "hello and welcome"), (2.08, 4.39, "to the course"), (4.4, 6.0, "about bread")]),
        ("1\n00:00:05,0 --> 00:00:04,0\nEnds before.\n2\n00:00:01,0 --> 00:00:09,0\nComes first.\n",
         [(1.0, 5.0, "Comes first."), (5.0, 5.5, "Ends before.")]),
        ("\ufeff" + SRT, [(1.5, 4.0, "Flour & water. Two lines."), (64.0, 66.5, "Salt.")]),
        ("1\n0:0:1,0 --> 0:0:2,0\nété\n".encode("cp1252"), [(1.0, 2.0, "été")]),
        ("1\n0:0:1,0 --> 0:0:2,0\nété\n".encode("utf-16"), [(1.0, 2.0, "été")]),
    ],
    ids=["srt", "short times", "no header", "sbv", "rolling", "disorder", "mark", "windows", "utf-16"],
)  # fmt: skip
def test_a_form_becomes_webvtt(content: str | bytes, expected: list[tuple[float, float, str]]) -> None:
    assert cues(content) == expected


def test_what_was_mended_is_told_and_signs_are_kept() -> None:
    content = b"1\n0:00:05,0 --> 0:00:04,0\nA & B < C --> D\n\n2\n0:00:01,0 --> 0:00:02,0\nfirst\n"
    assert wrong_times(content) == [
        "at 00:00:05.000: ends before it begins; shown for half a second",
        "at 00:00:01.000: begins before the one above it; put in order",
    ]
    assert cues(content)[1][2] == "A & B < C --> D"
    assert "C --&gt; D" in convert_captions(content)


@pytest.mark.parametrize("content", [b"", b"WEBVTT\n\n", b"just text", b"1\n00:00:01,0 --> 00:00:02,0\n\n"])
def test_a_file_without_captions_is_told(content: bytes) -> None:
    with pytest.raises(CaptionsUnknown, match="No captions were found"):
        convert_captions(content)


@given(st.lists(st.tuples(st.integers(0, 9_000_000), st.integers(-5000, 90_000)), min_size=1, max_size=20))
def test_whatever_the_times_are_the_loader_accepts_them(times: list[tuple[int, int]]) -> None:
    def written(milliseconds: int) -> str:
        seconds, rest = divmod(milliseconds, 1000)
        return f"{seconds // 3600}:{seconds // 60 % 60}:{seconds % 60},{rest:03}"

    text = "".join(
        f"{n}\n{written(start)} --> {written(max(start + length, 0))}\nline {n}\n\n"
        for n, (start, length) in enumerate(times)
    )
    assert len(cues(text)) == len(times)


def test_letters_that_are_not_the_languages_are_noticed() -> None:
    english, japanese = (
        "the quick brown fox jumps over the lazy dog again and again",
        "素早い茶色の狐はのろまな犬を飛び越える" * 4,
    )
    assert is_other_script("ja", english)
    assert is_other_script("en-GB", japanese)
    assert not is_other_script("ja", japanese)
    assert not is_other_script("de", english)
    assert not is_other_script("ja", "OK")


def test_the_command_writes_beside_the_file_and_overwrites_nothing(tmp_path: Path) -> None:
    source = tmp_path / "first.srt"
    source.write_text(SRT)
    done = CliRunner().invoke(convert, [str(source)])
    assert (done.exit_code, done.output) == (0, f"{tmp_path / 'first.vtt'}\n")
    assert parse_vtt((tmp_path / "first.vtt").read_text())[0].text == "Flour & water. Two lines."
    again = CliRunner().invoke(convert, [str(source)])
    assert again.exit_code == 1
    assert "is there already" in again.output
    empty = tmp_path / "empty.srt"
    empty.write_text("")
    told = CliRunner().invoke(convert, [str(empty), str(source), "--folder", str(tmp_path / "out")])
    assert told.exit_code == 1
    assert f"{empty}: No captions were found" in told.output
    assert not (tmp_path / "out").exists()
