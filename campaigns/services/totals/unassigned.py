"""Spend that waits because its campaign isn't linked, or can't be booked: for people who assign it (R17)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from campaigns.database.connection import as_date, fetch_all
from campaigns.database.dialects import in_list, list_param, shown_sum
from campaigns.database.statements import statement
from campaigns.models.platforms.totals import Waiting
from campaigns.rules.money import from_micros
from campaigns.services.totals.waiting import REPORTED

# Campaigns of platforms that are read at once; a page says where there are more.
MOST = 2_000

LACKING = f"{REPORTED} - total.booked"


@dataclass(frozen=True)
class UnassignedSpend:
    """What waits of one campaign of a platform, for one reason."""

    source: str
    account: str
    campaign: str
    waiting: Waiting
    account_name: str
    currency: str
    # The brand that the account suggests.
    brand_id: int | None
    # None if SQL has inserted a total without its account.
    account_id: int | None
    timezone: str
    link_id: int | None
    name: str
    note: str
    # The campaign that it is linked to, where it waits for another reason.
    campaign_id: int | None
    days: int
    first_day: date
    last_day: date
    amount: Decimal
    problem: str

    @property
    def key(self) -> str:
        """Return what names it in a form."""
        return f"{self.source} {self.account} {self.campaign}"


@dataclass(frozen=True)
class Unassigned:
    """What waits, most money first; is_capped: more than MOST campaigns of platforms do."""

    spend: list[UnassignedSpend]
    is_capped: bool

    @property
    def money(self) -> dict[str, Decimal]:
        """Return the amounts by currency, without what is ignored on purpose."""
        amounts: dict[str, Decimal] = defaultdict(Decimal)
        for each in self.open:
            amounts[each.currency] += each.amount
        return dict(sorted(amounts.items()))

    @property
    def open(self) -> list[UnassignedSpend]:
        return [each for each in self.spend if each.waiting != Waiting.IGNORED]

    @property
    def ignored(self) -> list[UnassignedSpend]:
        return [each for each in self.spend if each.waiting == Waiting.IGNORED]


class UnassignedAccount(NamedTuple):
    """What waits of an account, however many campaigns it has, without what is ignored on purpose."""

    source: str
    account: str
    name: str
    currency: str
    campaigns: int
    amount: Decimal


def unassigned_spend(brands: Collection[int] | None) -> Unassigned:
    """Return what waits, if given only of the accounts for which one of these brands is suggested."""
    in_brands = "TRUE" if brands is None else in_list("account.brand_id", param="%(brands)s")
    sql = statement("totals/unassigned", amount=shown_sum(LACKING), in_brands=in_brands)
    rows = fetch_all(sql, {"most": MOST + 1, "brands": list_param(brands or ())})
    spend = [_spend(row) for row in rows[:MOST]]
    spend.sort(key=lambda each: (-abs(each.amount), each.key))
    return Unassigned(spend, len(rows) > MOST)


def unassigned_accounts() -> list[UnassignedAccount]:
    """Return the accounts whose spend waits, with all of it."""
    rows = fetch_all(statement("totals/unassigned_accounts", amount=shown_sum(LACKING)))
    return [
        UnassignedAccount(source, account, name, currency, campaigns, from_micros(int(amount)))
        for source, account, name, currency, campaigns, amount in rows
    ]


def _spend(row: tuple[Any, ...]) -> UnassignedSpend:
    """Return a row of the statement, whose columns stand in the order of the fields."""
    source, account, campaign, waiting, *known, first, last, amount, problem = row
    dates = as_date(first), as_date(last)
    return UnassignedSpend(
        *(source, account, campaign, Waiting(waiting), *known, *dates, from_micros(int(amount)), problem)
    )
