"""Reading spend from CSV: one pass over the bytes, one row at a time, no database and no clock.

What a file looks like:

- UTF-8 (a byte order mark is passed over), lines ended by LF or CRLF, values separated by commas, semicolons or tabs,
  and quoted where they need it. A first line like "sep=;" names the separator.
- The first line names the columns: timestamp, brand, campaign, amount and, optionally, external_id and
  currency; in any order, in capitals or not. Other columns are ignored. Empty lines, and lines of nothing but
  separators, are passed over.
- **A record is one line**: a quoted value holds no line break. So a quote that somebody forgot to close
  breaks its own line, never the rest of the file, and line numbers are those of an editor.
- Timestamps are ISO 8601 (see campaigns.services.intake.times): with an offset, without one, or a day alone.
- Amounts are numbers (see campaigns.rules.amounts). Rows of 0, of "--" and without an amount say that nothing was
spent.
- A row with an amount, but without timestamp, brand and campaign is a total. Lines after it that have another
  number of values than there are columns are notes.
- Brand, campaign and external id are trimmed; an empty external id is none at all.
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

from campaigns.rules.amounts import Amount, DecimalMark, currencies_of, is_no_amount, read_amount
from campaigns.rules.text import quote
from campaigns.services.intake.lines import LineRefused, decode, lines_of, quoted, split_line
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

# Amounts repeat, too.
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """A spend record as its line gives it; line is the number of the line in the file, text the line itself.

    Where the line gives no offset, the timestamp is naive until the row's brand is known.
    """

    line: int
    timestamp: datetime
    brand: str
    campaign: str
    amount: Decimal
    external_id: str | None
    text: str = field(default="", compare=False, repr=False)
    # Whether the line gives a day without a time.
    is_day: bool = False
    # What the currency of the amount may be, by the line; empty where it doesn't say.
    currencies: tuple[str, ...] = ()
    is_rounded: bool = False


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that is refused: reason is a sentence that names the value and the remedy."""

    line: int
    reason: str
    text: str


class Why(StrEnum):
    """Why a line is no spend record, and nothing is wrong with it."""

    NO_SPEND = "without spend"
    NOTE = "total or note"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A line that isn't imported, and needn't be corrected."""

    line: int
    why: Why
    text: str
    # What the line is where its amount is 0 and it has an external_id: the ledger may hold another amount for it.
    zero: Row | None = None


Line = Row | BadRow | PassedOver


class SpendFileError(Exception):
    """The file as a whole can't be read; the message is a sentence that says where and what to do."""


class _Columns(NamedTuple):
    """Where in a line each value stands, how many values a line has, and what separates them."""

    separator: str
    width: int
    timestamp: int
    brand: int
    campaign: int
    amount: int
    external_id: int | None
    currency: tuple[int, ...]


def read_spend_csv(stream: BinaryIO, *, decimal: DecimalMark = DecimalMark.UNKNOWN) -> Iterator[Line]:
    """Yield what each line says, in the file's order.

    decimal is the decimal separator of the file, where people say so. Raises SpendFileError at the first row where the
    file can't be read at all. Memory stays flat whatever the file holds.
    """
    lines = lines_of(stream)
    columns = _read_header(lines)
    if decimal is DecimalMark.UNKNOWN and columns.separator == ",":
        decimal = DecimalMark.USUALLY_POINT
    to_amount = lru_cache(maxsize=REMEMBERED)(partial(read_amount, mark=decimal))
    has_total = False
    for number, raw in lines:
        try:
            read = _read_line(number, decode(raw), columns, to_amount, has_total=has_total)
        except LineRefused as refusal:
            yield BadRow(number, str(refusal), quoted(raw))
            continue
        if read:
            has_total = has_total or (isinstance(read, PassedOver) and read.why is Why.NOTE)
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
                f"The file is empty or its first line is: the first line names the columns, {_wanted()}."
            )
        return _find_columns(number, *_separated(text, separators))
    except LineRefused as refusal:
        raise SpendFileError(f"Line {number}: {refusal}") from refusal


def _separated(text: str, separators: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the separator that gives the columns, and their names: no name that we need holds a separator."""
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
        raise SpendFileError(f"Line 1 says {quote(text)}: values are separated by a comma, a semicolon or a tab.")
    return separator


def _find_columns(line: int, separator: str, names: list[str]) -> _Columns:
    for name in (*NEEDED, OPTIONAL):
        if name in NEEDED and name not in names:
            raise SpendFileError(
                f"Line {line} names no column “{name}” but {quote(', '.join(names))}: it needs {_wanted()}."
            )
        if names.count(name) > 1:
            raise SpendFileError(f"Line {line} names the column “{name}” {names.count(name)} times: leave one of them.")
    timestamp, brand, campaign, amount = (names.index(name) for name in NEEDED)
    external_id = names.index(OPTIONAL) if OPTIONAL in names else None
    currency = tuple(place for place, name in enumerate(names) if CURRENCY.fullmatch(name))
    return _Columns(separator, len(names), timestamp, brand, campaign, amount, external_id, currency)


def _wanted() -> str:
    return f"{', '.join(NEEDED)} and, optionally, {OPTIONAL}, separated by commas, semicolons or tabs"


def _read_line(
    line: int, text: str, columns: _Columns, to_amount: Callable[[str], Amount], *, has_total: bool
) -> Row | PassedOver | None:
    """Return what the line says, None where it is empty."""
    values = split_line(text, columns.separator)
    if len(values) == columns.width:
        return _read_values(line, text, values, columns, to_amount)
    if not any(values) or all(value.isspace() or not value for value in values):
        return None
    if has_total:
        return PassedOver(line, Why.NOTE, text)
    separator = {",": "commas", ";": "semicolons", "\t": "tabs"}[columns.separator]
    raise LineRefused(
        f"The line has {len(values)} values where the first line names {columns.width} columns: separate them by"
        f" {separator}, and quote a value that holds one."
    )


def _read_values(
    line: int, text: str, values: list[str], columns: _Columns, to_amount: Callable[[str], Amount]
) -> Row | PassedOver | None:
    brand, campaign = values[columns.brand], values[columns.campaign]
    if not brand.strip() and not campaign.strip() and not values[columns.timestamp].strip():
        return PassedOver(line, Why.NOTE, text) if any(map(str.strip, values)) else None
    if is_no_amount(values[columns.amount]):
        return PassedOver(line, Why.NO_SPEND, text)
    try:
        amount = to_amount(values[columns.amount])
        external_id = None if columns.external_id is None else _to_external_id(values[columns.external_id])
        if not amount.value and external_id is None:
            return PassedOver(line, Why.NO_SPEND, text)
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
    return row if row.amount else PassedOver(line, Why.NO_SPEND, text, zero=row)


def _currencies(amount: Amount, columns: list[str]) -> tuple[str, ...]:
    """Return what the currency may be: what the columns say, if the sign beside the amount can mean it."""
    named = {currencies_of(name) for name in columns if name}
    if not named:
        return amount.currencies
    if len(named) > 1:
        listed = " and ".join(sorted(codes[0] for codes in named))
        raise LineRefused(f"The line names the currencies {listed}: leave the one of the amount.")
    (codes,) = named
    if not amount.currencies:
        return codes
    both = tuple(code for code in codes if code in amount.currencies)
    if not both:
        raise LineRefused(
            f"The line names the currency {codes[0]}, but the sign beside the amount means {amount.currencies[0]}:"
            " correct one of them."
        )
    return both


def _to_name(text: str, column: str) -> str:
    name = text.strip()
    if not name:
        raise LineRefused(f"The {column} is empty: write the {column}'s name.")
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
