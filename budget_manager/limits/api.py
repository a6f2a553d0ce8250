"""The HTTP API in the web server: threads of its own, a smaller limit of bodies, and problems as answers.

A batch takes a thread for some tenths of a second. If these were the threads of the pages, a few connectors that send
one batch after the other would make people wait. So batches queue for settings.API_THREADS threads of each process,
in the order in which their bodies arrived; a body that is still arriving takes no thread at all.
"""

from __future__ import annotations

import json
from copy import copy
from typing import Any

from django.conf import settings
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

PATH = "/api/"


def is_api(request: Any) -> bool:
    """Return whether a request, maybe parsed only in part, is one to the API."""
    return str(getattr(request, "path", "")).startswith(PATH)


def limit_body(adj: Adjustments) -> Adjustments:
    """Return the adjustments for a request to the API."""
    limited = copy(adj)
    limited.max_request_body_size = settings.API_MAX_BODY + 1  # what has this size is refused
    return limited


def problem(code: int, reason: str, detail: str, path: str) -> bytes:
    """Return the body of an answer to a request that doesn't reach the application."""
    kind = "about:blank"
    if code == 413:
        # As the application says it (campaigns.api.problems), which this process loads later.
        kind, reason = "/api/v1/docs#too-large", "The batch is too large"
        detail = f"A batch has at most {settings.API_MAX_BODY // 1024**2} MB on the wire: send smaller batches."
    return json.dumps({"type": kind, "title": reason, "status": code, "detail": detail, "instance": path}).encode()


class Dispatcher(ThreadedTaskDispatcher):
    """Gives requests to the threads of the API, and all others to its own."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.set_thread_count(threads)
        self.api = ThreadedTaskDispatcher()
        self.api.set_thread_count(settings.API_THREADS)

    def add_task(self, task: Any) -> None:
        """Queue a channel that has a whole request."""
        if task.requests and is_api(task.requests[0]):
            self.api.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool:
        self.api.shutdown(cancel_pending, timeout)
        return super().shutdown(cancel_pending, timeout)
