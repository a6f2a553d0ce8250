"""The web server's worker class: gunicorn manages the processes, waitress serves the connections of each.

gunicorn's gthread worker keeps a thread for each request from its first byte, so slow clients (Slowloris) with as many
half-sent requests as there are threads block the process. waitress reads and writes all connections in one event loop;
a request takes a thread only after its whole body has arrived, until its response is computed. So the number of threads
limits the database connections, and the limit of open files the client connections.

gevent, the usual alternative, limits no database connections, blocks a whole process while one request waits for
SQLite's lock, and breaks with --preload, because Django is loaded before gevent patches threading.
"""

from __future__ import annotations

import gc
import os
import re
import resource
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from gunicorn.config import Config
from gunicorn.errors import ConfigError
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker as GunicornWorker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge

from budget_manager.limits.api import Dispatcher, is_api, limit_body, problem
from budget_manager.limits.uploads import OVERHEAD

# Of one process: each turn of the loop visits all of them, which takes milliseconds for thousands.
MAX_CONNECTIONS = 10_000
KIB = 1024
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
HEADER_TIMEOUT = 30.0
IDLE_TIMEOUT = 60
# A larger body, or a chunked one, which has no announced length, isn't read at all.
MAX_DISCARDED_BODY = 10 * KIB**3
# Bytes per second, on average, of a body that takes longer than IDLE_TIMEOUT.
MIN_BODY_RATE = 500


class Parser(HTTPRequestParser):
    """Parses a request and knows when it began.

    A body that is too large is read and discarded, because a browser shows a response only after sending everything.
    """

    to_discard = 0

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = time.monotonic()

    def received(self, data: bytes) -> int:
        if self.to_discard:
            dropped = min(self.to_discard, len(data))
            self.to_discard -= dropped
            self.body_bytes_received += dropped
            self.completed = not self.to_discard
            return dropped
        consumed = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge) and 0 < self.content_length <= MAX_DISCARDED_BODY:
            self.to_discard, self.completed = self.content_length, False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if is_api(self):
            self.adj = limit_body(self.adj)

    def is_too_slow(self, now: float) -> bool:
        """Return whether to close the connection: one byte now and then would keep it open for ever."""
        age = now - self.began
        if not self.headers_finished:
            return age > HEADER_TIMEOUT
        return age > IDLE_TIMEOUT and self.body_bytes_received < age * MIN_BODY_RATE


class AccessLogMixin:
    """Writes a line about the response to gunicorn's access log."""

    def service(self) -> None:
        began = time.monotonic()
        try:
            super().service()  # type: ignore[misc]
        finally:
            if self.complete:  # type: ignore[attr-defined]
                log_access(self, seconds=time.monotonic() - began)


class ApplicationTask(AccessLogMixin, WSGITask):
    """Runs the application. Omits the body of a HEAD response: Django leaves that to the server, waitress to Django."""

    def get_environment(self) -> dict[str, Any]:
        environ = super().get_environment()
        if is_head(self):
            environ.pop("wsgi.file_wrapper", None)  # or a file would be sent without write()
        return environ

    def write(self, data: bytes) -> None:
        super().write(b"" if is_head(self) else data)
        if is_head(self):
            self.chunked_response = False  # its last chunk would be bytes of a body


class BadRequestTask(AccessLogMixin, ErrorTask):
    """Answers a request that isn't valid or is too large."""

    def execute(self) -> None:
        request: Any = self.request  # typeshed takes the request for its error
        error = request.error
        if is_api(request):
            body = problem(error.code, error.reason, error.body, request.path)
            self.status = f"{error.code} {error.reason}"
            self.response_headers = [*self.response_headers, ("Content-Type", "application/problem+json")]
            self.set_close_on_finish()
            self.content_length = len(body)
            self.write(body)
            return
        if isinstance(error, RequestEntityTooLarge):
            largest = f"{settings.SPEND_UPLOAD_MEGABYTES:,} MB"
            error.body = f"Files can have at most {largest}. Split the file and upload the parts."
        super().execute()


class Channel(HTTPChannel):
    """One connection."""

    parser_class = Parser
    task_class = ApplicationTask
    error_task_class = BadRequestTask
    request: Parser | None

    def is_idle(self) -> bool:
        """Return whether the connection can be closed: no request is running or has sent its headers."""
        receiving = self.request is not None and self.request.headers_finished
        return not (self.requests or self.total_outbufs_len or receiving)

    def close_if_too_slow(self, now: float) -> None:
        if not self.requests and self.request is not None and self.request.is_too_slow(now):
            self.will_close = True


def log_access(task: Any, *, seconds: float) -> None:
    """Write gunicorn's access log line; the request of an error may be parsed only in part."""
    request, channel = task.request, task.channel
    environ = {
        "REMOTE_ADDR": channel.addr[0],
        "REQUEST_METHOD": getattr(request, "command", "-"),
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        **(getattr(task, "environ", None) or {}),
        "RAW_URI": CONTROL_CHARACTERS.sub("?", getattr(request, "request_uri", "-")),
    }
    answer: Any = SimpleNamespace(
        status=task.status,
        headers=task.response_headers,
        sent=bytes_sent(task),
    )
    worker: Worker = channel.server.worker
    worker.log.access(answer, request.headers, environ, timedelta(seconds=seconds))
    worker.count()


def is_head(task: Any) -> bool:
    return getattr(task.request, "command", None) == "HEAD"


def bytes_sent(task: Any) -> int:
    """Return the length of the response's body; the task doesn't count the bytes of a file wrapper."""
    if is_head(task):
        return 0
    return task.content_bytes_written or task.content_length or 0


class Worker(GunicornWorker):
    """A gunicorn worker process: an event loop in its main thread, `--threads` threads for pages, more for the API."""

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        if cfg.is_ssl:
            raise ConfigError(
                "This worker class doesn't support TLS: remove --certfile, and let the proxy in front terminate TLS."
            )

    def run(self) -> None:
        self.map: dict[int, Any] = {}
        gc.freeze()  # or every few batches of the API a collection would visit all of Django, for some 70 ms
        threads = Dispatcher(self.cfg.threads)
        application: Any = self.wsgi
        create_server(application, map=self.map, _dispatcher=threads, **self.adjustments())
        for server in self.servers():
            server.channel_class = Channel
            server.worker = self
        while self.alive and not self.is_orphan():
            self.turn()
        self.finish_requests()
        threads.shutdown(timeout=0)

    def adjustments(self) -> dict[str, Any]:
        listeners: list[Any] = self.sockets  # gunicorn's, each around a socket
        return {
            "sockets": [listener.sock for listener in listeners],
            "backlog": self.cfg.backlog,
            "connection_limit": min(
                MAX_CONNECTIONS, raise_open_file_limit() // 2
            ),  # the rest is for bodies in temporary files
            "asyncore_use_poll": True,  # select() ends at 1,024
            "channel_timeout": IDLE_TIMEOUT,
            "cleanup_interval": 5,
            "max_request_header_size": 32 * KIB,
            # Up to twice the limit the upload page shows the error; beyond that BadRequestTask does.
            "max_request_body_size": 2 * settings.SPEND_UPLOAD_MEGABYTES * KIB**2 + OVERHEAD,
            "recv_bytes": 64 * KIB,
            # Larger bodies go to a temporary file: a thousand connections take 64 MB, and no thread waits for a slow
            # client to read its response.
            "inbuf_overflow": 64 * KIB,
            "outbuf_overflow": 64 * KIB,
            "outbuf_high_watermark": 2**40,
            "clear_untrusted_proxy_headers": False,  # TRUST_PROXY_HEADER decides whether they are believed
            "server_name": "missing-host.invalid",  # for requests without a Host header; ALLOWED_HOSTS refuses it
            "ident": "",
            "log_socket_errors": False,  # clients disconnect all the time
        }

    def servers(self) -> Iterator[Any]:
        return (each for each in list(self.map.values()) if isinstance(each, BaseWSGIServer))

    def channels(self) -> list[Channel]:
        return [each for each in list(self.map.values()) if isinstance(each, Channel)]

    def turn(self) -> None:
        """Handle pending I/O, or wait a second for some, and notify gunicorn that the process is alive."""
        self.notify()
        wasyncore.loop(timeout=1, use_poll=True, map=self.map, count=1)
        self.close_slow_channels()

    def close_slow_channels(self) -> None:
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + 1
        for channel in self.channels():
            channel.close_if_too_slow(now)

    next_look = 0.0

    def finish_requests(self) -> None:
        """Accept no more connections, and run until each response is sent, at most for gunicorn's graceful timeout."""
        for server in self.servers():
            server.accepting = False
        until = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < until and not all(channel.is_idle() for channel in self.channels()):
            self.turn()

    def is_orphan(self) -> bool:
        """Return whether gunicorn's main process has died."""
        return os.getppid() != self.ppid

    def count(self) -> None:
        """Stop after `--max-requests`; gunicorn starts a new process."""
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False


def raise_open_file_limit() -> int:
    """Raise the soft limit of open files as far as allowed, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MAX_CONNECTIONS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
