"""The web server's worker class: gunicorn manages the processes, waitress serves the connections of each.

gunicorn's own threads each read one request and write one answer. So as many half-sent requests as there are threads,
sent by anybody, stop everything. waitress reads and writes all connections in one loop; a thread is taken only by a
request that has arrived with its whole body, and only until its answer is made. The number of threads bounds the work,
and with it the connections to the database; only open files bound the connections of clients.

gevent, the usual alternative, bounds no connections to the database, stops a whole process while one request waits for
SQLite's lock, and with --preload mixes up connections, because Django is loaded before gevent replaces the threads.
"""

from __future__ import annotations

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
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import RequestEntityTooLarge

from budget_manager.upload_limit import AROUND

MOST_CONNECTIONS = 10_000
"""Of one process: its loop asks each of them at each turn, which takes milliseconds for thousands."""
KIB = 1024
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SECONDS_FOR_HEADERS = 30.0
SECONDS_WITHOUT_A_BYTE = 60
MOST_TO_DROP = 10 * KIB**3
"""Of a larger body nothing is read, nor of one in chunks, which announces no length."""
LEAST_BYTES_A_SECOND = 500
"""A body that has taken longer than SECONDS_WITHOUT_A_BYTE must have come at this rate on average."""


class Parser(HTTPRequestParser):
    """A request on its way in, which knows when it began.

    A body that is too large is read and dropped: a browser shows an answer only after it has sent everything.
    """

    to_drop = 0

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = time.monotonic()

    def received(self, data: bytes) -> int:
        if self.to_drop:
            dropped = min(self.to_drop, len(data))
            self.to_drop -= dropped
            self.body_bytes_received += dropped
            self.completed = not self.to_drop
            return dropped
        consumed = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge) and 0 < self.content_length <= MOST_TO_DROP:
            self.to_drop, self.completed = self.content_length, False
        return consumed

    def is_too_slow(self, now: float) -> bool:
        """Tell whether to cut its client off: one byte now and then would keep the connection open for ever."""
        age = now - self.began
        if not self.headers_finished:
            return age > SECONDS_FOR_HEADERS
        return age > SECONDS_WITHOUT_A_BYTE and self.body_bytes_received < age * LEAST_BYTES_A_SECOND


class InAccessLog:
    """A task whose answer has a line in gunicorn's access log."""

    def service(self) -> None:
        began = time.monotonic()
        try:
            super().service()  # type: ignore[misc]
        finally:
            if self.complete:  # type: ignore[attr-defined]
                log_access(self, seconds=time.monotonic() - began)


class AnswerTask(InAccessLog, WSGITask):
    """The application answers. Django leaves it to the server to send no body to HEAD, and waitress to Django."""

    def get_environment(self) -> dict[str, Any]:
        environ = super().get_environment()
        if is_head(self):
            environ.pop("wsgi.file_wrapper", None)  # or a file would be sent without write()
        return environ

    def write(self, data: bytes) -> None:
        super().write(b"" if is_head(self) else data)
        if is_head(self):
            self.chunked_response = False  # whose end would be bytes of a body


class RefusalTask(InAccessLog, ErrorTask):
    """waitress answers what isn't a valid request, or is too large."""

    def execute(self) -> None:
        error = self.request.error  # type: ignore[attr-defined]  # typeshed takes the request for its error
        if isinstance(error, RequestEntityTooLarge):
            largest = f"{settings.SPEND_UPLOAD_MEGABYTES:,} MB"
            error.body = f"The largest file that can be uploaded has {largest}: send it in parts."
        super().execute()


class Channel(HTTPChannel):
    """One connection."""

    parser_class = Parser
    task_class = AnswerTask
    error_task_class = RefusalTask
    request: Parser | None

    def is_idle(self) -> bool:
        """Tell whether nothing is lost when the connection ends: no request is running or has its headers here."""
        receiving = self.request is not None and self.request.headers_finished
        return not (self.requests or self.total_outbufs_len or receiving)

    def close_if_too_slow(self, now: float) -> None:
        if not self.requests and self.request is not None and self.request.is_too_slow(now):
            self.will_close = True


def log_access(task: Any, *, seconds: float) -> None:
    """Write gunicorn's line about an answer; an error's request may have been understood in part only."""
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
    """Return the length of the answer's body; what a file holds is sent behind the task's back."""
    if is_head(task):
        return 0
    return task.content_bytes_written or task.content_length or 0


class Worker(GunicornWorker):
    """One of gunicorn's processes: a loop in its main thread, `--threads` of them for the application."""

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        if cfg.is_ssl:
            raise ConfigError("This worker class speaks no TLS: leave --certfile to the proxy before it.")

    def run(self) -> None:
        self.map: dict[int, Any] = {}
        threads = ThreadedTaskDispatcher()
        threads.set_thread_count(self.cfg.threads)
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
            "connection_limit": min(MOST_CONNECTIONS, raise_limit_of_files() // 2),  # others are spilled bodies
            "asyncore_use_poll": True,  # select() ends at 1,024
            "channel_timeout": SECONDS_WITHOUT_A_BYTE,
            "cleanup_interval": 5,
            "max_request_header_size": 32 * KIB,
            # Up to twice the limit the page says what was too large; beyond that we do, and nothing is put aside.
            "max_request_body_size": 2 * settings.SPEND_UPLOAD_MEGABYTES * KIB**2 + AROUND,
            "recv_bytes": 64 * KIB,
            # What is larger goes to a temporary file, so that a thousand of them take 64 MB, and no thread waits for
            # a reader: an answer is never too large to be put aside.
            "inbuf_overflow": 64 * KIB,
            "outbuf_overflow": 64 * KIB,
            "outbuf_high_watermark": 2**40,
            "clear_untrusted_proxy_headers": False,  # TRUST_PROXY_HEADER says who believes them
            "server_name": "missing-host.invalid",  # what ALLOWED_HOSTS refuses of a request without a Host header
            "ident": "",
            "log_socket_errors": False,  # people close their browsers
        }

    def servers(self) -> Iterator[Any]:
        return (each for each in list(self.map.values()) if isinstance(each, BaseWSGIServer))

    def channels(self) -> list[Channel]:
        return [each for each in list(self.map.values()) if isinstance(each, Channel)]

    def turn(self) -> None:
        """Read and write what can be, or wait a second for it; tell gunicorn that the loop runs."""
        self.notify()
        wasyncore.loop(timeout=1, use_poll=True, map=self.map, count=1)
        self.close_slow_ones()

    def close_slow_ones(self) -> None:
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + 1
        for channel in self.channels():
            channel.close_if_too_slow(now)

    next_look = 0.0

    def finish_requests(self) -> None:
        """Take no more connections, and go on until each answer is sent, at most for gunicorn's graceful time-out."""
        for server in self.servers():
            server.accepting = False
        until = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < until and not all(channel.is_idle() for channel in self.channels()):
            self.turn()

    def is_orphan(self) -> bool:
        """Tell whether gunicorn has gone without a word."""
        return os.getppid() != self.ppid

    def count(self) -> None:
        """End after `--max-requests`; gunicorn starts another in our place."""
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False


def raise_limit_of_files() -> int:
    """Let this process have as many open files as it may, and return how many those are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
