"""The advertisers of the demo. All names are invented; amounts are in each advertiser's own currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum

from campaigns.models.dayparting import EVERY_DAY

WORKDAYS, FRIDAY_AND_SATURDAY, WEEKEND = 0b0011111, 0b0110000, 0b1100000


class Level(Enum):
    """How a budget or limit compares with what is spent under it."""

    REACHED = "reached a while ago, if the period is far enough along"
    NEAR = "not far from it now"
    USUAL = "reached late in many days or months, and not in others"
    AMPLE = "four times what is spent"


class Curve(Enum):
    """How spend is spread over the local hours of a day: a weight for each, 1 on average."""

    STEADY = (3, 2, 2, 2, 2, 3, 5, 7, 9, 10, 11, 11, 12, 11, 11, 11, 11, 12, 13, 13, 12, 10, 7, 5)
    OFFICE = (1, 1, 1, 1, 1, 1, 3, 7, 12, 17, 19, 18, 15, 17, 18, 17, 14, 10, 7, 5, 4, 3, 2, 1)
    EVENING = (6, 3, 2, 1, 1, 1, 2, 3, 4, 5, 5, 6, 8, 7, 6, 7, 9, 12, 16, 21, 24, 23, 17, 11)
    NIGHT = (24, 20, 12, 7, 4, 2, 1, 1, 1, 2, 3, 4, 5, 5, 5, 6, 7, 9, 11, 14, 17, 21, 27, 28)

    def weight(self, hour: int) -> float:
        weights: tuple[int, ...] = self.value
        return weights[hour] * 24 / sum(weights)


@dataclass(frozen=True)
class PlannedWindow:
    days_of_week: int
    start_time: time
    end_time: time


OFFICE_HOURS = PlannedWindow(WORKDAYS, time(8), time(18))
EVENINGS = PlannedWindow(EVERY_DAY, time(17, 30), time(0))
LATE_NIGHTS = PlannedWindow(FRIDAY_AND_SATURDAY, time(22), time(2))
WEEKENDS = PlannedWindow(WEEKEND, time(0), time(0))
MORNINGS = PlannedWindow(EVERY_DAY, time(6), time(11))

BREAK = timedelta(minutes=3)


@dataclass(frozen=True)
class Plan:
    """A campaign. Days are counted from the advertiser's today; negative ones have passed."""

    name: str
    # What it would spend on a day without pauses.
    rate: int

    curve: Curve = Curve.STEADY
    windows: tuple[PlannedWindow, ...] = ()
    # Minutes until its daily breaks of BREAK minutes, so that a schedule pauses and resumes it soon.
    breaks_in: tuple[int, ...] = ()

    limit: Level | None = None
    starts: int | None = None
    ends: int | None = None
    off_since: int | None = None

    def schedule(self, wall: datetime) -> tuple[PlannedWindow, ...]:
        """Return the windows of a demo made at this local time: those between the breaks, if it has any."""
        breaks = [wall + timedelta(minutes=minutes) for minutes in self.breaks_in]
        pairs = zip(breaks, [*breaks[1:], *breaks[:1]], strict=True)
        between = (PlannedWindow(EVERY_DAY, _minute(one + BREAK), _minute(following)) for one, following in pairs)
        return self.windows + tuple(between)


def _minute(wall: datetime) -> time:
    return wall.time().replace(second=0, microsecond=0)


@dataclass(frozen=True)
class Advertiser:
    name: str
    timezone: str
    currency: str
    campaigns: tuple[Plan, ...]
    daily: Level | None = None
    monthly: Level | None = None
    # Decimals of its amounts: fewer or more where the currency or the way of buying asks for it.
    places: int = 2

    off_since: int | None = None
    # Some of its rows arrive hours after the spend, when their day may be closed already.
    sends_late: bool = False


ADVERTISERS = (
    Advertiser(
        "Nordlicht Optik",
        "Europe/Berlin",
        "EUR",
        daily=Level.NEAR,
        monthly=Level.USUAL,
        campaigns=(
            Plan("Always on: search", 420),
            Plan("Autumn frames", 260, Curve.EVENING, limit=Level.USUAL),
            Plan("Eye test bookings", 340, Curve.OFFICE, (OFFICE_HOURS,)),
            Plan("Sunglasses clearance", 180, ends=-10),
            Plan("Retargeting", 120, Curve.EVENING, (EVENINGS,)),
        ),
    ),
    Advertiser(
        "Harbour & Pine Coffee",
        "Europe/London",
        "GBP",
        daily=Level.REACHED,
        campaigns=(
            Plan("Morning commute", 520, Curve.OFFICE, (MORNINGS,)),
            Plan("Bean subscription", 240, Curve.EVENING, limit=Level.NEAR),
            Plan("Winter menu", 280, starts=6),
        ),
    ),
    Advertiser(
        "Cascadia Outfitters",
        "America/Los_Angeles",
        "USD",
        daily=Level.AMPLE,
        monthly=Level.AMPLE,
        places=4,
        campaigns=(
            Plan("Trail shoes", 880),
            Plan("Rain shells", 640, Curve.EVENING),
            Plan("Weekend trips", 520, Curve.STEADY, (WEEKENDS,)),
            Plan("Store phone line", 340, breaks_in=(4, 10)),
            Plan("Connected TV", 760, Curve.EVENING, (EVENINGS,), limit=Level.USUAL),
        ),
    ),
    Advertiser(
        "Bluestem Insurance",
        "America/New_York",
        "USD",
        monthly=Level.REACHED,
        campaigns=(
            Plan("Car quotes: search", 1450, Curve.OFFICE),
            Plan("Brand film", 620, Curve.EVENING, limit=Level.USUAL),
            Plan("Call centre hours", 540, Curve.OFFICE, (OFFICE_HOURS,)),
        ),
    ),
    Advertiser(
        "Kawabe Electronics",
        "Asia/Tokyo",
        "JPY",
        daily=Level.AMPLE,
        monthly=Level.NEAR,
        places=0,
        campaigns=(
            Plan("Noise-cancelling headphones", 92_000),
            Plan("Compact cameras", 61_000, Curve.EVENING),
            Plan("Commuter audio", 48_000, Curve.OFFICE, (MORNINGS, EVENINGS)),
            Plan("Year-end campaign", 75_000, starts=9),
            Plan("Support videos", 12_000, limit=Level.NEAR),
        ),
    ),
    Advertiser(
        "Sabiá Viagens",
        "America/Sao_Paulo",
        "BRL",
        daily=Level.USUAL,
        monthly=Level.NEAR,
        campaigns=(
            Plan("Praias do Nordeste", 1900, Curve.EVENING),
            Plan("Viagens a trabalho", 820, Curve.OFFICE, (OFFICE_HOURS,)),
            Plan("Last minute", 640, Curve.NIGHT, (LATE_NIGHTS,)),
            Plan("Cruzeiros", 710, limit=Level.REACHED),
        ),
    ),
    Advertiser(
        "Tarang Mobile",
        "Asia/Kolkata",
        "INR",
        daily=Level.REACHED,
        monthly=Level.USUAL,
        sends_late=True,
        campaigns=(
            Plan("Prepaid packs", 46_000),
            Plan("Festival handsets", 58_000, Curve.EVENING, ends=-2),
            Plan("Night data", 17_500, Curve.NIGHT, (LATE_NIGHTS,)),
            Plan("Fibre to the home", 39_000, Curve.EVENING, (EVENINGS,), limit=Level.USUAL),
            Plan("Shop finder", 14_000, Curve.OFFICE, off_since=-9),
        ),
    ),
    Advertiser(
        "Maison Verlaine",
        "Europe/Paris",
        "EUR",
        daily=Level.USUAL,
        off_since=-12,
        campaigns=(
            Plan("Parfum d'automne", 690, Curve.EVENING),
            Plan("Soirées", 270, Curve.NIGHT, (LATE_NIGHTS,)),
        ),
    ),
)
