"""Filling an empty database with the demo: facts first, then everything that the jobs would have done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from django.db import transaction

from campaigns.database.connection import take_ledger_lock
from campaigns.models import Brand, Campaign, DaypartingSchedule, SpendRecord, StatusChange
from campaigns.rules.money import from_micros
from campaigns.rules.periods import ONE_DAY, local_date
from campaigns.services.demo.advertisers import ADVERTISERS, Advertiser, Plan
from campaigns.services.demo.delivery import Limits, Spend, deliver, start_of_data
from campaigns.services.history.record import Channel, Source, differences, record_changes
from campaigns.services.history.settings import read_settings
from campaigns.services.jobs import full_check as jobs
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import fold

ACTOR = "manage.py demo"
REPLAYED = timedelta(days=3)
# The last days have a check every quarter of an hour; before them, spend is only booked and periods closed.
CLOSE_EVERY, CHECK_EVERY = timedelta(days=1), timedelta(minutes=15)

Progress = Callable[[list[datetime]], Iterable[datetime]]


@dataclass(frozen=True)
class Made:
    """What there is now."""

    since: date
    brands: int
    campaigns: int
    active: int
    records: int
    changes: int


@transaction.atomic
def fill(*, now: datetime, progress: Progress = iter) -> Made | None:
    """Make the demo if there are no brands yet; otherwise change nothing and return None.

    All or nothing, so an interrupted one can be begun again. The ledger lock lets one of two fillers go first. The
    brands are locked after it, but no deadlock can arise: other transactions don't see them yet.
    """
    take_ledger_lock()
    if Brand.objects.exists():
        return None
    all_there = max(start_of_data(advertiser, now) for advertiser in ADVERTISERS)
    arriving = _Arriving(record for advertiser in ADVERTISERS for record in _create(advertiser, now))
    replay_from = now - REPLAYED
    booked, checked = _instants(all_there, replay_from, CLOSE_EVERY), _instants(replay_from, now, CHECK_EVERY)
    for instant in progress([*booked, *checked]):
        arriving.record_until(instant)
        if instant <= replay_from:
            fold()
            close_periods(now=instant)
        else:
            jobs.full_check(ACTOR, clock=partial(_same, instant))
    return _made(now)


def _made(now: datetime) -> Made:
    return Made(
        since=local_date(ZoneInfo(ADVERTISERS[0].timezone), start_of_data(ADVERTISERS[0], now)),
        brands=Brand.objects.count(),
        campaigns=Campaign.objects.count(),
        active=Campaign.objects.filter(status=Campaign.Status.ACTIVE).count(),
        records=SpendRecord.objects.count(),
        changes=StatusChange.objects.count(),
    )


def _instants(after: datetime, until: datetime, step: timedelta) -> Iterator[datetime]:
    """Yield the round instants between the two, the last one included."""
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    instant = midnight + step * ((after - midnight) // step + 1)
    while instant < until:
        yield instant
        instant += step
    yield until


def _same(instant: datetime) -> datetime:
    return instant


class _Arriving:
    """Spend records on their way into the ledger, in the order in which they arrive."""

    def __init__(self, records: Iterable[SpendRecord]) -> None:
        self.records = sorted(records, key=lambda record: record.recorded_at)
        self.recorded = 0

    def record_until(self, instant: datetime) -> None:
        until = self.recorded
        while until < len(self.records) and self.records[until].recorded_at <= instant:
            until += 1
        SpendRecord.objects.bulk_create(self.records[self.recorded : until])
        self.recorded = until


def _create(advertiser: Advertiser, now: datetime) -> list[SpendRecord]:
    """Create a brand and its campaigns as they would be since the start of the data; return the spend to record."""
    start = start_of_data(advertiser, now)
    delivery = deliver(advertiser, start, now)
    brand = Brand.objects.create(
        name=advertiser.name,
        enabled=advertiser.off_since is None,
        currency=advertiser.currency,
        timezone=advertiser.timezone,
        daily_budget=_money(delivery.limits.daily),
        monthly_budget=_money(delivery.limits.monthly),
        created_at=start,
    )
    wall = now.astimezone(ZoneInfo(advertiser.timezone))
    campaigns = {plan.name: _create_campaign(brand, plan, delivery.limits, wall) for plan in advertiser.campaigns}
    _record_creation(brand, start)
    return [_record(campaigns[spend.campaign], spend) for spend in delivery.spends]


def _record_creation(brand: Brand, at: datetime) -> None:
    ids = Campaign.objects.filter(brand=brand).values_list("pk", flat=True)
    made = [*differences({}, read_settings(Brand, [brand.pk])), *differences({}, read_settings(Campaign, ids))]
    record_changes(made, Source(ACTOR, Channel.COMMAND), at=at)


def _create_campaign(brand: Brand, plan: Plan, limits: Limits, wall: datetime) -> Campaign:
    today = wall.date()
    campaign = Campaign.objects.create(
        brand=brand,
        name=plan.name,
        enabled=plan.off_since is None,
        daily_spend_limit=_money(limits.campaigns[plan.name]),
        starts_on=_day(plan.starts, today),
        ends_on=_day(plan.ends, today),
        created_at=brand.created_at,
    )
    for window in plan.schedule(wall):
        DaypartingSchedule.objects.create(campaign=campaign, **asdict(window))
    return campaign


def _record(campaign: Campaign, spend: Spend) -> SpendRecord:
    kind = "spend" if spend.amount > 0 else "credit"
    return SpendRecord(
        brand_id=campaign.brand_id,
        campaign=campaign,
        amount=from_micros(spend.amount),
        timestamp=spend.at,
        recorded_at=spend.recorded_at,
        external_id=f"{kind}-{spend.at:%Y%m%dT%H%M%SZ}",
    )


def _money(micros: int | None) -> Decimal | None:
    return None if micros is None else from_micros(micros)


def _day(days_from_today: int | None, today: date) -> date | None:
    return None if days_from_today is None else today + ONE_DAY * days_from_today
