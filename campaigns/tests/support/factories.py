"""Small typed makers of what a test needs; each gives valid defaults and takes what the test is about."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from campaigns.models import Brand, BrandPace, Campaign, DaypartingSchedule, SettingChange, SpendRecord
from campaigns.models.dayparting import EVERY_DAY
from campaigns.models.pace import WEEKDAYS
from campaigns.rules.pace import HISTORY_DAYS
from campaigns.services.history.values import format_setting, label_of

_numbers = itertools.count(1)


def utc(text: str) -> datetime:
    """Return the instant of an ISO text, which is in UTC unless it says otherwise."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def zone_at_noon() -> str:
    """Return a time zone in which it is about noon, so that no day ends while a test runs."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def make_brand(**fields: Any) -> Brand:
    return Brand.objects.create(**{"name": f"Brand {next(_numbers)}", "timezone": "UTC"} | fields)


def make_campaign(brand: Brand | None = None, **fields: Any) -> Campaign:
    of_brand = {} if "brand_id" in fields else {"brand": brand or make_brand()}
    return Campaign.objects.create(**of_brand | {"name": f"Campaign {next(_numbers)}"} | fields)


def make_window(
    campaign: Campaign, days: int = EVERY_DAY, start: str = "00:00", end: str = "00:00"
) -> DaypartingSchedule:
    return DaypartingSchedule.objects.create(
        campaign=campaign,
        days_of_week=days,
        start_time=time.fromisoformat(start),
        end_time=time.fromisoformat(end),
    )


def spend(
    campaign: Campaign,
    amount: str | int | Decimal,
    at: datetime | str | None = None,
    external_id: str | None = None,
) -> SpendRecord:
    """Record an amount, now or at an instant."""
    when: dict[str, Any] = {}
    if at is not None:
        when["timestamp"] = utc(at) if isinstance(at, str) else at
    return SpendRecord.objects.create(
        brand_id=campaign.brand_id, campaign=campaign, amount=Decimal(amount), external_id=external_id, **when
    )


def recorded_changes(**filters: Any) -> list[str]:
    """Return the change history of settings, oldest first: "Search: daily spend limit, no limit → 12.50 USD"."""
    return [
        f"{line.name}: {label_of(line.setting)}, "
        f"{format_setting(line, line.before)} → {format_setting(line, line.after)}"
        for line in SettingChange.objects.filter(**filters).order_by("id")
    ]


def make_profile(brand: Brand, day: date, amount: str | int, **fields: Any) -> BrandPace:
    """Store that the brand usually spends an amount a day, at any hour, as refresh_pace() would on a local day."""
    defaults: dict[str, Any] = {
        "day": day,
        "days": HISTORY_DAYS,
        "volatility": 0,
        "open_minutes": "".join(f"{60 * hour:04}" for hour in range(25)),
        "range_low": -100,
        "range_high": 200,
    }
    weekdays = dict.fromkeys(WEEKDAYS, Decimal(amount))
    row, _ = BrandPace.objects.update_or_create(brand=brand, defaults=defaults | weekdays | fields)
    return row
