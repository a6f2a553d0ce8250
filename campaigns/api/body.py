"""The rows of a request's body: a JSON array or NDJSON, maybe compressed, within limits.

Nothing grows with what a client claims or compresses: bytes are counted while they are read and unpacked, and values
before they are decoded.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from campaigns.api.problems import Problem, explain

MEGABYTE = 1024**2
MAX_UNPACKED = 50 * MEGABYTE
MAX_ROWS = 10_000
# Commas or line breaks of a body; a row has 2 to 6. Without it 50 MB of "[0,0,0…" would become 25 million values.
MAX_SEPARATORS = 25 * MAX_ROWS
CHUNK = 64 * 1024
GZIP = 16 + zlib.MAX_WBITS

JSON, NDJSON = "application/json", ("application/x-ndjson", "application/ndjson", "application/jsonl")
ARRAY = msgspec.json.Decoder(list[msgspec.Raw])

Rows = Sequence[bytearray | msgspec.Raw]


class Body(NamedTuple):
    """The text of a body, and its rows, which aren't decoded yet."""

    text: bytearray
    rows: Rows


def read_body(request: HttpRequest) -> Body:
    """Read the body. Raises Problem."""
    if request.content_type != JSON and request.content_type not in NDJSON:
        raise Problem("unsupported-media-type", f"Send {JSON} or {NDJSON[0]}, as Content-Type.")
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Problem("unsupported-media-type", "Send the body as it is, or compressed by gzip, as Content-Encoding.")
    received = _received(request)
    body = bytearray()
    for chunk in _unpacked(received) if encoding == "gzip" else received:
        body += chunk
    return Body(body, _array(body) if request.content_type == JSON else _lines(body))


def _received(request: HttpRequest) -> Iterator[bytes]:
    total = 0
    try:
        while chunk := request.read(CHUNK):
            total += len(chunk)
            if total > settings.API_MAX_BODY:
                raise _too_large("on the wire", settings.API_MAX_BODY)
            yield chunk
    except UnreadablePostError:
        raise Problem("invalid-json", "The connection ended before the end of the body.") from None


def _unpacked(received: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what gzip has compressed, also in several members."""
    total, stream, is_complete = 0, zlib.decompressobj(GZIP), False
    try:
        for chunk in received:
            while True:
                most = min(MEGABYTE, MAX_UNPACKED + 1 - total)  # never 0, which would be no limit
                unpacked = stream.decompress(chunk, most)
                total += len(unpacked)
                if total > MAX_UNPACKED:
                    raise _too_large("unpacked", MAX_UNPACKED)
                yield unpacked
                chunk, is_complete = stream.unconsumed_tail, stream.eof
                if is_complete:
                    chunk, stream = stream.unused_data, zlib.decompressobj(GZIP)
                if not chunk and (is_complete or len(unpacked) < most):
                    break
    except zlib.error:
        raise Problem("invalid-json", "The body isn't valid gzip.") from None
    if not is_complete:
        raise Problem("invalid-json", "The gzip body isn't complete.")


def _array(body: bytearray) -> Rows:
    if body.count(b",") > MAX_SEPARATORS:
        raise _too_many()
    try:
        rows = ARRAY.decode(body)
    except msgspec.ValidationError:
        raise Problem("invalid-json", "The body isn't a JSON array of rows.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Problem("invalid-json", f"Nothing was stored. {explain(error)}") from None
    if len(rows) > MAX_ROWS:
        raise _too_many()
    return rows


def _lines(body: bytearray) -> Rows:
    if body.count(b"\n") > MAX_SEPARATORS:
        raise _too_many()
    # A line break in a string is escaped, so that each ends a row. Rows are numbered as lines without the empty ones.
    rows = [line for line in body.split(b"\n") if line.strip()]
    if len(rows) > MAX_ROWS:
        raise _too_many()
    return rows


def _too_large(how: str, limit: int) -> Problem:
    return Problem("too-large", f"A batch has at most {limit // MEGABYTE} MB {how}: send smaller batches.")


def _too_many() -> Problem:
    return Problem("too-large", f"A batch has at most {MAX_ROWS:,} rows: send smaller batches.")
