"""Small worlds of brands, campaigns, windows and records, near every boundary that the rules know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from campaigns.rules.money import AMOUNT_LIMIT
from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, Record, Window, spends

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Santiago",
)
DAYS = [
    date.fromisoformat(day)
    for day in (
        "2026-03-08",  # New York's clocks go forward
        "2026-03-29",  # London's
        "2026-04-04",  # Santiago's go back at 24:00
        "2026-04-05",  # Lord Howe's go back by half an hour
        "2026-09-05",  # Santiago's skip midnight
        "2026-09-06",
        "2026-10-04",  # Lord Howe's go forward
        "2026-10-25",  # London's go back
        "2026-11-01",  # New York's, on the first of a month
        "2026-11-20",
        "2026-12-31",
        "2027-01-01",
        "2028-02-28",
        "2028-02-29",
        "2028-03-01",
        "2027-02-28",
    )
]
MICROSECOND, MINUTE, HOUR, DAY = (
    timedelta(microseconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
STEPS = [timedelta(0), MICROSECOND, timedelta(seconds=1), MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, DAY]
NEAR = [sign * step for step in STEPS for sign in (1, -1)]
AMOUNTS = [
    Decimal(text)
    for text in ("0.1", "0.2", "0.7", "1", "8.2", "33.333333", "0.000001", "-0.1", "-0.000001", "-2", "60")
]
MILLIONTH = Decimal("0.000001")

near = st.one_of(st.sampled_from(NEAR), st.sampled_from(NEAR), st.timedeltas(-2 * DAY, 2 * DAY))


@dataclass
class World:
    """Brands and what happens to them: at each step people decide something, money is spent, and a check runs.

    folded has, for each step, whether what is pending is folded after it was recorded.
    """

    brands: list[BrandFacts]
    instants: list[datetime]
    folded: list[bool]


def midnight(zone: str, day: date) -> datetime:
    """Return the instant at which a zone's day begins, or near it where its clocks change just then."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    zones = draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3))
    now = midnight(draw(st.sampled_from(zones)), draw(st.sampled_from(DAYS))) + draw(near)
    brands = [draw(brands_of(zone, now)) for zone in zones]
    later = draw(st.lists(near, max_size=2))
    folded = draw(st.lists(st.booleans(), min_size=len(later) + 1, max_size=len(later) + 1))
    return World(brands, [now, *(now + step for step in later)], folded)


@st.composite
def brands_of(draw: st.DrawFn, zone: str, now: datetime) -> BrandFacts:
    brand = BrandFacts(timezone=zone, enabled=draw(st.sampled_from([True, True, True, False])))
    brand.campaigns = [draw(campaigns_of(brand, now)) for _ in range(draw(st.integers(1, 3)))]
    for campaign in brand.campaigns:
        campaign.daily_spend_limit = draw(limits_near(spends(brand, campaign, now).campaign_today))
    spent = spends(brand, brand.campaigns[0], now)
    brand.daily_budget = draw(limits_near(spent.brand_today))
    brand.monthly_budget = draw(limits_near(spent.brand_this_month))
    return brand


@st.composite
def campaigns_of(draw: st.DrawFn, brand: BrandFacts, now: datetime) -> CampaignFacts:
    today = brand.wall(now).date()
    starts_on = draw(st.none() | st.sampled_from([today + days * DAY for days in (-1, 0, 1)]))
    ends_on = draw(st.none() | st.sampled_from([today + days * DAY for days in (-1, 0, 1)]))
    if starts_on and ends_on and ends_on < starts_on:
        ends_on = starts_on
    return CampaignFacts(
        enabled=draw(st.sampled_from([True, True, True, False])),
        starts_on=starts_on,
        ends_on=ends_on,
        windows=draw(st.lists(windows_near(brand.wall(now)), max_size=3)),
        records=draw(st.lists(records_near(brand, now), max_size=5)),
    )


def limits_near(spent: Decimal) -> st.SearchStrategy[Decimal | None]:
    """Give no limit, 0, any, a millionth beside what is spent, one of which that is 80 % or the half or, most of all,
    exactly that.
    """
    beside = [spent, spent, spent, spent - MILLIONTH, spent + MILLIONTH, spent * 2, Decimal(0), Decimal(1)]
    beside.append((spent * 5 / 4).quantize(MILLIONTH))
    return st.none() | st.sampled_from([limit for limit in beside if 0 <= limit < AMOUNT_LIMIT])


@st.composite
def records_near(draw: st.DrawFn, brand: BrandFacts, now: datetime) -> Record:
    """Give a record near the beginnings of the day, the next day, the month and the next month, late or ahead."""
    today = brand.wall(now).date()
    month = today.replace(day=1)
    beginnings = [
        midnight(brand.timezone, day) for day in (today, today + DAY, month, (month + 32 * DAY).replace(day=1))
    ]
    timestamp = draw(st.sampled_from([now, *beginnings])) + draw(near)
    return Record(draw(st.sampled_from(AMOUNTS)), timestamp)


@st.composite
def windows_near(draw: st.DrawFn, wall: datetime) -> Window:
    """Give a window that begins or ends about now, at night, at midnight, or anywhere."""
    about_now = [(wall + minutes * MINUTE).time().replace(second=0, microsecond=0) for minutes in (-60, -1, 0, 1, 60)]
    usual = [time(0), time(0), time(1, 30), time(2), time(22), time(23, 59), *about_now]
    start, end = draw(st.sampled_from(usual)), draw(st.sampled_from(usual))
    if start == end:
        start = end = time(0)
    today = 1 << wall.weekday()
    yesterday = 1 << (wall - DAY).weekday()
    days = draw(st.sampled_from([127, today, yesterday, 127 ^ today, 127 ^ yesterday]))
    return Window(days, start, end)


@st.composite
def decisions(draw: st.DrawFn, world: World, now: datetime) -> None:
    """Let people change something in each brand, and let more be spent."""
    for brand in world.brands:
        campaign = draw(st.sampled_from(brand.campaigns))
        brand.enabled, campaign.enabled = draw(st.booleans()), draw(st.booleans())
        campaign.records += draw(st.lists(records_near(brand, now), max_size=2))
        brand.daily_budget = draw(limits_near(spends(brand, campaign, now).brand_today))
        campaign.windows = draw(st.lists(windows_near(brand.wall(now)), max_size=2))
