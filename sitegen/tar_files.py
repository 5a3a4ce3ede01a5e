"""Files out of a tar archive, and nothing else of it: no links, devices, owners or modes.

Python's own filters do the same, but the Python 3.11 of Debian 12 has none yet.
"""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath


def unpack_files(archive: tarfile.TarFile, folder: Path, is_wanted: Callable[[str], bool] = lambda _name: True) -> None:
    """Copy the files whose names are wanted into a folder. Raises tarfile.TarError."""
    for member in archive.getmembers():
        name = PurePosixPath(member.name)
        if not member.isfile() or not is_wanted(member.name):
            continue
        if name.is_absolute() or ".." in name.parts:
            raise tarfile.ReadError(f"{member.name} leads out of the archive")
        content = archive.extractfile(member)
        if content is not None:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)
