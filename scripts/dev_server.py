"""The demo for people who work on the code: rebuilds the site and restarts the service when files change."""

import argparse
import sys

from watchfiles import watch

from scripts.demo import FOLDER
from scripts.installation import ROOT, Installation, StartFailed, port_is_free

SITE = ("course_data", "content", "theme", "sitegen", "pelicanconf.py")
SERVICE = ("dynamic_api", "sitegen")


def main() -> int:
    """Runs until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="scripts/dev", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="the service's port; the two after it are used too")
    options = parser.parse_args()
    for port in range(options.port, options.port + 3):
        if not port_is_free(port):
            print(f"Port {port} is in use. Choose another: ./scripts/dev --port 8100", file=sys.stderr)
            return 1
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    installation = Installation(ROOT / FOLDER, options.port, options.port + 1, options.port + 2)
    try:
        installation.build()
        installation.start_sandbox()
        installation.migrate()
        installation.start_service()
        print(f"The school: {installation.url}/   Email, payments: {installation.sandbox}/   Ctrl-C stops.", flush=True)
        for changes in watch(*(ROOT / name for name in {*SITE, *SERVICE}), raise_interrupt=False):
            changed = {path[len(str(ROOT)) + 1 :].partition("/")[0] for _, path in changes}
            _update(installation, changed)
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        installation.stop()
    return 0


def _update(installation: Installation, changed: set[str]) -> None:
    """Does what these folders need; a mistake in a file is shown, and the last good version keeps running."""
    try:
        if changed & set(SITE):
            installation.build()
            print("Rebuilt.", flush=True)
        if changed & set(SERVICE):
            installation.restart_service()
            print("Restarted.", flush=True)
    except StartFailed as error:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
