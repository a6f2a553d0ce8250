"""Reading spend from CSV: one pass over the bytes, one row at a time, no database and no clock.

What a file looks like:

- UTF-8 (a byte order mark is passed over), lines ended by LF or CRLF, comma-separated, values quoted where
  they need it.
- The first line names the columns: timestamp, brand, campaign, amount and, optionally, external_id; in any
  order, in capitals or not. Other columns are ignored. Empty lines are passed over.
- **A record is one line**: a quoted value holds no line break. So a quote that somebody forgot to close
  breaks its own line, never the rest of the file, and line numbers are those of an editor.
- Timestamps are ISO 8601 with date and time. Without an offset they are wall-clock times of the zone given:
  an hour that comes twice there is read as its first coming (the day is the same either way); one that is
  skipped is refused, for it never was.
- Amounts are plain decimals ("12", "-0.75", "+3.5"): no exponents, no thousands separators.
- Brand, campaign and external id are trimmed; an empty external id is none at all. Which names
  are the same is for the importer to say.
"""

from __future__ import annotations

import csv
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from campaigns.money import AMOUNT_LIMIT, PLACES, PLAIN_DECIMAL
from campaigns.periods import EARLIEST, LATEST

LONGEST_LINE = 100_000
"""Bytes, line end included. A longer line is no spend row: it is refused and passed over without being kept."""

NAME_LENGTH = 200
EXTERNAL_ID_LENGTH = 255

NEEDED = ("timestamp", "brand", "campaign", "amount")
OPTIONAL = "external_id"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OTHER_FILES = {
    b"\x1f\x8b": "The file is compressed (gzip): unpack it and import the CSV file in it.",
    b"PK\x03\x04": "The file is a ZIP archive or a workbook: save it as CSV, in UTF-8, and import that.",
}

EXAMPLE = "2026-03-01T14:30:00+02:00"
SAVE_AS_UTF8 = "save the file as UTF-8 and import it again"
COMMON_AMOUNT = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,6})?")
SHOWN = 60
KEPT_OF_A_LONG_LINE = 200
REMEMBERED = 10_000
"""Timestamps repeat, most of all in files of five-minute sums: each text is read once while it is in use."""


@dataclass(frozen=True, slots=True)
class Row:
    """A spend record as its line gives it; line is the number of the line in the file, text the line"
    " itself."""

    line: int
    timestamp: datetime
    brand: str
    campaign: str
    amount: Decimal
    external_id: str | None
    text: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that is refused: reason is a sentence that names the value and the remedy."""

    line: int
    reason: str
    text: str
    zero: bool = False
    """Whether all that is wrong with it is its amount of 0: it can't be recorded (R10), but says nothing either."""


class SpendFileError(Exception):
    """The file as a whole can't be read; the message is a sentence that says where and what to do."""


class _Refused(Exception):
    """The line can't be read; the message becomes the reason of its BadRow."""


class _RefusedZero(_Refused):
    """The line has an amount of 0."""


class _Columns(NamedTuple):
    """Where in a line each value stands, and how many values a line has."""

    width: int
    timestamp: int
    brand: int
    campaign: int
    amount: int
    external_id: int | None


def read_spend_csv(stream: BinaryIO, *, zone: ZoneInfo) -> Iterator[Row | BadRow]:
    """Yield what each line says, in the file's order; timestamps in UTC.

    zone is that of timestamps without an offset. Raises SpendFileError at the first row where the file can't be
    read at all. Memory stays flat whatever the file holds.
    """
    lines = _lines(stream)
    columns = _read_header(lines)
    to_instant = lru_cache(maxsize=REMEMBERED)(partial(_to_instant, zone=zone))
    for number, raw in lines:
        try:
            text = _decode(raw)
            if not text or text.isspace():
                continue
            row = _read_row(number, text, columns, to_instant)
        except _Refused as refusal:
            yield BadRow(number, str(refusal), _quoted(raw), zero=isinstance(refusal, _RefusedZero))
        else:
            yield row


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; of one that is too long only the beginning, still longer than LONGEST_LINE."""
    for number in itertools.count(1):
        raw = stream.readline(LONGEST_LINE + 1)
        if not raw:
            return
        yield number, raw
        while len(raw) > LONGEST_LINE and not raw.endswith(b"\n"):
            raw = stream.readline(LONGEST_LINE + 1)


def _decode(raw: bytes) -> str:
    """Return the line as text, without its end."""
    if len(raw) > LONGEST_LINE:
        raise _Refused(
            f"The line is longer than {LONGEST_LINE:,} bytes, so it is no spend row: correct it, and end lines"
            " with LF or CRLF."
        )
    if b"\0" in raw:
        raise _Refused(f"The line holds a NUL byte, as UTF-16 and binary files do: {SAVE_AS_UTF8}.")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _Refused(_not_utf8(raw, error)) from error


def _quoted(raw: bytes) -> str:
    """Return a refused line for people to read, whatever it holds; a long one only begins."""
    kept = raw if len(raw) <= LONGEST_LINE else raw[:KEPT_OF_A_LONG_LINE]
    text = kept.decode(errors="backslashreplace").rstrip("\r\n").replace("\0", "\\x00")
    return text if kept is raw else f"{text}…"


def _read_header(lines: Iterator[tuple[int, bytes]]) -> _Columns:
    _, raw = next(lines, (1, b""))
    for beginning, sentence in OTHER_FILES.items():
        if raw.startswith(beginning):
            raise SpendFileError(sentence)
    try:
        text = _decode(raw.removeprefix(BYTE_ORDER_MARK))
        if not text.strip():
            raise SpendFileError(
                f"The file is empty or its first line is: the first line names the columns, {_wanted()}."
            )
        names = [name.strip().lower() for name in _split(text)]
    except _Refused as refusal:
        raise SpendFileError(f"Line 1: {refusal}") from refusal
    return _find_columns(names)


def _find_columns(names: list[str]) -> _Columns:
    for name in (*NEEDED, OPTIONAL):
        if name in NEEDED and name not in names:
            raise SpendFileError(
                f"Line 1 names no column “{name}” but {_shown(', '.join(names))}: it needs {_wanted()}."
            )
        if names.count(name) > 1:
            raise SpendFileError(f"Line 1 names the column “{name}” {names.count(name)} times: leave one of them.")
    timestamp, brand, campaign, amount = (names.index(name) for name in NEEDED)
    external_id = names.index(OPTIONAL) if OPTIONAL in names else None
    return _Columns(len(names), timestamp, brand, campaign, amount, external_id)


def _wanted() -> str:
    return f"{', '.join(NEEDED)} and, optionally, {OPTIONAL}, separated by commas"


def _read_row(line: int, text: str, columns: _Columns, to_instant: Callable[[str], datetime]) -> Row:
    values = _split(text)
    if len(values) != columns.width:
        raise _Refused(
            f"The line has {len(values)} values where the first line names {columns.width} columns:"
            " separate them by"
            " commas, and quote a value that holds one."
        )
    return Row(
        line,
        to_instant(values[columns.timestamp]),
        _to_name(values[columns.brand], "brand"),
        _to_name(values[columns.campaign], "campaign"),
        _to_amount(values[columns.amount]),
        None if columns.external_id is None else _to_external_id(values[columns.external_id]),
        text,
    )


def _split(text: str) -> list[str]:
    if "\r" in text:
        raise _Refused("The line holds a carriage return (CR) that ends no line: end lines with LF or CRLF.")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise _Refused(
            f"The quotes of the line don't match ({error}): close each quoted value on its own line, and"
            " double the"
            " quotes in it."
        ) from error


def _to_instant(text: str, *, zone: ZoneInfo) -> datetime:
    """Return the instant in UTC; what is finer than a microsecond is cut off."""
    text = text.strip()
    instant = _parse_time(text)
    if instant.tzinfo is None:
        instant = _in_zone(instant, zone, text)
    if not EARLIEST <= instant < LATEST:
        raise _Refused(
            f"The timestamp {_shown(text)} lies outside {EARLIEST.year} to {LATEST.year - 1}: correct its year."
        )
    return instant.astimezone(UTC)


def _parse_time(text: str) -> datetime:
    # Python takes any character between date and time, and a date alone for midnight: both are more likely
    # mistakes.
    if text[10:11] in ("T", " ", "t"):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise _Refused(f"The timestamp {_shown(text)} is not a date and time in ISO 8601: write it like {EXAMPLE}.")


def _in_zone(wall: datetime, zone: ZoneInfo, text: str) -> datetime:
    if not EARLIEST.year - 1 <= wall.year <= LATEST.year:
        return wall.replace(tzinfo=UTC)  # out of range in any zone, and perhaps of what Python can convert
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != wall:
        raise _Refused(
            f"The timestamp {_shown(text)} falls into an hour that clocks skip in {zone.key}: write its"
            f" offset, as in {EXAMPLE}, or choose the right time zone."
        )
    return instant


def _to_name(text: str, column: str) -> str:
    name = text.strip()
    if not name:
        raise _Refused(f"The {column} is empty: write the {column}'s name.")
    if len(name) > NAME_LENGTH and len(unicodedata.normalize("NFC", name)) > NAME_LENGTH:
        raise _Refused(f"The {column} {_shown(name)} has {len(name)} characters: a name has at most {NAME_LENGTH}.")
    return name


def _to_external_id(text: str) -> str | None:
    name = text.strip()
    if len(name) > EXTERNAL_ID_LENGTH:
        raise _Refused(
            f"The external_id {_shown(name)} has {len(name)} characters: shorten it to at most {EXTERNAL_ID_LENGTH}."
        )
    return name or None


def _to_amount(text: str) -> Decimal:
    text = text.strip()
    common = COMMON_AMOUNT.fullmatch(text)
    if not common and not PLAIN_DECIMAL.fullmatch(text):
        raise _Refused(f"The amount {_shown(text)} is not a plain decimal number: write it like 12.50 or -0.75.")
    amount = Decimal(text)
    if not amount:
        raise _RefusedZero(f"The amount {_shown(text)} is 0: leave the line out.")
    return amount if common else _in_bounds(amount, text)


def _in_bounds(amount: Decimal, text: str) -> Decimal:
    if abs(amount) >= AMOUNT_LIMIT:
        bounds = f"-{AMOUNT_LIMIT:,} and {AMOUNT_LIMIT:,}"
        raise _Refused(f"The amount {_shown(text)} is too large: amounts lie between {bounds}.")
    digits, _, fraction = text.partition(".")
    if fraction[PLACES:].strip("0"):
        raise _Refused(f"The amount {_shown(text)} is finer than {PLACES} decimals: round it to {PLACES}.")
    return Decimal(f"{digits}.{fraction[:PLACES]}")


def _not_utf8(raw: bytes, error: UnicodeDecodeError) -> str:
    found = raw[error.start : error.start + 1].hex()
    return f"Byte {error.start + 1} of the line (0x{found}) is not UTF-8: {SAVE_AS_UTF8}."


def _shown(value: str) -> str:
    return f"“{value if len(value) <= SHOWN else value[: SHOWN - 1] + '…'}”"
