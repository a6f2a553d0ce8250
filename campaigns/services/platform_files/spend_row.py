"""What the rows of a report's table are: spend, left out, or problems."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class LeftOut(StrEnum):
    """Why a row isn't spend."""

    TOTAL = "totals"
    NOTE = "notes"
    NO_SPEND = "without spend"
    HEADINGS = "repeated headings"
    REPEATED = "repeated rows"


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
