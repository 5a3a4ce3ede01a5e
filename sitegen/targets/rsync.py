"""A folder of another machine, or of this one, by rsync. How to get there is ssh's business: keys, ports, hosts."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sitegen.publish import OutputRefused

_UNREACHABLE = {10, 12, 30, 35, 255}  # rsync(1), “EXIT VALUES”; 255 is ssh's own
_TIMEOUT = 60  # seconds without any answer


class RsyncStore:
    """`place` is what rsync takes: `host:/srv/school`."""

    def __init__(self, place: str, *, is_private: bool = False) -> None:
        self.place = place.rstrip("/")
        self._modes = "--chmod=D750,F640" if is_private else "--chmod=D755,F644"

    def read(self, name: str) -> bytes | None:
        """A file's content; None where there is none."""
        with tempfile.TemporaryDirectory(prefix="coursewright-") as folder:
            done = self._rsync(f"{self.place}/{name}", f"{folder}/", may_miss=True)
            path = Path(folder) / name
            return path.read_bytes() if done is not None and path.is_file() else None

    def names(self, wanted: Sequence[str]) -> set[str]:
        """The files there."""
        if self._rsync("--list-only", f"{self.place}/", may_miss=True) is None:
            return set()
        listed = self._rsync("-r", "--list-only", "--no-h", f"{self.place}/")
        found = set()
        for line in (listed or "").splitlines():
            parts = line.split(maxsplit=4)  # permissions, size, day, time, name
            if len(parts) == 5 and not parts[0].startswith("d"):
                found.add(_unescaped(parts[4].partition(" -> ")[0]))
        return found

    def write(self, name: str, content: bytes) -> None:
        """Write one file."""
        with tempfile.TemporaryDirectory(prefix="coursewright-") as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            self.upload(Path(folder), [name])

    def upload(self, site: Path, names: Sequence[str]) -> None:
        """Write files, each under another name first, so that nobody reads half of one."""
        if names:
            self._rsync(
                "--from0", "--files-from=-", "--ignore-times", "--delay-updates", "--perms", self._modes,
                "--mkpath", f"{site}/", f"{self.place}/",
                names=names,
            )  # fmt: skip

    def remove(self, names: Sequence[str]) -> None:
        """Remove these files, and folders that are empty then. What no rule names is excluded, and stays."""
        if not names:
            return
        folders = {f"{parent}/" for name in names for parent in PurePosixPath(name).parents if parent.name}
        rules = [_pattern(each) for each in sorted(folders | set(names))]
        with tempfile.TemporaryDirectory(prefix="coursewright-") as empty:
            self._rsync(
                "-r", "--delete", "--from0", "--include-from=-", "--exclude=*", f"{empty}/", f"{self.place}/",
                names=rules,
            )  # fmt: skip

    def _rsync(self, *arguments: str, names: Sequence[str] = (), may_miss: bool = False) -> str | None:
        """What rsync printed; None where the source is missing and may be."""
        command = ["rsync", f"--timeout={_TIMEOUT}", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - the command is rsync, and the place is the creator's own setting
                command, input="\0".join(names).encode(), capture_output=True, check=False
            )
        except FileNotFoundError:
            raise OutputRefused("rsync is not installed on this machine. Install it, and publish again.") from None
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "replace")
        if done.returncode == 23 and may_miss and b"No such file or directory" in done.stderr:
            return None
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit status {done.returncode}"]
        if done.returncode in _UNREACHABLE:
            raise OutputRefused(f"{self.place} cannot be reached: {said[0]} Publish again when it can.")
        raise OutputRefused(f"rsync stopped at {self.place}: {said[0]} Publish again once that is mended.")


def _pattern(name: str) -> str:
    """A name as a rule of rsync, which reads some signs of it otherwise: rsync(1), “PATTERN MATCHING RULES”."""
    return "/" + (re.sub(r"([\\*?\[])", r"\\\1", name) if set(name) & set("*?[") else name)


def _unescaped(name: str) -> str:
    r"""rsync lists signs it does not print as `\#ooo`, in octal."""
    raw, position = bytearray(), 0
    data = name.encode("utf-8", "surrogateescape")
    while position < len(data):
        if data[position : position + 2] == b"\\#" and data[position + 2 : position + 5].isdigit():
            raw.append(int(data[position + 2 : position + 5], 8) & 255)
            position += 5
        else:
            raw.append(data[position])
            position += 1
    return raw.decode("utf-8", "replace")
