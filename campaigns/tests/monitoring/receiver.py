"""A local HTTP server that keeps what it receives, for everything that calls addresses."""

from __future__ import annotations

import gzip
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple


class Received(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_GET(self) -> None:
        self._take()

    def do_POST(self) -> None:
        self._take()

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Received(self.command, self.path, headers, body))
        time.sleep(self.server.delay)
        answered = self.server.answers.get(self.path, b"{}")
        self.send_response(self.server.statuses.get(self.path, self.server.status))
        self.send_header("Content-Length", str(len(answered)))
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()
        with suppress(OSError):  # a client that waits no longer
            self.wfile.write(answered)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing in the output of the tests."""


class Receiver(ThreadingHTTPServer):
    """Receives while the context is open; delay is in seconds."""

    daemon_threads = True

    def __init__(self, *, status: int = 200, delay: float = 0, location: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.delay, self.location = status, delay, location
        self.statuses: dict[str, int] = {}
        self.answers: dict[str, bytes] = {}
        self.received: list[Received] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()


def wait_until(what: str, happened: object, *, seconds: float = 30) -> None:
    """Wait until a callable returns something true."""
    assert callable(happened)
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
