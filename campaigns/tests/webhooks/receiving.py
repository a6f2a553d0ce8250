"""A receiver of webhooks on this machine: a real HTTP or HTTPS server that behaves as badly as a test wants."""

from __future__ import annotations

import itertools
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from campaigns.models import Delivery, Endpoint, OutboxMessage
from campaigns.services.webhooks.signatures import new_secret

# Made for these tests: a certificate of localhost, which it signs itself, and its key.
CERTIFICATE = Path(__file__).with_name("receiver.pem")
OWN_NETWORKS = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
_numbers = itertools.count(1)


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def data(self) -> Any:
        return json.loads(self.body)


# Answers a request by itself, having read it.
Answering = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.begun.append(time.monotonic())
        self.server.open_now += 1
        self.server.most_open = max(self.server.most_open, self.server.open_now)
        self.server.received.append(Received(self.path, headers, body, time.time()))
        try:
            with suppress(OSError):  # the sender has gone
                self.server.answering(self)
        finally:
            self.server.open_now -= 1

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answering: Answering, tls: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answering = answering
        self.received: list[Received] = []
        self.begun: list[float] = []
        self.open_now = self.most_open = 0
        # Set at the end, so that an answer that waits for it ends too.
        self.over = Event()
        self.tls = tls
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/hook" if self.tls else f"http://127.0.0.1:{self.port}/hook"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that hangs up is no error of the receiver."""


@contextmanager
def receiver(answering: Answering | int = 200, *, tls: bool = False) -> Iterator[Receiver]:
    """Run a receiver that answers with a status, or as a function does."""
    answer = status(answering) if isinstance(answering, int) else answering
    server = Receiver(answer, tls)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def status(code: int, **headers: str) -> Answering:
    """Return what answers with a status and headers, written with underscores."""

    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    return answer


def hang(handler: Handler) -> None:
    """Answer nothing until the test is over."""
    handler.server.over.wait(60)


def drip(handler: Handler) -> None:
    """Send a byte of a valid answer every 0.3 seconds, for a minute."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200:
        if handler.server.over.wait(0.3):
            return
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()


def raw(data: bytes, times: int = 1) -> Answering:
    """Return what answers with these bytes, whatever they are."""

    def answer(handler: Handler) -> None:
        for _ in range(times):
            handler.wfile.write(data)
        handler.wfile.flush()
        handler.close_connection = True

    return answer


def make_endpoint(url: str, **fields: Any) -> Endpoint:
    defaults = {"name": f"Endpoint {next(_numbers)}", "url": url, "secret": new_secret(), "status_changed": True}
    return Endpoint.objects.create(**defaults | fields)


def make_delivery(endpoint: Endpoint, *, now: Any, **fields: Any) -> Delivery:
    message = OutboxMessage.objects.create(event="test", data='{"test":true}', created_at=now)
    defaults = {"message": message, "endpoint": endpoint, "created_at": now, "next_attempt_at": now}
    return Delivery.objects.create(**defaults | fields)
