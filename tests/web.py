"""A web of our own for tests: a local server that answers as it is told, and counts who connects."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Mapping[str, str], bytes]
Page = bytes | Answer | Callable[[BaseHTTPRequestHandler], None]


class Web(ThreadingHTTPServer):
    """`pages` by path: bytes of HTML, (status, headers, body), or what writes to the connection itself."""

    daemon_threads = True

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []  # path and headers
        self.connections = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    def verify_request(self, *_: Any) -> bool:
        self.connections += 1
        return True

    def handle_error(self, *_: Any) -> None:
        """Who leaves in the middle is no error."""

    @property
    def port(self) -> int:
        return int(self.server_port)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def paths(self, *without: str) -> list[str]:
        return [path for path, _ in self.asked if path not in ("/robots.txt", *without)]


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        page = self.server.pages.get(self.path, (404, {}, b"nothing here"))
        if callable(page):
            return page(self)
        status, headers, body = (
            (200, {"Content-Type": "text/html; charset=utf-8"}, page) if isinstance(page, bytes) else page
        )
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)
        return None

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def web() -> Iterator[Web]:
    with Web() as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.05,))
        thread.start()
        yield served
        served.shutdown()
        thread.join()
