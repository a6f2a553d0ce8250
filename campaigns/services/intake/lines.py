"""Reading a CSV file line by line: from bytes to text to values.

A record is one line: a quoted value can't contain a line break. Memory use is bounded for any file.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from typing import BinaryIO

# Including the line end. A longer line is refused and skipped without being stored.
MAX_LINE_BYTES = 100_000

SAVE_AS_UTF8 = "save the file as UTF-8 and import it again"
MAX_PRINTED_BYTES = 200


class LineRefused(Exception):
    """The line can't be read; the message is the reason of its BadRow."""


def lines_of(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; of a line that is too long only its first MAX_LINE_BYTES + 1 bytes."""
    for number in itertools.count(1):
        raw = stream.readline(MAX_LINE_BYTES + 1)
        if not raw:
            return
        yield number, raw
        while len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
            raw = stream.readline(MAX_LINE_BYTES + 1)


def decode(raw: bytes) -> str:
    """Return the line as text, without its end."""
    if len(raw) > MAX_LINE_BYTES:
        raise LineRefused(
            f"The line is longer than {MAX_LINE_BYTES:,} bytes: correct it, and end lines with LF or CRLF."
        )
    if b"\0" in raw:
        raise LineRefused(f"The line contains a NUL byte, as in UTF-16 and binary files: {SAVE_AS_UTF8}.")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise LineRefused(_not_utf8(raw, error)) from error


def printable(raw: bytes) -> str:
    """Return a refused line as printable text; only the beginning of a long one."""
    kept = raw if len(raw) <= MAX_LINE_BYTES else raw[:MAX_PRINTED_BYTES]
    text = kept.decode(errors="backslashreplace").rstrip("\r\n").replace("\0", "\\x00")
    return text if kept is raw else f"{text}…"


def split_line(text: str, separator: str) -> list[str]:
    if "\r" in text:
        raise LineRefused("The line contains a carriage return (CR): end lines with LF or CRLF.")
    if '"' not in text:
        return text.split(separator)
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error as error:
        raise LineRefused(
            f"The quotes of the line don't match ({error}): close each quoted value on its own line, and double the"
            " quotes in it."
        ) from error


def _not_utf8(raw: bytes, error: UnicodeDecodeError) -> str:
    found = raw[error.start : error.start + 1].hex()
    return f"Byte {error.start + 1} of the line (0x{found}) isn't valid UTF-8: {SAVE_AS_UTF8}."
