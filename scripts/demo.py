"""The demo: builds a school, starts the sandbox and the service, prints their URLs, stops on Ctrl-C.

`scripts/run` shows the sample school with it, `coursewright demo` any other: a creator rehearses their own courses.
"""

import json
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import click

from .installation import Installation, StartFailed, port_is_free

FOLDER = "var/demo"  # beside it is the database of the school itself


@click.command(epilog="Example: coursewright demo --port 8100")
@click.option("--port", default=8000, show_default=True, help="The service's port; the two after it are used too.")
@click.option("--fresh", is_flag=True, help="Start again from nothing.")
@click.option(
    "--school",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="The school's folder; the current one, unless told otherwise.",
)
def demo(port: int, fresh: bool, school: Path) -> None:
    """Rehearse a school: buy with card 4242 4242 4242 4242, read its emails, refund. Nothing leaves this machine."""
    if not (school / "course_data" / "site.yaml").is_file():
        raise click.UsageError(f"There is no school in {school.resolve()}: no course_data/site.yaml. Name it: --school")
    sys.exit(run(school.resolve(), port=port, fresh=fresh))


def run(school: Path, *, port: int, fresh: bool) -> int:
    """Run until Ctrl-C. Exit status 1 if something prevents it; a sentence says what."""
    var = school / FOLDER
    for each in range(port, port + 3):
        if not port_is_free(each):
            print(
                f"Port {each} is in use. Stop what runs there, or choose another, such as --port 8100.", file=sys.stderr
            )
            return 1
    if fresh:
        shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True, exist_ok=True)
    _adapt_to_port(var, port)
    installation = Installation(var, port, port + 1, port + 2, school)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        print("Building the school …", flush=True)
        installation.build()
        installation.start_sandbox()
        installation.migrate()
        installation.start_service()
        installation.upload_captions()
        installation.write_environment()
        print(f"\n  The school:                {installation.url}/", flush=True)
        print(f"  Email, payments, refunds:  {installation.sandbox}/", flush=True)
        print(f"\nCtrl-C stops everything. Data is kept in {FOLDER}; --fresh starts again from nothing.", flush=True)
        while all(process.poll() is None for process in installation.processes.values()):
            time.sleep(0.3)
        print(f"A process ended unexpectedly; see {FOLDER}/service.log and {FOLDER}/sandbox.log.", file=sys.stderr)
        return 1
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping …")
        return 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second one must not leave a process behind
        installation.stop()


def _adapt_to_port(var: Path, port: int) -> None:
    """The sandbox's webhook endpoint contains the port; with another port it is moved."""
    stamp = var / "port"
    if stamp.exists() and stamp.read_text() != str(port):
        _move_endpoint(var / "sandbox.json", int(stamp.read_text()), port)
    stamp.write_text(str(port))


def _move_endpoint(state: Path, old: int, new: int) -> None:
    if not state.exists():
        return
    remembered = json.loads(state.read_text())
    for thing in remembered["objects"].values():
        if thing["object"] == "webhook_endpoint":
            thing["url"] = thing["url"].replace(f":{old}/", f":{new}/")
    state.write_text(json.dumps(remembered))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    demo()
