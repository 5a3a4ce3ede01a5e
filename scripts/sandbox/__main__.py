"""`python -m scripts.sandbox --port 8001 --smtp-port 8002 --state var/sandbox.json`."""

import argparse
import ipaddress
import sys
from pathlib import Path

import uvicorn

from .app import create_sandbox
from .inbox import smtp_server
from .store import Store


def main() -> int:
    """Run until stopped. Refuses every address but this machine's own."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--smtp-port", type=int, default=8002)
    parser.add_argument("--state", type=Path, help="remember everything in this file")
    options = parser.parse_args()
    if not is_loopback(options.host):
        print(
            f"The sandbox pretends to be a bank; it does not listen on {options.host}, only on 127.0.0.1.",
            file=sys.stderr,
        )
        return 2
    store = Store(options.state)
    server = smtp_server(store, options.smtp_port)
    server.start()
    try:
        app = create_sandbox(store, page=f"http://{options.host}:{options.port}")
        uvicorn.run(app, host=options.host, port=options.port, log_level="warning", access_log=False)
    finally:
        server.stop()
    return 0


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main())
