"""What changed a statement after it was closed: restatements of platforms, by account and time, and other records.

Restatements are found by the totals of the brand's campaigns. Records without a total have no index by time, so they
are what remains of the adjustment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from campaigns.database.connection import as_instant, fetch_all
from campaigns.database.dialects import in_list, list_param, micros_sql, shown_sum
from campaigns.models import AccountingTimeZone, BrandPeriod, PlatformAccount
from campaigns.rules.money import from_micros
from campaigns.rules.periods import ONE_DAY, find_zone, first_of_month, start_of_day
from campaigns.rules.platforms import SOURCES

# Platforms restate a day for up to 30 days, and connectors read 35 days again: until then a change is expected.
RESTATED_FOR = 35 * ONE_DAY

RESTATEMENTS = """
SELECT total.source, total.account, record.recorded_at, COUNT(DISTINCT record.campaign_id),
    {amount}
FROM campaigns_campaign AS campaign
JOIN campaigns_linkedcampaign AS linked ON linked.linked_campaign_id = campaign.id
-- By its whole key, day by day: the account may have millions of others.
JOIN campaigns_spendtotal AS total ON total.source = linked.source AND total.account = linked.account
    AND total.campaign = linked.campaign AND {total_days} AND total.booked_campaign_id = campaign.id
JOIN campaigns_spendrecord AS record ON record.total_id = total.id
WHERE campaign.brand_id = %(brand)s AND record.brand_id = %(brand)s
    AND record.recorded_at > %(closed)s AND record.timestamp >= %(starts)s AND record.timestamp < %(ends)s
GROUP BY total.source, total.account, record.recorded_at
ORDER BY record.recorded_at DESC, total.source, total.account
"""


class Restatement(NamedTuple):
    """What an account's reports changed of a statement at one time."""

    at: datetime
    platform: str
    account: str
    campaigns: int
    amount: Decimal
    # Whether it came more than 35 days after the period's end.
    is_late: bool


@dataclass(frozen=True)
class LateChanges:
    restatements: list[Restatement]
    # What other records have changed: single records, imports, corrections and reversals.
    others: Decimal


def late_changes(period: BrandPeriod) -> LateChanges:
    """Return what changed a closed statement; nothing of an open one, or in an unknown time zone."""
    zone = _zone_of(period)
    if period.closed_at is None or zone is None:
        return LateChanges([], period.adjustment or Decimal(0))
    found = list(_restatements(period, zone))
    others = (period.adjustment or Decimal(0)) - sum((each.amount for each in found), Decimal(0))
    return LateChanges(found, others)


def _restatements(period: BrandPeriod, zone: ZoneInfo) -> Iterator[Restatement]:
    first = period.starts_on
    after = first + ONE_DAY if period.kind == BrandPeriod.Kind.DAY else first_of_month(first + ONE_DAY * 31)
    instants = {"starts": start_of_day(zone, first), "ends": start_of_day(zone, after), "closed": period.closed_at}
    # An account's day overlaps three of the brand's at most.
    days = [first + ONE_DAY * number for number in range(-1, (after - first).days + 1)]
    params: dict[str, Any] = {"brand": period.brand_id}
    params |= {name: connection.ops.adapt_datetimefield_value(_utc(at)) for name, at in instants.items()}
    params["days"] = list_param(days)
    sql = RESTATEMENTS.format(
        amount=shown_sum(micros_sql("record.amount")), total_days=in_list("total.day", param="%(days)s")
    )
    rows = fetch_all(sql, params)
    names = _names({(source, account) for source, account, *_ in rows})
    expected_until = start_of_day(zone, after + RESTATED_FOR)
    for source, account, at, campaigns, micros in rows:
        name = names.get((source, account)) or account
        platform, recorded = SOURCES.get(source, source), as_instant(at)
        is_late = recorded >= expected_until
        yield Restatement(recorded, platform, name, campaigns, from_micros(int(micros)), is_late)


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)


def _names(keys: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    accounts = PlatformAccount.objects.filter(external_id__in={account for _, account in keys}).order_by()
    return {(source, account): name for source, account, name in accounts.values_list("source", "external_id", "name")}


def _zone_of(period: BrandPeriod) -> ZoneInfo | None:
    """Return the time zone in which the period was booked (R15)."""
    day: date = period.starts_on
    booked = AccountingTimeZone.objects.filter(brand=period.brand_id, kind=period.kind, first__lte=day)
    row = booked.filter(until__gt=day).order_by("-first").first()
    return find_zone(row.timezone if row else period.brand.timezone)
