"""Held decreases as people see them: one line an account and day (R16)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from campaigns.database.connection import as_date, fetch_all
from campaigns.database.dialects import in_list, list_param, shown_sum
from campaigns.database.statements import statement
from campaigns.rules.money import from_micros
from campaigns.services.totals.waiting import REPORTED

# Accounts and days that are shown at once: those that wait for a decision before rejected ones.
MOST = 500

SUGGESTED = """EXISTS (
        SELECT 1 FROM campaigns_platformaccount AS own
        WHERE own.source = total.source AND own.external_id = total.account
            AND {in_brands}
    )"""


@dataclass(frozen=True)
class Held:
    """The decreases of an account and day that wait for a person, with the sums over all of its campaigns."""

    source: str
    account: str
    day: date
    account_name: str
    currency: str
    brand_id: int | None
    reported: Decimal
    booked: Decimal
    # Campaigns whose decrease waits, and of how many of them the figure was rejected.
    campaigns: int
    rejected: int

    @property
    def is_rejected(self) -> bool:
        return self.campaigns == self.rejected

    @property
    def key(self) -> str:
        """Return what names it in a form."""
        return f"{self.source} {self.account} {self.day}"


def held_decreases(brands: Collection[int] | None, *, is_limited: bool = True) -> list[Held]:
    """Return held decreases, the newest day first, if given only of accounts that suggest these brands.

    Pages show a limited number; alerts need all, because an alert that is left out would resolve.
    """
    sql = statement(
        "totals/held",
        reported=shown_sum(REPORTED),
        booked=shown_sum("total.booked"),
        micros=REPORTED,
        limit="LIMIT %(most)s" if is_limited else "",
        in_brands="TRUE" if brands is None else SUGGESTED.format(in_brands=in_list("brand_id", param="%(brands)s")),
    )
    return [_held(row) for row in fetch_all(sql, {"most": MOST, "brands": list_param(brands or ())})]


def held_warning() -> str:
    """Return of how many accounts' days decreases wait for a person, for monitoring: without names; "" if none."""
    count = sum(not each.is_rejected for each in held_decreases(None))
    if not count:
        return ""
    counted = f"at least {count:,} days" if count == MOST else f"{count:,} day{'' if count == 1 else 's'}"
    return f"Reported decreases are held, {counted} of accounts: release or reject them under Held decreases."


def _held(row: tuple[Any, ...]) -> Held:
    source, account, day, name, currency, brand, reported, booked, campaigns, rejected = row
    sums = from_micros(int(reported)), from_micros(int(booked))
    return Held(source, account, as_date(day), name, currency, brand, *sums, campaigns, rejected)
