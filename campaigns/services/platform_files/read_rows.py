"""The rows of a report's table: spend of a campaign and day, or a row that is left out, with why.

Totals, notes and rows without spend are left out and counted. A row with money that belongs to no campaign or day is
left out only if it repeats other rows as their sum; else it is a problem, as every row that can't be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from campaigns.rules.amounts import DecimalMark
from campaigns.rules.currencies import SIGNS, common_currency, find_currency, read_currency
from campaigns.rules.text import quote
from campaigns.services.platform_files.cells import FileRow
from campaigns.services.platform_files.dates import DateOrder, NotADay, WrittenDay, excel_day, is_midnight, read_day
from campaigns.services.platform_files.find_table import Table
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.mapping import ColumnMapping
from campaigns.services.platform_files.numbers import (
    Parentheses,
    is_in_parentheses,
    is_no_amount,
    read_micros,
    read_with,
)
from campaigns.services.platform_files.spend_row import (
    SHORTENED,
    LeftOut,
    Problem,
    Rows,
    SpendRow,
    contradictions,
    rounded_ids,
)
from campaigns.services.platform_files.subtotals import ALL, Doubtful, columns_of_sums, is_total, settle, sum_problem

# Texts of cells without a value.
NOTHING = frozenset(("", "-", "--", "—", "–"))
# Columns in which a dash is no name.
NAMES = frozenset((Role.CAMPAIGN, Role.CAMPAIGN_ID, Role.ACCOUNT, Role.ACCOUNT_ID))
UNFORMATTED_DAY = re.compile(r"[3-6][0-9]{4}(?:\.0+)?")
# An id as spreadsheets shorten long numbers: its last digits are lost, so several campaigns have the same.
SHORTENED_ID = re.compile(r"[0-9](?:[.,][0-9]+E\+?|E\+)[0-9]{1,3}", re.IGNORECASE)
# A whole number as spreadsheets and scripts write it: ="123", '123, 123.0 or 12,345.
WRITTEN_ID = re.compile(r"""(?:="|'|)(?P<id>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.0)?"?""")
IDS = {Role.CAMPAIGN_ID: "campaign", Role.ACCOUNT_ID: "account"}


@dataclass(frozen=True)
class Reader:
    """Reads rows by the columns of a mapping; order and decimal are known, or None where every row allows only one."""

    table: Table
    mapping: ColumnMapping
    order: DateOrder
    decimal: DecimalMark
    last_day: date
    parentheses: Parentheses | None = None

    def read(self) -> Rows:
        rows, doubtful = Rows(), list[Doubtful]()
        read = self.mapping.columns.values()
        sums = columns_of_sums(
            (row for row in table_rows(self.table) if self._has_day(row)), read, len(self.table.headings)
        )
        for row in table_rows(self.table):
            self._read_row(row, sums, rows, doubtful)
        settle(doubtful, rows)
        rows.problems += [*rounded_ids(rows.spend), *contradictions(rows.spend)]
        rows.problems.sort()
        return rows

    def _read_row(self, row: FileRow, sums: Sequence[int], rows: Rows, doubtful: list[Doubtful]) -> None:
        kind = self._kind(row)
        if kind is not None:
            rows.left_out[kind] += 1
            return
        campaign, campaign_id = self._cell(row, Role.CAMPAIGN), self._cell(row, Role.CAMPAIGN_ID)
        has_campaign = bool(campaign or campaign_id)
        day, problem = None, ""
        try:
            self._check_ids(row)
            amount, currency, possible = self._amount(row)
            try:
                day = self._day(row)
            except NotADay as refusal:
                if has_campaign:
                    raise
                problem = str(refusal)
            if any(row.cells[len(self.table.headings) :]):
                raise ValueError("The row has more values than columns: put values with separators in quotes.")
        except ValueError as refusal:
            rows.problems.append(Problem(row.line, str(refusal)))
            return
        account, account_id = self._cell(row, Role.ACCOUNT), self._cell(row, Role.ACCOUNT_ID)
        spend = SpendRow(
            row.line, day or date.min, account, account_id, campaign, campaign_id, amount, currency, possible
        )
        if day is None or not has_campaign:
            missing = "campaign" if day else "day"
            problem = problem or f"The row has the amount {amount:,f}, but no {missing}."
            doubtful.append(Doubtful(spend, day is not None, has_campaign, problem))
        elif is_sum := sum_problem(row, sums, self.table.headings):
            doubtful.append(Doubtful(spend, has_day=True, has_campaign=True, problem=is_sum))
        elif not campaign_id and ALL.fullmatch(campaign):
            # A total of the day, or a campaign of that name.
            doubtful.append(Doubtful(spend, has_day=True, has_campaign=False, problem=""))
        else:
            rows.spend.append(spend)

    def _check_ids(self, row: FileRow) -> None:
        """Refuse ids that a spreadsheet has shortened: the spend of different campaigns would be added up."""
        for role, kind in IDS.items():
            text = self._cell(row, role)
            if SHORTENED_ID.fullmatch(text):
                raise ValueError(
                    f"The {kind} ID {quote(text)} was shortened by a spreadsheet, and its last digits are lost:"
                    f" {SHORTENED.format(kind=kind)}"
                )

    def _kind(self, row: FileRow) -> LeftOut | None:
        """Return why the row is left out before its values are read."""
        headings = self.table.headings
        if row.cells[0] == headings[0] and list(row.cells[: len(headings)]) == list(headings):
            return LeftOut.HEADINGS
        amount, has_day = self._cell(row, Role.AMOUNT), self._has_day(row)
        if not has_day and is_total(row, self._cell(row, Role.DAY), self._cell(row, Role.CAMPAIGN)):
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
            if end not in NOTHING and not self._ends_on(end, self.mapping.end in row.numbers, day):
                raise ValueError(f"The row covers several days, {text} to {end}, so it can’t be given to one.")
        if day > self.last_day:
            raise ValueError(f"The day {text} is in the future.")
        return day

    def _ends_on(self, end: str, is_number: bool, day: date) -> bool:
        """Return whether a row's period ends on the day, or at the midnight after it."""
        last = self._one_day(end, is_number)
        return last == day or (last == day + timedelta(days=1) and is_midnight(end))

    def _one_day(self, text: str, is_number: bool) -> date:
        if is_number and UNFORMATTED_DAY.fullmatch(text):
            return excel_day(text, is_1904=self.table.sheet.is_1904)
        day = read_day(text).days.get(self.order)
        if day is None:
            raise ValueError(f"“{text}” isn’t a day in the order of the file.")
        return day

    def _amount(self, row: FileRow) -> tuple[Decimal, str, frozenset[str]]:
        """Return the row's amount and currency; if none is certain, those that its signs can mean."""
        text, place = self._cell(row, Role.AMOUNT), self.mapping.get(Role.AMOUNT)
        if self.mapping.is_micros:
            amount = read_micros(text)
        else:
            amount = read_with(text, DecimalMark.POINT if place in row.numbers else self.decimal)
        value = amount.value
        if self.parentheses is Parentheses.SPEND and is_in_parentheses(text):
            value = -value
        of_format = () if place is None else row.currencies.get(place, ())
        written = [self._currency_of_column(row), self.mapping.currencies, amount.currencies, of_format]
        return value, *common_currency(each for each in written if each)

    def _currency_of_column(self, row: FileRow) -> tuple[str, ...]:
        text = self._cell(row, Role.CURRENCY)
        if text in NOTHING:
            return ()
        code = find_currency(text) or read_currency(text)
        found = (code,) if code else SIGNS.get(text, ())
        if not found:
            raise ValueError(f"The currency {quote(text)} isn’t known.")
        return found

    def _cell(self, row: FileRow, role: Role) -> str:
        place = self.mapping.columns.get(role)
        text = "" if place is None else cell_at(row, place)
        if role in IDS and (written := WRITTEN_ID.fullmatch(text)):
            return written["id"].replace(",", "")
        return "" if role in NAMES and text in NOTHING else text


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
