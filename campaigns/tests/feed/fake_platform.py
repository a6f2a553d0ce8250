"""An ad platform on this machine: statuses by account and campaign, changed over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakePlatform:
    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}
        self.changes: list[tuple[str, str]] = []
        # Campaigns that it refuses to change.
        self.broken: set[str] = set()
        self.changed = threading.Event()
        self.address = ""


@contextmanager
def running_platform() -> Iterator[FakePlatform]:
    platform = FakePlatform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, {"status": platform.statuses.get(self.path[1:], "active")})

        def do_PUT(self) -> None:
            campaign = self.path[1:]
            status = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["status"]
            if campaign in platform.broken:
                self.answer(403, {"problem": "no rights"})
                return
            platform.statuses[campaign] = status
            platform.changes.append((campaign, status))
            self.answer(200, {})
            platform.changed.set()

        def answer(self, code: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    platform.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
