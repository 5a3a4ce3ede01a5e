"""Looks for private words in what visitors would get: a program of its own, so that the preview stays quick."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from sitegen.build import private_of, render, sources_of
from sitegen.leaks.find import Leak, find_leaks
from sitegen.leaks.origins import traced
from sitegen.load import load_school
from sitegen.school import School


def main() -> None:
    """Prints a list of problems, as JSON."""
    os.nice(10)
    school, now = School(Path(sys.argv[1])), datetime.now(UTC)
    loaded = load_school(school, now=now)
    files = {file.name: file.content for file in render(school, loaded, site_url=None, now=now)}
    found = find_leaks(files, private_of(school, loaded.catalog.at(now)))
    refused, told = (traced(leaks, sources_of(school, loaded), school.root) for leaks in (found.refused, found.told))
    problems = [_problem(leak, "The build will refuse it. Take it out of this page.") for leak in refused]
    problems += [_problem(leak, "If it is a quotation, write it into “public_excerpt:”.") for leak in told]
    print(json.dumps(problems, ensure_ascii=False))


def _problem(leak: Leak, remedy: str) -> dict[str, str]:
    words = f": “{leak.words}”" if leak.words else ""
    return {
        "place": leak.written or f"{leak.file}:{leak.line}",
        "problem": f"contains {leak.what}{words}",
        "remedy": remedy,
    }


if __name__ == "__main__":
    main()
