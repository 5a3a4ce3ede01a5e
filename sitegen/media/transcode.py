"""A video file → HLS in several sizes, with a poster, by ffmpeg: what a video without Cloudflare is made of.

https://ffmpeg.org/ffmpeg-formats.html#hls-2
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Height, kilobits a second of picture, and of sound.
LADDER = ((360, 700, 96), (720, 2500, 128), (1080, 4800, 160))
_PART = 4  # seconds; a picture that stands by itself begins each part
_TIME = re.compile(r"out_time_us=(\d+)")


class TranscodeRefused(Exception):
    """Why no video was made; the message says what to do."""


@dataclass(frozen=True)
class Film:
    """What a file holds. `duration` in seconds."""

    duration: float
    width: int
    height: int
    has_sound: bool


def probe(file: Path) -> Film:
    """Look into a file. Raises TranscodeRefused."""
    done = _run(["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(file)])
    try:
        found = json.loads(done.stdout)
        picture = next(each for each in found["streams"] if each["codec_type"] == "video")
        duration = float(found["format"]["duration"])
        sound = any(each["codec_type"] == "audio" for each in found["streams"])
        width, height = int(picture["width"]), int(picture["height"])
    except (ValueError, KeyError, StopIteration, TypeError):
        raise TranscodeRefused(f"{file} is no video that ffmpeg can read.") from None
    turned = abs(int(picture.get("side_data_list", [{}])[0].get("rotation", 0) or 0)) % 180 == 90
    return Film(duration, height if turned else width, width if turned else height, sound)


def transcode(file: Path, folder: Path, told: Callable[[int], None], *, preset: str = "veryfast") -> Film:
    """Write `master.m3u8`, `poster.jpg` and the parts into an empty folder; `told(percent)` meanwhile.

    Raises TranscodeRefused. No size is larger than the file's own.
    """
    film = probe(file)
    sizes = [size for size in LADDER if size[0] <= film.height] or [(film.height // 2 * 2, *LADDER[0][1:])]
    splits = "".join(f"[v{n}]" for n in range(len(sizes)))
    scaled = ";".join(f"[v{n}]scale=-2:{height}[o{n}]" for n, (height, _, _) in enumerate(sizes))
    command = ["ffmpeg", "-nostdin", "-v", "error", "-progress", "pipe:1", "-i", str(file.resolve()),
               "-filter_complex", f"[0:v:0]split={len(sizes)}{splits};{scaled}"]  # fmt: skip
    streams = []
    for n, (_, picture, sound) in enumerate(sizes):
        command += ["-map", f"[o{n}]", f"-c:v:{n}", "libx264", f"-b:v:{n}", f"{picture}k", f"-maxrate:v:{n}",
                    f"{picture * 11 // 10}k", f"-bufsize:v:{n}", f"{picture * 2}k"]  # fmt: skip
        if film.has_sound:
            command += ["-map", "0:a:0", f"-c:a:{n}", "aac", f"-b:a:{n}", f"{sound}k", "-ac", "2"]
        streams.append(f"v:{n},a:{n}" if film.has_sound else f"v:{n}")
    command += [
        "-preset", preset, "-pix_fmt", "yuv420p", "-force_key_frames", f"expr:gte(t,n_forced*{_PART})",
        "-f", "hls", "-hls_time", str(_PART), "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4",
        "-hls_flags", "independent_segments", "-hls_fmp4_init_filename", "init.mp4",
        "-hls_segment_filename", "v%v-%05d.m4s", "-master_pl_name", "master.m3u8", "-var_stream_map", " ".join(streams),
        "v%v.m3u8",
    ]  # fmt: skip
    _encode(command, folder, film.duration, told)
    if not (folder / "master.m3u8").is_file():
        raise TranscodeRefused("ffmpeg wrote no playlist.")
    at = min(film.duration / 4, 10)
    _run(["ffmpeg", "-nostdin", "-v", "error", "-ss", f"{at:.2f}", "-i", str(file.resolve()), "-frames:v", "1",
          "-vf", f"scale=-2:{min(film.height, 720) // 2 * 2}", "-q:v", "4", "-update", "1",
          str(folder / "poster.jpg")])  # fmt: skip
    return film


def _encode(command: list[str], folder: Path, duration: float, told: Callable[[int], None]) -> None:
    _needed(command[0])
    said = folder / "ffmpeg.log"
    with (
        said.open("wb") as log,
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True) as process,  # noqa: S603
    ):
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        last = -1
        for line in process.stdout:
            if found := _TIME.match(line):
                percent = min(int(int(found[1]) / 10_000 / max(duration, 1)), 100)
                if percent > last:
                    last = percent
                    told(percent)
    words = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said.unlink()
    if process.returncode:
        raise TranscodeRefused(f"ffmpeg stopped: {words[-1] if words else process.returncode}")


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    _needed(command[0])
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ffmpeg, with file names
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise TranscodeRefused(f"{command[0]} stopped: {words[-1] if words else done.returncode}")
    return done


def _needed(program: str) -> None:
    if shutil.which(program) is None:
        raise TranscodeRefused(f"{program} is not installed on this machine: install ffmpeg, and run this again.")
