"""The rows of a report's table: spend of a campaign and day, or a row that is left out, with why.

Totals, notes and rows without spend are left out and counted. A row with money that belongs to no campaign or day is
left out only if it repeats other rows as their sum; else it is a problem, as every row that can't be read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from campaigns.rules.amounts import DecimalMark
from campaigns.rules.currencies import find_currency, read_currency
from campaigns.rules.text import quote
from campaigns.services.platform_files.cells import FileRow
from campaigns.services.platform_files.dates import DateOrder, NotADay, WrittenDay, excel_day, read_day
from campaigns.services.platform_files.find_table import Table
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.mapping import ColumnMapping
from campaigns.services.platform_files.numbers import is_no_amount, read_with

TOTAL = re.compile(
    r"(?:grand |sub)?totals?\b.*|(?:gesamt|summe|insgesamt|zwischensumme|gesamtergebnis|totaal|totale|totali|totaux"
    r"|totales|totais|total général|suma|razem|итого|合計|all|alle|tous|todos|todas|tutti|tutte|overall"
    r"|resultados? totale?s?|results? from [0-9].*|ergebnisse aus.*|résultats de [0-9].*|resultados de [0-9].*"
    r"|risultati d[ia].*)\b.*",
    re.IGNORECASE,
)
# Whole words that stand for all days or campaigns, as in “All”.
NOTHING = frozenset(("", "-", "--", "—", "–"))
UNFORMATTED_DAY = re.compile(r"[3-6][0-9]{4}(?:\.0+)?")


class LeftOut(StrEnum):
    """Why a row isn't spend."""

    TOTAL = "totals"
    NOTE = "notes"
    NO_SPEND = "without spend"
    HEADINGS = "repeated headings"


class SpendRow(NamedTuple):
    """A row of spend; of one campaign and day there can be several, by device, hour or ad."""

    line: int
    day: date
    account: str
    account_id: str
    campaign: str
    campaign_id: str
    amount: Decimal
    currency: str


class Problem(NamedTuple):
    line: int
    sentence: str


@dataclass
class Rows:
    spend: list[SpendRow] = field(default_factory=list)
    left_out: dict[LeftOut, int] = field(default_factory=lambda: defaultdict(int))
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Reader:
    """Reads rows by the columns of a mapping; order and decimal are known, or None where every row allows only one."""

    table: Table
    mapping: ColumnMapping
    order: DateOrder
    decimal: DecimalMark
    last_day: date

    def read(self) -> Rows:
        rows, partial = Rows(), list[_Partial]()
        for row in table_rows(self.table):
            self._read_row(row, rows, partial)
        _settle(partial, rows)
        return rows

    def _read_row(self, row: FileRow, rows: Rows, partial: list[_Partial]) -> None:
        kind = self._kind(row)
        if kind is not None:
            rows.left_out[kind] += 1
            return
        try:
            amount, currency = self._amount(row)
            day = self._day(row)
        except ValueError as refusal:
            rows.problems.append(Problem(row.line, str(refusal)))
            return
        campaign, campaign_id = self._cell(row, Role.CAMPAIGN), self._cell(row, Role.CAMPAIGN_ID)
        spend = SpendRow(
            row.line,
            day or date.min,
            self._cell(row, Role.ACCOUNT),
            self._cell(row, Role.ACCOUNT_ID),
            campaign,
            campaign_id,
            amount,
            currency,
        )
        if day is None or not (campaign or campaign_id):
            partial.append(_Partial(spend, has_day=day is not None, has_campaign=bool(campaign or campaign_id)))
        else:
            rows.spend.append(spend)

    def _kind(self, row: FileRow) -> LeftOut | None:
        """Return why the row is left out before its values are read."""
        if list(row.cells[: len(self.table.headings)]) == list(self.table.headings):
            return LeftOut.HEADINGS
        amount, has_day = self._cell(row, Role.AMOUNT), self._has_day(row)
        if not has_day and _is_total(row, self._cell(row, Role.DAY), self._cell(row, Role.CAMPAIGN)):
            return LeftOut.TOTAL
        if not has_day and is_no_amount(amount):
            return LeftOut.NOTE
        no_names = not any(self._cell(row, role) for role in (Role.DAY, Role.CAMPAIGN, Role.CAMPAIGN_ID))
        if no_names:
            return LeftOut.NOTE if is_no_amount(amount) else LeftOut.TOTAL
        return LeftOut.NO_SPEND if is_no_amount(amount) else None

    def _has_day(self, row: FileRow) -> bool:
        try:
            return self._day(row) is not None
        except ValueError:
            # A period, or a day out of bounds: something about a day, and so no note.
            return not isinstance(_day_or_refusal(self._cell(row, Role.DAY)), NotADay)

    def _day(self, row: FileRow) -> date | None:
        place, text = self.mapping.get(Role.DAY), self._cell(row, Role.DAY)
        if text in NOTHING:
            return None
        day = self._one_day(text, place in row.numbers)
        if self.mapping.end is not None:
            end = cell_at(row, self.mapping.end)
            if end not in NOTHING and self._one_day(end, self.mapping.end in row.numbers) != day:
                raise ValueError(f"The row covers several days, {text} to {end}, so it can’t be given to one.")
        if day > self.last_day:
            raise ValueError(f"The day {text} is in the future.")
        return day

    def _one_day(self, text: str, is_number: bool) -> date:
        if is_number and UNFORMATTED_DAY.fullmatch(text):
            return excel_day(text, is_1904=self.table.sheet.is_1904)
        day = read_day(text).days.get(self.order)
        if day is None:
            raise ValueError(f"“{text}” isn’t a day in the order of the file.")
        return day

    def _amount(self, row: FileRow) -> tuple[Decimal, str]:
        text, place = self._cell(row, Role.AMOUNT), self.mapping.get(Role.AMOUNT)
        amount = read_with(text, DecimalMark.POINT if place in row.numbers else self.decimal)
        return amount.value, self._currency(row, amount.currencies)

    def _currency(self, row: FileRow, signs: Sequence[str]) -> str:
        """Return the row's currency: from its column, or its amount's sign, or the heading. Empty if none says."""
        text = self._cell(row, Role.CURRENCY)
        said = {self.mapping.currency} if self.mapping.currency else set[str]()
        if text not in NOTHING:
            code = find_currency(text) or read_currency(text)
            if code is None:
                raise ValueError(f"The currency {quote(text)} isn’t known.")
            said.add(code)
        if len(signs) == 1:
            said.add(signs[0])
        if len(said) > 1 or (said and signs and not said & set(signs)):
            named = " and ".join(sorted(said | set(signs[:1])))
            raise ValueError(f"The row names several currencies: {named}.")
        return said.pop() if said else ""

    def _cell(self, row: FileRow, role: Role) -> str:
        place = self.mapping.get(role)
        text = "" if place is None else cell_at(row, place)
        return (
            "" if role in (Role.CAMPAIGN, Role.CAMPAIGN_ID, Role.ACCOUNT, Role.ACCOUNT_ID) and text in NOTHING else text
        )


def table_rows(table: Table) -> Iterator[FileRow]:
    """Yield the rows below the headings that hold anything."""
    for row in table.below:
        if any(row.cells):
            yield row


def days_of(table: Table, mapping: ColumnMapping) -> Iterator[tuple[FileRow, WrittenDay]]:
    """Yield the rows with a written day, and it."""
    place = mapping.get(Role.DAY)
    if place is None:
        return
    for row in table_rows(table):
        if place in row.numbers and UNFORMATTED_DAY.fullmatch(cell_at(row, place)):
            continue
        found = _day_or_refusal(cell_at(row, place))
        if isinstance(found, WrittenDay):
            yield row, found


def _day_or_refusal(text: str) -> WrittenDay | NotADay:
    try:
        return read_day(text)
    except NotADay as refusal:
        return refusal


def cell_at(row: FileRow, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _is_total(row: FileRow, day: str, campaign: str) -> bool:
    first = next((cell for cell in row.cells if cell), "")
    return any(TOTAL.fullmatch(text) for text in (day, campaign, first) if text and len(text) <= 100)


class _Partial(NamedTuple):
    """A row with money that names no day or no campaign."""

    row: SpendRow
    has_day: bool
    has_campaign: bool


def _settle(partial: Sequence[_Partial], rows: Rows) -> None:
    """Count the partial rows that are sums of others; the rest are problems, as their money would be lost."""
    if not partial:
        return
    sums = {
        False: _sums(rows.spend, lambda row: row.campaign_id or row.campaign),
        True: _sums(rows.spend, lambda row: row.day),
    }
    for each in partial:
        key = each.row.day if each.has_day else (each.row.campaign_id or each.row.campaign)
        if sums[each.has_day].get(key) == each.row.amount or not each.row.amount:
            rows.left_out[LeftOut.TOTAL if each.row.amount else LeftOut.NO_SPEND] += 1
            continue
        missing = "campaign" if each.has_day else "day"
        rows.problems.append(Problem(each.row.line, f"The row has the amount {each.row.amount:,f}, but no {missing}."))


def _sums(spend: Sequence[SpendRow], key: Callable[[SpendRow], object]) -> dict[object, Decimal]:
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for row in spend:
        sums[key(row)] += row.amount
    return sums
