"""Calls addresses that the settings name, within a time limit, and never shows them: their paths often are secrets."""

from __future__ import annotations

from threading import Thread
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

# No answer that we read is longer.
MAX_BYTES = 1_000_000


class CallFailed(Exception):
    """Nothing usable was answered; the message is a reason without the address, such as "HTTP 404"."""


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its body, so a redirect is a failure."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def call(url: str, *, seconds: float, body: bytes | None = None) -> None:
    """GET an address, or POST JSON to it. Raises CallFailed unless it answers 2xx within this time in all."""
    status, _ = answer(url, seconds=seconds, body=body)
    if not 200 <= status < 300:
        raise CallFailed(f"HTTP {status}")


def answer(url: str, *, seconds: float, body: bytes | None = None) -> tuple[int, bytes]:
    """Return the status and the body of the answer. Raises CallFailed if there is none within this time in all."""
    found: list[tuple[int, bytes] | CallFailed] = []
    # A thread, because timeouts of a socket hold for each step: a receiver could answer a byte every few seconds, and
    # the lookup of a name has no timeout.
    thread = Thread(target=lambda: found.append(_answer(url, seconds, body)), daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise CallFailed(f"no answer within {seconds:g} seconds")
    if isinstance(found[0], CallFailed):
        raise found[0]
    return found[0]


def _answer(url: str, seconds: float, body: bytes | None) -> tuple[int, bytes] | CallFailed:
    headers = {"User-Agent": "budget-manager"} | ({"Content-Type": "application/json"} if body else {})
    request = Request(url, data=body, headers=headers)  # noqa: S310  # the settings take http and https only
    try:
        with build_opener(_NoRedirect).open(request, timeout=seconds) as response:
            return int(response.status), bytes(response.read(MAX_BYTES))
    except HTTPError as error:
        with error:
            return error.code, error.read(MAX_BYTES)
    except URLError as error:
        return CallFailed(_reason(error.reason))
    except Exception as error:  # http.client has errors of its own, and the thread must say something
        return CallFailed(_reason(error))


def _reason(error: BaseException | str) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return " ".join(str(error).split()) or type(error).__name__


def host_of(url: str) -> str:
    """Return the host of an address, which may be shown."""
    return urlsplit(url).hostname or "?"
