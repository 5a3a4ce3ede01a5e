"""The search index of the public pages, made by Pagefind (the extra `search`), and kept until the pages change.

https://pagefind.app — browsers load it when somebody searches, and nothing before.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = "pagefind"  # below the output folder
MARK = "data-pagefind-body"  # on what is searched: only pages that search engines may list have it
_KEEP = 3  # indexes
_SECONDS = 300


class SearchFailed(Exception):
    """Pagefind stopped; the message says why."""


def can_search() -> bool:
    """Whether Pagefind is installed."""
    return importlib.util.find_spec("pagefind") is not None


def add_search(site: Path, cache: Path, language: str) -> None:
    """Write the index into the folder of a rendered site: one for all its languages. Raises SearchFailed."""
    digest = hashlib.sha256(language.encode())
    for path in sorted(site.rglob("*.html")):
        content = path.read_bytes()
        if MARK.encode() in content:
            digest.update(path.relative_to(site).as_posix().encode() + b"\0" + content)
    kept = cache / digest.hexdigest()[:20]
    if not kept.is_dir():
        _make(site, kept, language)
        made = [each for each in cache.iterdir() if "." not in each.name]
        for old in sorted(made, key=lambda each: each.stat().st_mtime)[:-_KEEP]:
            shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(kept, site / FOLDER)


def _make(site: Path, kept: Path, language: str) -> None:
    draft = kept.with_name(f"{kept.name}.{os.getpid()}")  # two builds may run at once
    kept.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pagefind", "--site", str(site), "--output-path", str(draft), "--quiet"]
    command += ["--force-language", language.partition("-")[0], "--exclude-selectors", ".anchor"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise SearchFailed(f"The search index was not made within {_SECONDS} seconds.") from None
    if done.returncode:
        raise SearchFailed(f"The search index could not be made: {(done.stderr or done.stdout).strip()[-500:]}")
    for name in _UNUSED:
        (draft / name).unlink(missing_ok=True)
    try:
        draft.rename(kept)
    except OSError:
        if not kept.is_dir():
            raise
        shutil.rmtree(draft)  # the other build was first; both made the same


# Pagefind's own pages and styles: ours are in the theme.
_UNUSED = (
    "pagefind-ui.js", "pagefind-ui.css", "pagefind-modular-ui.js", "pagefind-modular-ui.css", "pagefind-highlight.js",
    "pagefind-component-ui.js", "pagefind-component-ui.css",
)  # fmt: skip
