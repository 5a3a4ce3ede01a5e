"""`coursewright check --links`: pages of other sites that are gone are told with their place; nobody is asked twice."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sitegen.catalog.library import External
from sitegen.links import broken_links
from tests.ports import free_ports


@pytest.fixture
def other_site() -> Iterator[tuple[str, list[str]]]:
    """Another site, and what it was asked for."""
    asked: list[str] = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status = {"/gone": 404, "/forbidden": 403, "/circle": 302}.get(self.path, 200)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/circle")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_gone_is_told_with_its_place(other_site: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = other_site
    [closed] = free_ports(1)
    addresses = ["/good#part", "/good", "/gone", "/forbidden", "/circle"]
    links = [External(url + path, tmp_path / "a.md", n, 1) for n, path in enumerate(addresses, start=1)]
    links.append(External(f"http://127.0.0.1:{closed}/", tmp_path / "a.md", 9, 1))
    faults = broken_links(links, tmp_path / "build/links.json")
    assert [(fault.line, fault.problem.partition(": ")[2]) for fault in faults] == [
        (3, "the answer is 404."),
        (5, "it redirects in a circle."),
        (9, "nothing answers there."),
    ]
    assert asked.count("/good") == 1
    broken_links(links, tmp_path / "build/links.json")
    assert asked.count("/good") == 1  # it was good a moment ago
    assert asked.count("/gone") == 2
    (tmp_path / "build/links.json").write_text("nonsense")
    broken_links(links, tmp_path / "build/links.json")
    assert asked.count("/good") == 2
