"""How a report writes its days and amounts: by its own cells, by what stands around the table, or as a person says.

Each function returns what is known, and adds a question where the file allows several readings that differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from campaigns.rules.amounts import DecimalMark
from campaigns.services.exchange.files import FileRefused
from campaigns.services.platform_files.answers import Answers, Ask, Question
from campaigns.services.platform_files.cells import FileRow
from campaigns.services.platform_files.dates import DateOrder, find_orders
from campaigns.services.platform_files.find_table import Table
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.mapping import ColumnMapping
from campaigns.services.platform_files.numbers import (
    Parentheses,
    is_in_parentheses,
    is_no_amount,
    mark_of_columns,
    parentheses_are_clear,
    possible_marks,
    read_with,
)
from campaigns.services.platform_files.read_rows import cell_at, days_of, table_rows
from campaigns.services.platform_files.surroundings import days_outside, find_period

# Rows that decide about the numbers in other columns.
EVIDENCE_ROWS = 2_000


def find_order(table: Table, mapping: ColumnMapping, answers: Answers, questions: list[Question]) -> DateOrder | None:
    """Return the order of the days' numbers. Where the cells allow several, the lines around the table may decide."""
    days = [day for _, day in days_of(table, mapping)]
    orders, differs = find_orders(days)
    if days and not orders:
        raise FileRefused("The days are written in several orders: 26/11/2026 and 11/27/2026. Download the file again.")
    if answers.order in orders:
        return answers.order
    if not differs:
        return min(orders) if orders else DateOrder.YEAR_FIRST
    outside, _ = find_orders(days_outside(table))
    narrowed = orders & outside
    period = find_period(table)
    if len(narrowed) != 1 and period:
        narrowed = {order for order in orders if all(period[0] <= day.days[order] <= period[1] for day in days)}
    if len(narrowed) == 1:
        return narrowed.pop()
    unclear = next(day for day in days if len({day.days[order] for order in orders}) > 1)
    text = next(row.cells[mapping.columns[Role.DAY]] for row, day in days_of(table, mapping) if day == unclear)
    options = [(order.value, f"{unclear.days[order]:%-d %B %Y}") for order in sorted(orders)]
    questions.append(Question(Ask.ORDER, f"Which day is “{text}”?", options))
    return None


def find_decimal(
    table: Table, mapping: ColumnMapping, answers: Answers, questions: list[Question]
) -> DecimalMark | None:
    """Return the decimal separator. Where the amounts allow both, the numbers of other columns may decide."""
    place = mapping.columns[Role.AMOUNT]
    cells = [row for row in table_rows(table) if place < len(row.cells) and place not in row.numbers]
    amounts = [
        row.cells[place] for row in cells if not is_no_amount(row.cells[place]) and _is_numeric(row.cells[place])
    ]
    marks, differs = possible_marks(amounts)
    if answers.decimal in marks:
        return answers.decimal
    if len(marks) == 1:
        return next(iter(marks))
    if not differs:
        # No amount of the file has a separator that could be either, or they can't be read with any: the rows say so.
        return DecimalMark.POINT
    decided = mark_of_columns(_other_columns(table, mapping))
    if decided is not None:
        return decided
    unclear = next(text for text in amounts if possible_marks([text])[1])
    options = [(mark.value, _meaning(unclear, mark)) for mark in (DecimalMark.POINT, DecimalMark.COMMA)]
    questions.append(Question(Ask.DECIMAL, f"Which amount is “{unclear}”?", options))
    return None


def find_parentheses(
    table: Table, mapping: ColumnMapping, mark: DecimalMark, answers: Answers, questions: list[Question]
) -> Parentheses | None:
    """Return what amounts in parentheses are: where the file leaves it open, as a person says or has said."""
    amounts = list(_amounts_of_days(table, mapping, mark))
    text = next((text for text, _ in amounts if is_in_parentheses(text)), "")
    if not text:
        return None
    if answers.parentheses:
        return answers.parentheses
    is_clear, usual = parentheses_are_clear(amounts), answers.usual_parentheses
    if is_clear and usual is not Parentheses.SPEND:
        return Parentheses.CREDIT
    if usual and not is_clear:
        return usual
    amount = -read_with(text, mark).value.normalize()
    options = [(Parentheses.CREDIT.value, f"-{amount:,f}, a credit"), (Parentheses.SPEND.value, f"{amount:,f}, spend")]
    questions.append(Question(Ask.PARENTHESES, f"Which amount is “{text}”?", options))
    return None


def _amounts_of_days(table: Table, mapping: ColumnMapping, mark: DecimalMark) -> Iterator[tuple[str, Decimal]]:
    """Yield the amounts of rows with a day, as far as they can be read: a total has none."""
    place = mapping.columns[Role.AMOUNT]
    for row, _ in days_of(table, mapping):
        text = cell_at(row, place)
        if is_no_amount(text):
            continue
        try:
            yield text, read_with(text, DecimalMark.POINT if place in row.numbers else mark).value
        except ValueError:
            continue


def _is_numeric(text: str) -> bool:
    return any(character.isdigit() for character in text) and len(text) <= 40


def _meaning(text: str, mark: DecimalMark) -> str:
    return f"{read_with(text, mark).value.normalize():,f}"


def _other_columns(table: Table, mapping: ColumnMapping) -> Iterator[list[str]]:
    """Yield the texts of each column that isn't the amount's, a day's or an id's."""
    read = {place for role, place in mapping.columns.items()}
    read |= {place for role, places in table.columns.items() if role is not Role.AMOUNT for place in places}
    rows: list[FileRow] = [row for row, _ in zip(table_rows(table), range(EVIDENCE_ROWS), strict=False)]
    for place in range(len(table.headings)):
        if place not in read:
            yield [row.cells[place] for row in rows if place < len(row.cells) and place not in row.numbers]
