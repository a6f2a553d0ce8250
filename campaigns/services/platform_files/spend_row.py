"""What the rows of a report's table are: spend, left out, or problems; and the problems of rows beside others."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from campaigns.rules.currencies import codes_in_words
from campaigns.rules.text import quote

# An id that may have been rounded: spreadsheets keep 15 digits of a number, and write zeros for the others.
ROUNDED_ID = re.compile(r"[0-9]{15}0+")
SHORTENED = (
    "download the report again as CSV and don’t open it in Excel, or choose no column for the {kind} ID to match by"
    " name."
)


class LeftOut(StrEnum):
    """Why a row isn't spend."""

    TOTAL = "summary lines"
    NOTE = "notes"
    NO_SPEND = "rows without spend"
    HEADINGS = "repeated headings"
    REPEATED = "repeated rows"

    def counted(self, count: int) -> str:
        """Return the words beside a count: “summary lines of the file”; in the singular for one."""
        words = " ".join(word.removesuffix("s") for word in self.value.split(" ")) if count == 1 else self.value
        return f"{words} {'in' if self is LeftOut.NO_SPEND else 'of'} the file"


class SpendRow(NamedTuple):
    """A row of spend; of one campaign and day there can be several, by device, hour or ad."""

    line: int
    day: date
    account: str
    account_id: str
    campaign: str
    campaign_id: str
    amount: Decimal
    # Empty if the row doesn't say it; then the currencies that its sign can mean: USD, CAD and others for “$”.
    currency: str
    possible: frozenset[str] = frozenset()


class Problem(NamedTuple):
    line: int
    sentence: str


@dataclass
class Rows:
    spend: list[SpendRow] = field(default_factory=list)
    left_out: dict[LeftOut, int] = field(default_factory=lambda: defaultdict(int))
    problems: list[Problem] = field(default_factory=list)


def rounded_ids(spend: Sequence[SpendRow]) -> Iterator[Problem]:
    """Yield the rows whose campaign has an ID that ends in zeros and that campaigns of other names have too."""
    names: dict[tuple[str, str, str], SpendRow] = {}
    for row in spend:
        if not ROUNDED_ID.fullmatch(row.campaign_id):
            continue
        first = names.setdefault((row.account, row.account_id, row.campaign_id), row)
        if first.campaign != row.campaign:
            yield Problem(
                row.line,
                f"{quote(row.campaign)} has the same ID as {quote(first.campaign)} of line {first.line},"
                f" {quote(row.campaign_id)}, which a spreadsheet seems to have rounded:"
                f" {SHORTENED.format(kind='campaign')}",
            )


def contradictions(spend: Iterable[SpendRow]) -> Iterator[Problem]:
    """Yield the rows whose sign can't mean the currency of earlier rows of the account: €100.50, then $200.50.

    Two different codes are compared with the account's currency, where that is known.
    """
    earlier: dict[tuple[str, str], tuple[frozenset[str], int]] = {}
    for row in spend:
        possible = frozenset((row.currency,)) if row.currency else row.possible
        if not possible:
            continue
        account = (row.account, row.account_id)
        known, line = earlier.setdefault(account, (possible, row.line))
        common = known & possible
        if common:
            earlier[account] = (common, line if len(common) == len(known) else row.line)
        elif len(known) > 1 or len(possible) > 1:
            yield Problem(
                row.line,
                f"The amount is in {codes_in_words(possible)}, but line {line} of the same account is in"
                f" {codes_in_words(known)}. Spend is never converted: download the report in the account’s currency.",
            )
