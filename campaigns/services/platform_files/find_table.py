"""Where the table of a downloaded report is: its row of headings, what is above, and what the headings mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from campaigns.services.exchange.files import FileRefused
from campaigns.services.platform_files.cells import HEAD_ROWS, FileRow, Sheet, read_sheets_of
from campaigns.services.platform_files.headings import Role, heading_key, role_of

# Headings by which a row is the head of a table.
TIMES = frozenset((Role.DAY, Role.DATE, Role.START, Role.PERIOD))
NAMES = frozenset((Role.CAMPAIGN, Role.CAMPAIGN_ID))

NO_TABLE = (
    "No table was found in this file: a report has a row of column headings, like Day, Campaign and Cost, and a row"
    " for each campaign and day below it."
)


@dataclass(frozen=True)
class Table:
    """A report's table. columns are the positions of the columns by what they hold."""

    sheet: Sheet
    # The position of the row of headings among the sheet's rows.
    head: int
    columns: dict[Role, list[int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def headings(self) -> Sequence[str]:
        cells = list(self.sheet.rows[self.head].cells)
        while cells and not cells[-1]:
            cells.pop()
        return cells

    @property
    def line(self) -> int:
        return self.sheet.rows[self.head].line

    @property
    def above(self) -> Sequence[FileRow]:
        return self.sheet.rows[: self.head]

    @property
    def below(self) -> Sequence[FileRow]:
        return self.sheet.rows[self.head + 1 :]

    @property
    def signature(self) -> tuple[str, ...]:
        """What two files with the same headings have in common."""
        return tuple(heading_key(heading) for heading in self.headings)


def find_table(data: bytes) -> Table:
    """Return the table of a file. Raises FileRefused."""
    sheets = read_sheets_of(data)
    found: list[Table] = []
    for readings in sheets:
        tables = [table for sheet in readings if (table := _of_sheet(sheet)) is not None]
        if tables:
            found.append(max(tables, key=_rank))
    if not found:
        raise FileRefused(NO_TABLE)
    best = next((table for table in found if _is_known(table.columns)), found[0])
    _check_merged(best)
    if len(sheets) > 1:
        number = sheets.index(next(each for each in sheets if best.sheet in each)) + 1
        return Table(best.sheet, best.head, best.columns, (f"Sheet {number} of {len(sheets)} is read.",))
    return best


def find_columns(headings: Sequence[str]) -> dict[Role, list[int]]:
    """Return the positions of the columns by what they hold."""
    columns: dict[Role, list[int]] = {}
    for place, heading in enumerate(headings):
        role = role_of(heading)
        if role is not None:
            columns.setdefault(role, []).append(place)
    return columns


def _of_sheet(sheet: Sheet) -> Table | None:
    known = [Table(sheet, place, columns) for place, columns in _candidates(sheet) if _is_known(columns)]
    if known:
        return max(known, key=lambda table: (len(table.columns), -table.head))
    head = _by_shape(sheet)
    return None if head is None else Table(sheet, head, find_columns(sheet.rows[head].cells))


def _candidates(sheet: Sheet) -> Iterator[tuple[int, dict[Role, list[int]]]]:
    for place, row in enumerate(sheet.rows[:HEAD_ROWS]):
        if sum(map(bool, row.cells)) >= 2:
            yield place, find_columns(row.cells)


def _is_known(columns: dict[Role, list[int]]) -> bool:
    """Return whether the headings of at least two of the three parts of a report are known: time, campaign, money."""
    return sum((bool(TIMES & set(columns)), bool(NAMES & set(columns)), Role.AMOUNT in columns)) >= 2


def _by_shape(sheet: Sheet) -> int | None:
    """Return the first row of texts that as long a row with numbers follows, for headings in unknown words."""
    rows = sheet.rows[:HEAD_ROWS]
    for place, (row, following) in enumerate(pairwise(rows)):
        cells = [cell for cell in row.cells if cell]
        is_head = len(cells) >= 3 and len(set(cells)) == len(cells) and not any(_has_digit(cell) for cell in cells)
        below = [cell for cell in following.cells if cell]
        if is_head and len(below) >= len(cells) - 1 and any(_has_digit(cell) for cell in below):
            return place
    return None


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _rank(table: Table) -> tuple[bool, int, int]:
    """Rank the ways to split a file: by known headings, then by how many columns there are."""
    return _is_known(table.columns), len(table.columns), len(table.headings)


def _check_merged(table: Table) -> None:
    if any(last > table.line for last in table.sheet.merged_until):
        raise FileRefused("The table has merged cells, of which only the first has a value: unmerge them first.")
