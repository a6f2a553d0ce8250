"""Answers 503 with a page that says "try again" if a request fails because rows are locked or a deadlock occurred."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from campaigns.database.connection import is_busy

logger = logging.getLogger(__name__)

RETRY_SECONDS = 10


class BusyMiddleware:
    """For views without a form that could show the error. Nothing was saved: the transaction was rolled back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not is_busy(error):
            return None
        logger.warning("rows locked at %s: %s", request.path, error)
        response = render(request, "503.html", status=503)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
