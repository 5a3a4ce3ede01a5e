"""Compressed files beside those of a finished site, so that web servers compress nothing while somebody waits.

Caddy and nginx send them by themselves, as `coursewright host` sets them up.
"""

import gzip
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import zstandard

from sitegen.folders import names_below

TEXTS = frozenset({".html", ".css", ".js", ".json", ".xml", ".svg", ".txt", ".md", ".atom", ".webmanifest"})
WORTH_IT = 1024  # bytes

_WAYS: Mapping[str, Callable[[bytes], bytes]] = {
    ".gz": lambda content: gzip.compress(content, compresslevel=9, mtime=0),
    ".br": lambda content: brotli.compress(content, quality=9),
    ".zst": lambda content: zstandard.ZstdCompressor(level=15).compress(content),
}


def compress(site: Path, cache: Path) -> None:
    """Write the compressed forms of every text file. `cache` keeps them by content; what is no longer used goes."""
    used = set()
    for path in (path for name in names_below(site) if (path := site / name).suffix in TEXTS):
        content = path.read_bytes()
        if len(content) < WORTH_IT or path.name.startswith("_"):
            continue
        digest = hashlib.sha256(content).hexdigest()[:32]
        for ending, way in _WAYS.items():
            kept = cache / digest[:2] / f"{digest}{ending}"
            used.add(kept)
            if not kept.is_file():
                _keep(kept, way(content))
            os.link(kept, path.with_name(path.name + ending))
    for name in names_below(cache):
        if cache / name not in used:
            (cache / name).unlink()


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
