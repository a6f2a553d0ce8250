"""Reading spend from CSV in one pass, one row at a time, without database or clock.

The format:

- UTF-8 with or without a byte order mark, LF or CRLF, values separated by commas, semicolons or tabs
  and quoted if necessary. A first line like "sep=;" names the separator.
- The first line names the columns: timestamp, brand, campaign, amount and, optionally, external_id and
  currency, in any order and case. Other columns are ignored. Empty lines, and lines of only
  separators, are skipped.
- **A record is one line**: a quoted value can't contain a line break. So an unclosed quote
  breaks only its own line, and line numbers are those of an editor.
- Timestamps are ISO 8601 (see campaigns.services.intake.times): with an offset, without one, or a day alone.
- Amounts are numbers (see campaigns.rules.amounts). Rows with 0, "--" or no amount have no
spend.
- A row with an amount but without timestamp, brand and campaign is a total. Lines after it with another
  number of values than columns are notes.
- Brand, campaign and external id are trimmed; an empty external id is no external id.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache, partial
from typing import BinaryIO, NamedTuple

from campaigns.rules.amounts import Amount, DecimalMark, is_blank_amount, read_amount
from campaigns.rules.currencies import currencies_of
from campaigns.rules.text import quote
from campaigns.services.intake.lines import LineRefused, decode, lines_of, printable, split_line
from campaigns.services.intake.times import read_time

NAME_LENGTH = 200
EXTERNAL_ID_LENGTH = 255

NEEDED = ("timestamp", "brand", "campaign", "amount")
OPTIONAL = "external_id"
# Columns that name the currency of the amounts: "currency", "Currency code", "Advertiser Currency".
CURRENCY = re.compile(r"(?:.*[ _])?currency(?:[ _]?code)?")
SEPARATORS = (",", ";", "\t")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OTHER_FILES = {
    b"\x1f\x8b": "The file is compressed (gzip): unpack it and import the CSV file in it.",
    b"PK\x03\x04": "The file is a ZIP archive or a workbook: save it as CSV, in UTF-8, and import that.",
}

# Amounts repeat within a file.
CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """A spend record of a file; line is its line number, text the line itself.

    Without an offset in the line, the timestamp is naive until the row's brand is known.
    """

    line: int
    timestamp: datetime
    brand: str
    campaign: str
    amount: Decimal
    external_id: str | None
    text: str = field(default="", compare=False, repr=False)
    # Whether the line has a day without a time.
    is_day: bool = False
    # The possible currencies of the amount; empty if the line has none.
    currencies: tuple[str, ...] = ()
    is_rounded: bool = False


@dataclass(frozen=True, slots=True)
class BadRow:
    """A refused line; reason names the value and the remedy."""

    line: int
    reason: str
    text: str


class SkipReason(StrEnum):
    """Why a valid line isn't a spend record."""

    NO_SPEND = "without spend"
    NOTE = "total or note"


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A valid line that isn't imported."""

    line: int
    reason: SkipReason
    text: str
    # A row with amount 0 and an external_id, for which the ledger may have another amount.
    zero: Row | None = None


Line = Row | BadRow | SkippedLine


class SpendFileError(Exception):
    """The file can't be read; the message says where and what to do."""


class _Columns(NamedTuple):
    """The positions of the values in a line, the number of columns, and the separator."""

    separator: str
    width: int
    timestamp: int
    brand: int
    campaign: int
    amount: int
    external_id: int | None
    currency: tuple[int, ...]


def read_spend_csv(stream: BinaryIO, *, decimal: DecimalMark = DecimalMark.UNKNOWN) -> Iterator[Line]:
    """Yield the lines of the file as rows, refused lines and skipped lines.

    decimal is the decimal separator, if the user has chosen one. Raises SpendFileError at the first row if the
    file can't be read. Memory use is bounded for any file.
    """
    lines = lines_of(stream)
    columns = _read_header(lines)
    if decimal is DecimalMark.UNKNOWN and columns.separator == ",":
        decimal = DecimalMark.USUALLY_POINT
    to_amount = lru_cache(maxsize=CACHE_SIZE)(partial(read_amount, mark=decimal))
    has_total = False
    for number, raw in lines:
        try:
            read = _read_line(number, decode(raw), columns, to_amount, has_total=has_total)
        except LineRefused as refusal:
            yield BadRow(number, str(refusal), printable(raw))
            continue
        if read:
            has_total = has_total or (isinstance(read, SkippedLine) and read.reason is SkipReason.NOTE)
            yield read


def _read_header(lines: Iterator[tuple[int, bytes]]) -> _Columns:
    number, raw = next(lines, (1, b""))
    for beginning, sentence in OTHER_FILES.items():
        if raw.startswith(beginning):
            raise SpendFileError(sentence)
    separators: tuple[str, ...] = SEPARATORS
    try:
        text = decode(raw.removeprefix(BYTE_ORDER_MARK))
        if text.lower().startswith("sep="):
            separators = (_named_separator(text),)
            number, raw = next(lines, (2, b""))
            text = decode(raw)
        if not text.strip():
            raise SpendFileError(
                f"The file is empty or its first line is: the first line names the columns, {_required_columns()}."
            )
        return _find_columns(number, *_separated(text, separators))
    except LineRefused as refusal:
        raise SpendFileError(f"Line {number}: {refusal}") from refusal


def _separated(text: str, separators: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the separator with which the required columns are found, and the names of all columns."""
    refusals: list[LineRefused] = []
    found: list[tuple[str, list[str]]] = []
    for separator in separators:
        try:
            found.append((separator, [name.strip().lower() for name in split_line(text, separator)]))
        except LineRefused as refusal:
            refusals.append(refusal)
        else:
            if set(NEEDED) <= set(found[-1][1]):
                return found[-1]
    if refusals:
        raise refusals[0]
    return max(found, key=lambda names: sum(name in names[1] for name in NEEDED))


def _named_separator(text: str) -> str:
    separator = text[4:5]
    if separator not in SEPARATORS or text[5:].strip():
        raise SpendFileError(f"Line 1 has {quote(text)}: use a comma, a semicolon or a tab as the separator.")
    return separator


def _find_columns(line: int, separator: str, names: list[str]) -> _Columns:
    for name in (*NEEDED, OPTIONAL):
        if name in NEEDED and name not in names:
            raise SpendFileError(
                f"Line {line} names no column “{name}” but {quote(', '.join(names))}: it needs {_required_columns()}."
            )
        if names.count(name) > 1:
            raise SpendFileError(f"Line {line} names the column “{name}” {names.count(name)} times: keep one of them.")
    timestamp, brand, campaign, amount = (names.index(name) for name in NEEDED)
    external_id = names.index(OPTIONAL) if OPTIONAL in names else None
    currency = tuple(place for place, name in enumerate(names) if CURRENCY.fullmatch(name))
    return _Columns(separator, len(names), timestamp, brand, campaign, amount, external_id, currency)


def _required_columns() -> str:
    return f"{', '.join(NEEDED)} and, optionally, {OPTIONAL}, separated by commas, semicolons or tabs"


def _read_line(
    line: int, text: str, columns: _Columns, to_amount: Callable[[str], Amount], *, has_total: bool
) -> Row | SkippedLine | None:
    """Return the parsed line, None if it is empty."""
    values = split_line(text, columns.separator)
    if len(values) == columns.width:
        return _read_values(line, text, values, columns, to_amount)
    if not any(values) or all(value.isspace() or not value for value in values):
        return None
    if has_total:
        return SkippedLine(line, SkipReason.NOTE, text)
    separator = {",": "commas", ";": "semicolons", "\t": "tabs"}[columns.separator]
    raise LineRefused(
        f"The line has {len(values)} values where the first line names {columns.width} columns: separate them by"
        f" {separator}, and quote a value that holds one."
    )


def _read_values(
    line: int, text: str, values: list[str], columns: _Columns, to_amount: Callable[[str], Amount]
) -> Row | SkippedLine | None:
    brand, campaign = values[columns.brand], values[columns.campaign]
    if not brand.strip() and not campaign.strip() and not values[columns.timestamp].strip():
        return SkippedLine(line, SkipReason.NOTE, text) if any(map(str.strip, values)) else None
    if is_blank_amount(values[columns.amount]):
        return SkippedLine(line, SkipReason.NO_SPEND, text)
    try:
        amount = to_amount(values[columns.amount])
        external_id = None if columns.external_id is None else _to_external_id(values[columns.external_id])
        if not amount.value and external_id is None:
            return SkippedLine(line, SkipReason.NO_SPEND, text)
        written = read_time(values[columns.timestamp])
    except ValueError as refusal:
        raise LineRefused(str(refusal)) from None
    row = Row(
        line,
        written.timestamp,
        _to_name(brand, "brand"),
        _to_name(campaign, "campaign"),
        amount.value,
        external_id,
        text,
        written.is_day,
        _currencies(amount, [values[place].strip() for place in columns.currency]),
        amount.is_rounded,
    )
    return row if row.amount else SkippedLine(line, SkipReason.NO_SPEND, text, zero=row)


def _currencies(amount: Amount, columns: list[str]) -> tuple[str, ...]:
    """Return the possible currencies: those of the currency columns that match the sign beside the amount."""
    named = {currencies_of(name) for name in columns if name}
    if not named:
        return amount.currencies
    if len(named) > 1:
        listed = " and ".join(sorted(codes[0] for codes in named))
        raise LineRefused(f"The line has the currencies {listed}: keep the one of the amount.")
    (codes,) = named
    if not amount.currencies:
        return codes
    both = tuple(code for code in codes if code in amount.currencies)
    if not both:
        raise LineRefused(
            f"The line has the currency {codes[0]}, but the sign beside the amount means {amount.currencies[0]}:"
            " correct one of them."
        )
    return both


def _to_name(text: str, column: str) -> str:
    name = text.strip()
    if not name:
        raise LineRefused(f"The {column} is empty: enter the {column}'s name.")
    if len(name) > NAME_LENGTH and len(unicodedata.normalize("NFC", name)) > NAME_LENGTH:
        raise LineRefused(f"The {column} {quote(name)} has {len(name)} characters: a name has at most {NAME_LENGTH}.")
    return name


def _to_external_id(text: str) -> str | None:
    name = text.strip()
    if len(name) > EXTERNAL_ID_LENGTH:
        raise LineRefused(
            f"The external_id {quote(name)} has {len(name)} characters: shorten it to at most {EXTERNAL_ID_LENGTH}."
        )
    return name or None
