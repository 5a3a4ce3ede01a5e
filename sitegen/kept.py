"""What one build keeps for the next: results that are used again while what they were made from is the same.

They lie in a folder beside the manifest, one file for each name. Each begins with a key, a digest of everything that
the result depends on, this program and its Python included, and with a digest of the rest of the file; where one of
them is another, it counts for nothing.
"""

import contextlib
import hashlib
import os
import pickle
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from sitegen.school import PACKAGE
from sitegen.state import stats


class Kept:
    """A folder of such results; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, name: str, key: str) -> object | None:
        """The result; None where there is none for this key."""
        if self._folder is None:
            return None
        try:
            with (self._folder / name).open("rb") as file:
                if file.readline() != _line(key):
                    return None
                digest, content = file.readline(), file.read()
        except OSError:
            return None
        if digest != _digest_line(content):
            return None
        return pickle.loads(content)  # type: ignore[no-any-return]  # noqa: S301 - only this program writes there

    def put(self, name: str, key: str, result: object) -> None:
        """Keep it in place of what had this name. Where that fails, as on a full disk, the next build makes it anew."""
        if self._folder is None:
            return
        draft = self._folder / f"{name}.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # objects are read from it: nobody else writes
            content = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
            with draft.open("wb") as file:
                file.writelines((_line(key), _digest_line(content), content))
            draft.replace(self._folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def drop_others(self, prefix: str, names: Iterable[str]) -> None:
        """Remove what is kept under names that begin so and are not among these."""
        wanted = set(names)
        for path in self._folder.glob(f"{prefix}*") if self._folder is not None else ():
            if path.name not in wanted:
                with contextlib.suppress(OSError):
                    path.unlink()


NOTHING_KEPT = Kept(None)


def key_of(*parts: object) -> str:
    """A digest of values whose `repr` says all of them."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _line(key: str) -> bytes:
    return f"{key} {_program()}\n".encode()


def _digest_line(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode() + b"\n"


@cache
def _program() -> str:
    return key_of(sys.version, *stats(PACKAGE))
