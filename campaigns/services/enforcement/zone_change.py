"""What another time zone does to a brand's spend of today and of this month: said before it is changed.

Tried out in a transaction that is rolled back, by the same re-booking and decision that the change itself takes (R15).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from campaigns.models import Brand
from campaigns.models.spend_queries import brands_with_spend
from campaigns.rules.clock import Clock
from campaigns.services.enforcement.dry_run import Effects, effects, rolled_back
from campaigns.services.enforcement.saving import begin_change
from campaigns.services.scope import Scope


@dataclass(frozen=True)
class Spent:
    """A brand's spend of today and of this month, in the zone that it has."""

    name: str
    currency: str
    timezone: str
    today: Decimal
    this_month: Decimal


@dataclass(frozen=True)
class ZoneChange:
    before: Spent
    after: Spent


def spent_of(brand_ids: Collection[int], now: datetime) -> dict[int, Spent]:
    """Return what each of the brands has spent, with what is pending."""
    ids = sorted(brand_ids)
    brands: Any = brands_with_spend(Brand.objects.filter(pk__in=ids).order_by(), now, ids) if ids else []
    return {
        brand.pk: Spent(brand.name, brand.currency, brand.timezone, brand.spend_today, brand.spend_this_month)
        for brand in brands
    }


def preview_zone_change(brand_id: int, values: Mapping[str, Any], *, clock: Clock) -> tuple[ZoneChange, Effects]:
    """Return what the brand's new values, another zone among them, do to its spend and to its campaigns' statuses."""
    with rolled_back():
        begin_change([brand_id], clock=clock)
        before = spent_of([brand_id], clock())[brand_id]
        brand = Brand.objects.get(pk=brand_id)
        for name, value in values.items():
            setattr(brand, name, value)
        brand.save(update_fields=list(values))
        would = effects(Scope.of_rows(Brand, [brand_id]), [brand_id], clock=clock)
        return ZoneChange(before, spent_of([brand_id], clock())[brand_id]), would
