"""The demo: builds the sample school, starts the sandbox and the service, prints their URLs, stops on Ctrl-C."""

import argparse
import json
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from scripts.installation import ROOT, Installation, StartFailed, port_is_free

VAR = ROOT / "var"


def main() -> int:
    """Exit status 1 if something prevents it; a sentence says what."""
    parser = argparse.ArgumentParser(prog="scripts/run", description="Run the sample school on this machine.")
    parser.add_argument("--port", type=int, default=8000, help="the service's port; the two after it are used too")
    parser.add_argument("--fresh", action="store_true", help="start again from nothing")
    options = parser.parse_args()
    for port in range(options.port, options.port + 3):
        if not port_is_free(port):
            print(
                f"Port {port} is in use. Stop what runs there, or choose another: ./scripts/run --port 8100",
                file=sys.stderr,
            )
            return 1
    if options.fresh:
        shutil.rmtree(VAR, ignore_errors=True)
    VAR.mkdir(exist_ok=True)
    _adapt_to_port(options.port)
    installation = Installation(VAR, options.port, options.port + 1, options.port + 2)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        print("Building the sample school …", flush=True)
        installation.build()
        installation.start_sandbox()
        installation.migrate()
        installation.start_service()
        installation.upload_captions()
        installation.write_environment()
        print(f"\n  The school:                {installation.url}/", flush=True)
        print(f"  Email, payments, refunds:  {installation.sandbox}/", flush=True)
        print(
            "\nCtrl-C stops everything. Data is kept in var/; ./scripts/run --fresh starts again from nothing.",
            flush=True,
        )
        while all(process.poll() is None for process in installation.processes.values()):
            time.sleep(0.3)
        print("A process ended unexpectedly; see var/service.log and var/sandbox.log.", file=sys.stderr)
        return 1
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping …")
        return 0
    finally:
        installation.stop()


def _adapt_to_port(port: int) -> None:
    """The sandbox's webhook endpoint contains the port; with another port it is moved."""
    stamp = VAR / "port"
    if stamp.exists() and stamp.read_text() != str(port):
        _move_endpoint(VAR / "sandbox.json", int(stamp.read_text()), port)
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
    sys.exit(main())
