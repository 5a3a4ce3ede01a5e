"""Copies a finished build to `output/`, file by file, so that no visitor sees half a site."""

import os
import time
from pathlib import Path

KEEP_OLD_ASSETS = 30 * 24 * 3600  # seconds; cached pages may still refer to them


def publish_site(built: Path, output: Path) -> int:
    """Copy what differs, assets first, then remove what is no longer built. Returns how many files changed."""
    output.mkdir(parents=True, exist_ok=True)
    wanted = {path.relative_to(built) for path in built.rglob("*") if path.is_file()}
    changed = 0
    for name in sorted(wanted, key=lambda name: (name.parts[0] != "assets", name)):
        changed += _replace(built / name, output / name)
    for path in sorted(output.rglob("*"), reverse=True):
        name = path.relative_to(output)
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif name not in wanted and not _is_recent_asset(name, path):
            path.unlink()
            changed += 1
    return changed


def _replace(source: Path, target: Path) -> bool:
    content = source.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        # Times are kept, since servers make ETags of them; but an asset that is in use must not look like an old one.
        if time.time() - target.stat().st_mtime > KEEP_OLD_ASSETS / 2:
            os.utime(target)
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.new")
    draft.write_bytes(content)
    draft.replace(target)
    return True


def _is_recent_asset(name: Path, path: Path) -> bool:
    return name.parts[0] == "assets" and time.time() - path.stat().st_mtime < KEEP_OLD_ASSETS
