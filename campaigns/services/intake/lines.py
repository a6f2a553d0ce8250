"""The lines of a CSV file, one at a time: their bytes as text, and the text as values.

A line is a record: a quoted value holds no line break. Memory stays flat whatever the file holds.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from typing import BinaryIO

# Bytes, line end included. A longer line is no spend row: it is refused and passed over without being kept.
LONGEST_LINE = 100_000

SAVE_AS_UTF8 = "save the file as UTF-8 and import it again"
KEPT_OF_A_LONG_LINE = 200


class LineRefused(Exception):
    """The line can't be read; the message becomes the reason of its BadRow."""


def lines_of(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; of one that is too long only the beginning, still longer than LONGEST_LINE."""
    for number in itertools.count(1):
        raw = stream.readline(LONGEST_LINE + 1)
        if not raw:
            return
        yield number, raw
        while len(raw) > LONGEST_LINE and not raw.endswith(b"\n"):
            raw = stream.readline(LONGEST_LINE + 1)


def decode(raw: bytes) -> str:
    """Return the line as text, without its end."""
    if len(raw) > LONGEST_LINE:
        raise LineRefused(
            f"The line is longer than {LONGEST_LINE:,} bytes, so it is no spend row: correct it, and end lines"
            " with LF or CRLF."
        )
    if b"\0" in raw:
        raise LineRefused(f"The line holds a NUL byte, as UTF-16 and binary files do: {SAVE_AS_UTF8}.")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise LineRefused(_not_utf8(raw, error)) from error


def quoted(raw: bytes) -> str:
    """Return a refused line for people to read, whatever it holds; a long one only begins."""
    kept = raw if len(raw) <= LONGEST_LINE else raw[:KEPT_OF_A_LONG_LINE]
    text = kept.decode(errors="backslashreplace").rstrip("\r\n").replace("\0", "\\x00")
    return text if kept is raw else f"{text}…"


def split_line(text: str, separator: str) -> list[str]:
    if "\r" in text:
        raise LineRefused("The line holds a carriage return (CR) that ends no line: end lines with LF or CRLF.")
    if '"' not in text:
        return text.split(separator)
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error as error:
        raise LineRefused(
            f"The quotes of the line don't match ({error}): close each quoted value on its own line, and"
            " double the"
            " quotes in it."
        ) from error


def _not_utf8(raw: bytes, error: UnicodeDecodeError) -> str:
    found = raw[error.start : error.start + 1].hex()
    return f"Byte {error.start + 1} of the line (0x{found}) is not UTF-8: {SAVE_AS_UTF8}."
