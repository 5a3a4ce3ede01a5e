"""Copies a finished build to its folder, file by file, and removes only what an earlier build wrote there.

A file in the folder, `.coursewright`, lists what builds have written. What is not on that list is somebody else's: it
stays where it is, and a folder that has files and no list is refused.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from sitegen.folders import names_below

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LIST = ".coursewright"
KEEP_OLD_ASSETS = 30 * 24 * 3600  # seconds; cached pages may still refer to them


class OutputRefused(Exception):
    """The site cannot be written there; the message says why, and what to do."""


@dataclass(frozen=True)
class Publishing:
    """How many files changed, and which of the folder are not ours."""

    changed: int
    foreign: tuple[str, ...]


def check_output(output: Path, *, manifest: Path, sources: tuple[Path, ...]) -> None:
    """Raise OutputRefused where publishing would endanger a file that no build wrote, such as one of `sources`."""
    place = output.resolve()
    _check_manifest(manifest, sources)
    if manifest.resolve().is_relative_to(place):
        raise OutputRefused(
            f"The manifest {manifest} would be inside the public site {output}: everybody could read it. "
            "Choose a folder outside, such as build/catalog.json."
        )
    for source in sources:
        if source.resolve().is_relative_to(place) or place.is_relative_to(source.resolve()):
            raise OutputRefused(f"{output} and {source} are in each other. Choose a folder of its own, such as output.")
    above = next((each for each in place.parents if (each / LIST).is_file()), None)
    if above is not None:
        raise OutputRefused(f"{output} is inside another public site, {above}. Choose a folder of its own.")
    if output.exists() and not output.is_dir():
        raise OutputRefused(f"{output} is a file. Choose a folder.")
    if output.is_dir() and any(output.iterdir()) and not (output / LIST).is_file():
        names = sorted(path.name for path in output.iterdir())
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        raise OutputRefused(
            f"{output} has files that no build wrote ({shown}); nothing was changed. Choose an empty folder. "
            "If this is the site of an earlier version of Coursewright, delete the folder and build again."
        )


def _check_manifest(manifest: Path, sources: tuple[Path, ...]) -> None:
    """Raise OutputRefused where the manifest would take the place of something else."""
    remedy = "Choose a file of its own, such as build/catalog.json."
    if manifest.is_dir():
        raise OutputRefused(f"{manifest} is a folder. {remedy}")
    place = manifest.resolve()
    for source in sources:
        if place.is_relative_to(source.resolve()) or place.parent == source.resolve().parent:
            raise OutputRefused(f"{manifest} would lie among the school’s own files, and it is private. {remedy}")
    if manifest.exists():
        with manifest.open("rb") as file:
            head = file.read(200)
        if head and not head.startswith(b'{"version":'):
            raise OutputRefused(f"{manifest} is no catalogue that a build wrote; nothing was changed. {remedy}")


def publish_site(built: Path, output: Path) -> Publishing:
    """Copy what differs, assets first, then remove what earlier builds wrote and this one did not.

    Raises OutputRefused where a file that is not ours is in the way; nothing is changed then. And where the disk is
    full or fails; some files are new then and some old, each of them whole.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputRefused(f"{output} cannot be made: {error.strerror}. Choose another folder.") from None
    ours = _read_list(output)
    wanted, there = set(names_below(built)), set(names_below(output)) - {LIST}
    halves = {name for name in there - wanted if _whole_of(name) in ours | wanted | {LIST}}
    foreign = there - ours - halves
    for name in sorted(wanted):
        if name in foreign and (output / name).read_bytes() != (built / name).read_bytes():
            raise OutputRefused(
                f"{output / name} is not from a build, and is in the way. Move it away; to have it on the site, put it "
                "into the folder public/ of your school."
            )
    try:
        with _uninterrupted():
            for name in halves:  # an earlier build was killed
                (output / name).unlink()
            changed = _write(built, output, ours, wanted)
    except OSError as error:
        raise OutputRefused(
            f"{output} could not be written: {error.strerror}. Each of its files is whole, but some are of this build "
            "and some of the one before. Mend that, and run the command again."
        ) from error
    return Publishing(changed, tuple(sorted(foreign - wanted)))


def _write(built: Path, output: Path, ours: set[str], wanted: set[str]) -> int:
    _write_list(output, ours | wanted)  # before the files: what is half written is ours as well
    changed = 0
    for name in sorted(wanted, key=lambda name: (not name.startswith("assets/"), name)):
        changed += _replace(built / name, output / name)
    kept = set()
    for name in sorted(ours - wanted):
        path = output / name
        if _is_recent_asset(name, path):
            kept.add(name)
        elif path.is_file():
            path.unlink()
            _remove_empty(path.parent, output)
            changed += 1
    _write_list(output, wanted | kept)
    return changed


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _whole_of(name: str) -> str:
    """The name of the file that a draft was for; nothing for another file."""
    folder, _, last = name.rpartition("/")
    if not (last.startswith(".") and last.endswith(".new")):
        return ""
    return f"{folder}/" * bool(folder) + last[1:-4]


def _read_list(output: Path) -> set[str]:
    try:
        return set(json.loads((output / LIST).read_text(encoding="utf-8"))["files"])
    except FileNotFoundError:
        return set()
    except (ValueError, TypeError, KeyError):
        raise OutputRefused(
            f"{output / LIST} cannot be read. It lists what builds wrote; without it nothing can be removed safely. "
            "Delete the folder, and build again."
        ) from None


def _write_list(output: Path, names: set[str]) -> None:
    text = json.dumps({"written by": "coursewright build", "files": sorted(names)}, ensure_ascii=False, indent=0)
    path = output / LIST
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    _put(text.encode(), path)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Two builds of one school publish one after the other. Without file locks, as on Windows, nothing is promised."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C and a request to stop wait until all files are written, which takes less than a second."""
    pending: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        pending.append(number)

    before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
    numbers: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        try:
            before[number] = signal.signal(number, remember)
        except ValueError:  # not the main thread, which gets no signals
            break
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in pending:
        signal.raise_signal(number)


def _replace(source: Path, target: Path) -> bool:
    content = source.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        # Times are kept, since servers make ETags of them; but an asset that is in use must not look like an old one.
        if time.time() - target.stat().st_mtime > KEEP_OLD_ASSETS / 2:
            os.utime(target)
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    _put(content, target)
    return True


def _put(content: bytes, target: Path) -> None:
    """Write a file at once: whoever reads it meanwhile gets the old or the new one."""
    draft = _draft_of(target)
    try:
        draft.write_bytes(content)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _remove_empty(folder: Path, output: Path) -> None:
    while folder != output and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _is_recent_asset(name: str, path: Path) -> bool:
    return name.startswith("assets/") and path.is_file() and time.time() - path.stat().st_mtime < KEEP_OLD_ASSETS
