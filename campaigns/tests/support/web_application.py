"""The product behind two paths of our own, for tests of the web server that runs it.

/large answers with 20 MB, more than sockets hold. /waits answers when a test has written into the FIFO that TEST_FIFO
names, so a test knows that a request is running, and decides when it ends. TEST_HEADER_TIMEOUT makes the server
less patient.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from budget_manager import web
from budget_manager.wsgi import application as product

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MEGABYTE = b"x" * 1024**2
MEGABYTES = 20

web.HEADER_TIMEOUT = float(os.environ.get("TEST_HEADER_TIMEOUT", web.HEADER_TIMEOUT))


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Length", str(MEGABYTES * len(MEGABYTE)))])
        return (MEGABYTE for _ in range(MEGABYTES))
    if environ["PATH_INFO"] == "/waits":
        written = Path(os.environ["TEST_FIFO"]).read_bytes()
        start_response("200 OK", [("Content-Length", str(len(written)))])
        return [written]
    return product(environ, start_response)
