"""A page for people who meet another transaction's lock where no form answers: nothing was saved, try again."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from campaigns.database.connection import is_busy

logger = logging.getLogger(__name__)

RETRY_SECONDS = 10


class BusyMiddleware:
    """Answers 503 where a view gave up waiting for a lock, or lost a deadlock; nothing was saved."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not is_busy(error):
            return None
        logger.warning("busy at %s: %s", request.path, error)
        response = render(request, "503.html", status=503)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
