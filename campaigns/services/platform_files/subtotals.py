"""Rows of a report that repeat others: as their sum, a total of a day, a campaign, an account or all; or as they are.

Such a row is left out only if the sum is right: an amount that belongs to nothing is a problem, not a total.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from campaigns.rules.text import quote
from campaigns.services.platform_files.cells import FileRow
from campaigns.services.platform_files.spend_row import LeftOut, Problem, Rows, SpendRow

# Texts of a row of totals, as its day, its campaign or its first value.
TOTAL = re.compile(
    r"(?:grand |sub)?total[st]?\b.*|(?:gesamt|summe|insgesamt|zwischensumme|gesamtergebnis|totaal|totale|totali|totaux"
    r"|totales|totais|total général|suma|razem|łącznie|celkem|yhteensä|toplam|итого|合計|総計|合计|all|alle|tous|todos"
    r"|todas|tutti|tutte|overall|resultados? totale?s?|results? from [0-9].*|ergebnisse aus.*|résultats de [0-9].*"
    r"|resultados de [0-9].*|risultati d[ia].*)\b.*",
    re.IGNORECASE,
)
# A whole text that stands for all values of a column.
ALL = re.compile(
    r"all|total|totals|alle|gesamt|tous|toutes|todos|todas|tutti|tutte|totaal|totale|overall", re.IGNORECASE
)


@dataclass(frozen=True)
class Doubtful:
    """A row with money that may be a sum of others. problem is what it is otherwise; empty for a row of spend."""

    row: SpendRow
    has_day: bool
    has_campaign: bool
    problem: str


def is_total(row: FileRow, day: str, campaign: str) -> bool:
    first = next((cell for cell in row.cells if cell), "")
    return any(TOTAL.fullmatch(text) for text in (day, campaign, first) if text and len(text) <= 100)


def columns_of_sums(rows: Iterable[FileRow], read: Iterable[int], width: int) -> list[int]:
    """Return the columns that say “All” in some rows and something else in others, as in pivot tables."""
    some, others = set[int](), set[int]()
    left = [place for place in range(width) if place not in set(read)]
    for row in rows:
        for place in left:
            text = row.cells[place] if place < len(row.cells) else ""
            if text:
                (some if len(text) <= 10 and ALL.fullmatch(text) else others).add(place)
    return sorted(some & others)


def sum_problem(row: FileRow, places: Sequence[int], headings: Sequence[str]) -> str:
    """Return the problem of a row that says “All” in one of the columns, unless it is the sum of others; else empty."""
    for place in places:
        text = row.cells[place] if place < len(row.cells) else ""
        if ALL.fullmatch(text):
            return (
                f"The row has {quote(text)} under {quote(headings[place])}, but isn’t the sum of the other rows:"
                " download the report without this column."
            )
    return ""


def settle(doubtful: Sequence[Doubtful], rows: Rows) -> None:
    """Leave out the doubtful rows that are sums of others. The rest are problems, as their money would be lost."""
    if not doubtful:
        return
    sums = _Sums(rows.spend)
    for each in doubtful:
        if not each.row.amount or each.row.amount in sums.of(each):
            rows.left_out[LeftOut.TOTAL if each.row.amount else LeftOut.NO_SPEND] += 1
        elif each.problem:
            rows.problems.append(Problem(each.row.line, each.problem))
        else:
            rows.spend.append(each.row)
    rows.problems.sort()


def repeated_rows(rows: Iterable[FileRow], spend: Iterable[SpendRow]) -> list[tuple[int, SpendRow]]:
    """Return the rows of spend that are the same as an earlier one in every column, each with that one's line."""
    cells = {row.line: tuple(row.cells) for row in rows}
    first: dict[tuple[str, ...], int] = {}
    found: list[tuple[int, SpendRow]] = []
    for each in spend:
        line = first.setdefault(cells[each.line], each.line)
        if line != each.line and each.amount:
            found.append((line, each))
    return found


class _Sums:
    """The sums of all rows of spend by what a total can be of: each with and without its account."""

    def __init__(self, spend: Iterable[SpendRow]) -> None:
        self._sums: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
        for row in spend:
            campaign = row.campaign_id or row.campaign
            for key in ((), (row.day,), (campaign,), (row.day, campaign)):
                self._sums[key] += row.amount
                self._sums["account", row.account_id or row.account, *key] += row.amount

    def of(self, each: Doubtful) -> list[Decimal]:
        row = each.row
        key: tuple[object, ...] = (row.day,) if each.has_day else ()
        if each.has_campaign:
            key = (*key, row.campaign_id or row.campaign)
        keys = (key, ("account", row.account_id or row.account, *key))
        return [self._sums[found] for found in keys if found in self._sums]
