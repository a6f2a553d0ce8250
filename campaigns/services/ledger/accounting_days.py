"""The days in which spend is counted, and which statements of them are final, for previews of late spend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from campaigns.models import AccountingTimeZone, Brand, BrandPeriod
from campaigns.rules.periods import find_zone, first_of_month, local_date

UTC = ZoneInfo("UTC")
DAY, MONTH = BrandPeriod.Kind.DAY, BrandPeriod.Kind.MONTH


class AccountingDays:
    """The local days of some brands, each in the time zone that the brand had then (R15)."""

    def __init__(self, brand_ids: Iterable[int]) -> None:
        ids = set(brand_ids)
        self._now = dict(Brand.objects.filter(pk__in=ids).order_by().values_list("pk", "timezone"))
        self._zones: dict[int, list[tuple[str, date, date]]] = defaultdict(list)
        rows = AccountingTimeZone.objects.filter(brand__in=ids, kind=DAY).order_by("first")
        for row in rows:
            self._zones[row.brand_id].append((row.timezone, row.first, row.until))

    def day_of(self, brand: int, instant: datetime) -> date:
        """Return the day in which an instant counts.

        Around a change of the zone an instant may belong to no day: then it is the day in the present zone.
        """
        for name, first, until in self._zones[brand]:
            day = local_date(find_zone(name) or UTC, instant)
            if first <= day < until:
                return day
        return local_date(find_zone(self._now.get(brand, "")) or UTC, instant)


class FinalStatements:
    """The statements of some brands' days, and of their months, that are final."""

    def __init__(self, days: Iterable[tuple[int, date]]) -> None:
        given = set(days)
        starts = {day for _, day in given} | {first_of_month(day) for _, day in given}
        rows = BrandPeriod.objects.filter(
            brand__in={brand for brand, _ in given}, starts_on__in=starts, closed_at__isnull=False
        )
        self._final = set(rows.order_by().values_list("brand_id", "kind", "starts_on"))

    def describe(self, brand: int, day: date) -> str:
        """Return "open", or which of the day's and the month's statements are final."""
        kinds = ((DAY, day), (MONTH, first_of_month(day)))
        final = [str(kind.value) for kind, start in kinds if (brand, kind.value, start) in self._final]
        return f"{' and '.join(final)} final" if final else "open"
