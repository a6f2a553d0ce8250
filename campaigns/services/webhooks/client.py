"""One POST over HTTP, bounded in time and size: 10 seconds in all, whatever the receiver does, and a short answer.

Redirects aren't followed. Of the answer only the status and Retry-After are read. Where the environment names a proxy
(HTTPS_PROXY, NO_PROXY), the request goes through it, and the proxy decides where it may lead.
"""

from __future__ import annotations

import base64
import io
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from campaigns.services.webhooks.addresses import Refused, Resolver, check_url, port_of, resolve, targets

SECONDS = 10
MAX_ANSWER = 16 * 1024
MAX_RETRY_AFTER = timedelta(hours=24)


class Answer(NamedTuple):
    """What came of a request: an HTTP status, or the problem in words."""

    status: int | None = None
    problem: str = ""
    # How long the receiver asks to be left alone.
    retry_after: timedelta | None = None
    milliseconds: int = 0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class _Deadline:
    """The end of a request, which each step is measured by."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left. Raises TimeoutError if there are none."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Reader(io.RawIOBase):
    def __init__(self, channel: socket.socket, deadline: _Deadline) -> None:
        self.channel, self.deadline, self.total = channel, deadline, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.channel.settimeout(self.deadline.left())
        count = self.channel.recv_into(buffer)
        self.total += count
        if self.total > MAX_ANSWER:
            raise HTTPException("too long")
        return count


class _Channel:
    """A socket as http.client uses it, in which every read and write ends by the deadline."""

    def __init__(self, channel: socket.socket, deadline: _Deadline) -> None:
        self.channel, self.deadline = channel, deadline

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self.channel.settimeout(self.deadline.left())
            view = view[self.channel.send(view) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self.channel, self.deadline), 1024)

    def close(self) -> None:
        """The socket is closed by post()."""


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, resolver: Resolver = resolve, seconds: float = SECONDS
) -> Answer:
    """Send a body to an endpoint; return its answer, or why there is none. Raises nothing."""
    begun = time.monotonic()
    answer = _answer(url, body, headers, resolver, _Deadline(seconds))
    return answer._replace(milliseconds=round((time.monotonic() - begun) * 1000))


def _answer(url: str, body: bytes, headers: Mapping[str, str], resolver: Resolver, deadline: _Deadline) -> Answer:
    try:
        return _exchange(check_url(url), body, headers, resolver, deadline)
    except Refused as refusal:
        return Answer(problem=str(refusal))
    except TimeoutError:
        return Answer(problem="No answer in time.")
    except ssl.SSLCertVerificationError as error:
        return Answer(problem=f"The certificate isn't valid: {error.verify_message}."[:200])
    except ssl.SSLError:
        return Answer(problem="The encrypted connection failed.")
    except (socket.gaierror, UnicodeError):
        return Answer(problem="The name of the host couldn't be resolved.")
    except (HTTPException, ValueError):
        return Answer(problem="The answer isn't valid HTTP.")
    except OSError as error:
        return Answer(problem=f"The connection failed: {(error.strerror or type(error).__name__).lower()}."[:200])


def _exchange(
    parts: SplitResult, body: bytes, headers: Mapping[str, str], resolver: Resolver, deadline: _Deadline
) -> Answer:
    proxy = _proxy(parts)
    channel = _connect(proxy or parts, resolver, deadline, checked=proxy is None)
    try:
        if proxy:
            _tunnel(channel, parts, proxy, deadline)
        if parts.scheme == "https":
            channel = _encrypted(channel, str(parts.hostname), deadline)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        response = _request(channel, deadline, parts, "POST", path, body, headers)
        return Answer(response.status, retry_after=_retry_after(response))
    finally:
        channel.close()


def _connect(parts: SplitResult, resolver: Resolver, deadline: _Deadline, *, checked: bool) -> socket.socket:
    """Connect to the first address that answers. Only those that were checked are tried."""
    found = targets(parts, resolver) if checked else resolve(str(parts.hostname), port_of(parts))
    problem: OSError = socket.gaierror()
    for family, address in found:
        channel = socket.socket(family, socket.SOCK_STREAM)
        try:
            channel.settimeout(deadline.left())
            channel.connect(address)
        except OSError as error:
            channel.close()
            problem = error
        else:
            return channel
    raise problem


def _encrypted(channel: socket.socket, host: str, deadline: _Deadline) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    channel.settimeout(deadline.left())  # of the whole handshake
    return context.wrap_socket(channel, server_hostname=host)


def _request(
    channel: socket.socket,
    deadline: _Deadline,
    parts: SplitResult,
    method: str,
    target: str,
    body: bytes | None,
    headers: Mapping[str, str],
) -> HTTPResponse:
    connection = HTTPConnection(str(parts.hostname), port_of(parts))
    connection.sock = _Channel(channel, deadline)  # what http.client needs of a socket
    host = {"Host": parts.netloc} if method == "POST" else {}
    connection.request(method, target, body, {**headers, **host})
    return connection.getresponse()


def _retry_after(response: HTTPResponse) -> timedelta | None:
    """Return what the header asks for, in seconds or until a date; at most MAX_RETRY_AFTER."""
    text = (response.headers.get("Retry-After") or "").strip()[:40]
    if not text:
        return None
    try:
        wait = timedelta(seconds=int(text)) if text.isdecimal() else parsedate_to_datetime(text) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), MAX_RETRY_AFTER)


def _proxy(parts: SplitResult) -> SplitResult | None:
    """Return the proxy that the environment names for an https URL, if any."""
    named = getproxies().get("https") if parts.scheme == "https" else None
    if not named or proxy_bypass(str(parts.hostname)):
        return None
    proxy = urlsplit(named if "//" in named else f"http://{named}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise Refused("HTTPS_PROXY isn't the address of an http:// proxy.")
    return proxy


def _tunnel(channel: socket.socket, parts: SplitResult, proxy: SplitResult, deadline: _Deadline) -> None:
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    target = f"{host}:{port_of(parts)}"
    headers = {"Host": target}
    if proxy.username:
        credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(credentials.encode()).decode()}"
    response = _request(channel, deadline, proxy, "CONNECT", target, None, headers)
    if response.status != 200:
        raise Refused(f"The proxy refused the connection with status {response.status}.")
