"""`python -m sitegen check|build|schema`."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from sitegen.build import BuildFailed, SiteLeaks, build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.load import load_catalog
from sitegen.reference import write_reference

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: done. 1: the course files, theme or content need mending, and nothing was published."""
    options = _parser().parse_args(arguments)
    course_data = Path(os.path.relpath(options.course_data))  # so that faults name short paths
    try:
        if options.command == "schema":
            return _schema()
        if options.command == "check":
            catalog = load_catalog(course_data)
            return _say(options, {"courses": len(catalog.courses)}, f"{len(catalog.courses)} courses, no faults.")
        built = build_site(
            ROOT,
            course_data=course_data,
            output=Path(options.output),
            manifest=Path(options.manifest),
            site_url=options.site_url,
        )
    except CatalogInvalid as error:
        return _refuse(options, [str(fault) for fault in error.faults], "fault")
    except SiteLeaks as error:
        return _refuse(options, [str(leak) for leak in error.leaks], "leak")
    except BuildFailed as error:
        return _refuse(options, str(error).splitlines(), "problem")
    return _say(
        options,
        asdict(built),
        f"{built.courses} courses ({built.drafts} drafts left out), {built.lessons} lessons, "
        f"{built.pages} pages; {built.changed} files changed. Manifest {built.version}.",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/coursewright", epilog="Example: scripts/coursewright build --site-url https://school.example"
    )
    parser.add_argument("command", choices=["check", "build", "schema"])
    parser.add_argument("--course-data", default=str(ROOT / "course_data"), help="the course files")
    parser.add_argument("--output", default=str(ROOT / "output"), help="where the site goes")
    parser.add_argument("--manifest", default=str(ROOT / "build" / "catalog.json"), help="the service's private copy")
    parser.add_argument(
        "--site-url", default=os.environ.get("COURSEWRIGHT_SITE_URL"), help="the site's own address, unless site.yaml's"
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    return parser


def _say(options: argparse.Namespace, data: dict[str, object], sentence: str) -> int:
    print(json.dumps(data) if options.json else sentence)
    return 0


def _refuse(options: argparse.Namespace, messages: list[str], noun: str) -> int:
    if options.json:
        print(json.dumps({f"{noun}s": messages}))
    else:
        count = f"{len(messages)} {noun}" + ("s" if len(messages) != 1 else "")
        print("\n".join(messages), f"\n{count}; nothing was published.", sep="\n", file=sys.stderr)
    return 1


def _schema() -> int:
    for path in write_reference(ROOT / "docs"):
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
