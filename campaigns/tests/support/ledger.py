"""The ledger's totals as they are counted, and as plain Python reckons them from the records.

Only the brands' booking zones are taken from the product; days and months are what a zone's clock shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from campaigns.models import AccountingTimeZone, Brand, BrandPeriod, CampaignDay, PendingSpend, SpendRecord
from campaigns.rules.periods import known_zones
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.scope import Scope
from campaigns.tests.oracle.oracle_books import Totals
from campaigns.tests.support.factories import utc
from campaigns.tests.support.outside import EPOCH

Spent = tuple[int, int, datetime, Decimal]


def totals_of_records() -> Totals:
    """Return what the totals must be: each record in every period that its brand's booking puts it in."""
    records = SpendRecord.objects.all()
    return _booked((row.brand_id, row.campaign_id, row.timestamp, row.amount) for row in records)


def totals_counted() -> Totals:
    """Return the totals as every decision counts them: folded + pending."""
    folded, pending, nothing = totals_folded(), totals_pending(), Decimal(0)
    sums = {key: folded.get(key, nothing) + pending.get(key, nothing) for key in folded | pending}
    return {key: amount for key, amount in sums.items() if amount}


def totals_folded() -> Totals:
    of_campaigns: Totals = {("campaign day", row.campaign_id, row.day): row.spend for row in CampaignDay.objects.all()}
    of_brands: Totals = {(row.kind, row.brand_id, row.starts_on): row.spend for row in BrandPeriod.objects.all()}
    return {key: amount for key, amount in (of_campaigns | of_brands).items() if amount}


def totals_pending() -> Totals:
    rows = PendingSpend.objects.all()
    quarter = timedelta(minutes=15)
    return _booked((row.brand_id, row.campaign_id, EPOCH + row.quarter * quarter, row.amount) for row in rows)


def _booked(spent: Iterable[Spent]) -> Totals:
    zones: dict[int, list[AccountingTimeZone]] = {}
    for zone in AccountingTimeZone.objects.filter(timezone__in=known_zones()):
        zones.setdefault(zone.brand_id, []).append(zone)
    sums: defaultdict[tuple[str, int, date], Decimal] = defaultdict(Decimal)
    for brand, campaign, instant, amount in spent:
        for zone in zones.get(brand, []):
            day = instant.astimezone(ZoneInfo(zone.timezone)).date()
            period = day if zone.kind == "day" else day.replace(day=1)
            if zone.first <= period < zone.until:
                sums[zone.kind, brand, period] += amount
                if zone.kind == "day":
                    sums["campaign day", campaign, period] += amount
    return {key: amount for key, amount in sums.items() if amount}


def day_of(brand: Brand, day: str, kind: str = "day") -> Decimal:
    """Return a brand's counted total of a day, or of the month that begins on it."""
    return totals_counted().get((kind, brand.pk, date.fromisoformat(day)), Decimal(0))


def change_brand(brand: Brand, at: str | datetime, **fields: Any) -> None:
    """Change a brand as the admin does: everything takes effect in one transaction."""
    instant = utc(at) if isinstance(at, str) else at
    with transaction.atomic():
        begin_change([brand.pk], clock=lambda: instant)
        Brand.objects.filter(pk=brand.pk).update(**fields)
        finish_change(Scope.of_brands([brand.pk]), clock=lambda: instant, actor="amara")
