"""What all calls of the API share: key, scope, throttle, a free slot, and problems for whatever goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import BoundedSemaphore

from django.conf import settings
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from campaigns.api.problems import Problem
from campaigns.database.clock import database_now
from campaigns.database.connection import is_busy
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.api_keys import TooManyRequests, ValidKey, count_request, find_key

logger = logging.getLogger(__name__)

BEARER = "Bearer"
RETRY_SECONDS = "5"

View = Callable[..., HttpResponse]

# Of this process; taken before a body is read, so that batches take neither all threads nor all memory. Nobody waits
# for it: budget_manager.web queues requests outside of the application.
slots = BoundedSemaphore(settings.API_THREADS)


def endpoint(method: str, scope: Scope) -> Callable[[Callable[..., HttpResponse]], View]:
    """Make a view of a function that answers requests of valid keys; a key is the only credential, no cookie is.

    The function gets the request, the key, and what the address has.
    """

    def decorate(call: Callable[..., HttpResponse]) -> View:
        @csrf_exempt
        @wraps(call)
        def view(request: HttpRequest, **address: int) -> HttpResponse:
            return answer(request, lambda: _call(request, **address))

        def _call(request: HttpRequest, **address: int) -> HttpResponse:
            if request.method != method:
                raise Problem("method-not-allowed", f"Use {method}.", Allow=method)
            key = authenticate(request)
            if scope not in key.scopes:
                raise Problem("forbidden", f"The key “{key.name}” doesn't have the scope {scope.value}.")
            with _slot():
                return call(request, key, **address)

        return view

    return decorate


def answer(request: HttpRequest, call: Callable[[], HttpResponse]) -> HttpResponse:
    """Return what the call returns, or the problem that it raises."""
    try:
        return call()
    except Problem as problem:
        return problem.response(request)
    except DatabaseError as error:
        if not (is_busy(error) or isinstance(error, OperationalError)):
            logger.exception("the API failed at %s", request.path)
            return Problem("error", "Nothing was stored. The log of the server has details.").response(request)
        logger.warning("the API at %s: %s", request.path, " ".join(str(error).split()))
        busy = "The database is busy, and nothing was stored: send the same batch again."
        return Problem("busy", busy, Retry_After=RETRY_SECONDS).response(request)
    except Exception:
        logger.exception("the API failed at %s", request.path)
        return Problem("error", "Nothing was stored. The log of the server has details.").response(request)


def authenticate(request: HttpRequest) -> ValidKey:
    """Return the request's key, and count the request. Raises Problem."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    now = database_now()
    key = find_key(text.strip(), now=now) if scheme.lower() == BEARER.lower() else None
    if key is None:
        detail = "Send a valid key as “Authorization: Bearer bm_…”. This one is missing, wrong, expired or revoked."
        raise Problem("unauthorized", detail, WWW_Authenticate=f'{BEARER} realm="api"')
    try:
        count_request(key, now=now)
    except TooManyRequests as refused:
        detail = f"A key can make {settings.API_REQUESTS_PER_MINUTE:,} requests a minute: send larger batches."
        raise Problem("too-many-requests", detail, Retry_After=str(refused.retry_after)) from None
    return key


@contextmanager
def _slot() -> Iterator[None]:
    if not slots.acquire(blocking=False):
        raise Problem("busy", "Other batches are being stored: send this one again.", Retry_After="1")
    try:
        yield
    finally:
        slots.release()


@csrf_exempt
def not_found(request: HttpRequest) -> HttpResponse:
    return Problem("not-found", f"The API is described at {request.build_absolute_uri('/api/v1/docs')}.").response(
        request
    )
