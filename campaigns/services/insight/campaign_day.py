"""A campaign's day of today so far: its spend as it grew, and when it was paused.

The day is the brand's local one. Nothing here is decided on: pages show it. What it reads is bounded, however large the
ledger is and however much of it is the campaign's:

- its own records, if these are no more than OWN_RECORDS in all, by the ledger's index on the campaign;
- else those among the ledger's last LAST_RECORDS, by their numbers, if these reach back to before the day began and no
  more than OWN_RECORDS are its own;
- and else what the lines of history tell of the day: each keeps the spend that it was decided on (R13).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo

from campaigns.database.connection import fetch_all
from campaigns.models import Campaign, SpendRecord, StatusChange
from campaigns.rules.periods import ONE_DAY, QUARTER_SECONDS, local_date, quarter_of, start_of_day
from campaigns.rules.reasons import PauseReason
from campaigns.services.insight.quarters import before_the_last, spend_by_quarter

OWN_RECORDS = 10_000
LAST_RECORDS = 100_000
# So many lines of a campaign's history are read; a pause that began before them begins with the first of them.
LAST_LINES = 200


class Source(Enum):
    RECORDS = "by quarter of an hour"
    LINES = "at each change of status"


@dataclass(frozen=True)
class Point:
    """The spend of the day up to an instant."""

    at: datetime
    spend: Decimal


@dataclass(frozen=True)
class Pause:
    """A stretch of the day in which the campaign was paused, for the same reasons from its beginning to its end."""

    start: datetime
    end: datetime
    reasons: PauseReason


@dataclass(frozen=True)
class Day:
    """Today from start (included) to end (excluded), known up to now."""

    start: datetime
    end: datetime
    now: datetime
    points: list[Point]
    pauses: list[Pause]
    source: Source


def last_lines(campaign: Campaign) -> list[StatusChange]:
    """Return the campaign's last lines of history, the newest first."""
    return list(campaign.status_changes.order_by("-id")[:LAST_LINES])


def read_day(
    campaign: Campaign, zone: ZoneInfo, *, spend_today: Decimal, lines: Sequence[StatusChange], now: datetime
) -> Day:
    """Return the campaign's day; spend_today is what is recorded for it by now, lines are from last_lines()."""
    today = local_date(zone, now)
    start, end = start_of_day(zone, today), start_of_day(zone, today + ONE_DAY)
    spent = _spent_by_quarter(campaign.pk, start, end)
    # Records dated ahead may have arrived before those that were read: then the lines know more.
    if spent is None or sum(spent.values()) < spend_today:
        points, source = _of_lines(lines, start, now, spend_today), Source.LINES
    else:
        points, source = _of_records(spent, start, now), Source.RECORDS
    return Day(start, end, now, points, pauses(campaign, lines, start, now), source)


def _spent_by_quarter(campaign: int, start: datetime, end: datetime) -> dict[int, Decimal] | None:
    """Return the spend of each quarter-hour of the day that has any; None where too many records would be read."""
    if _is_few("campaign_id = %s", [campaign]):
        return spend_by_quarter("campaign_id = %s", [campaign], start, end)
    before = before_the_last(LAST_RECORDS)
    # Adding 0 keeps both databases from looking by the campaign, which may have millions of records.
    among_last, params = "id > %s AND campaign_id + 0 = %s", [before, campaign]
    if _is_older(before, start) and _is_few(among_last, params):
        return spend_by_quarter(among_last, params, start, end)
    return None


def _is_few(condition: str, params: list[int]) -> bool:
    sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM campaigns_spendrecord WHERE {condition} LIMIT %s) AS found"
    ((count,),) = fetch_all(sql, [*params, OWN_RECORDS + 1])
    return bool(count <= OWN_RECORDS)


def _is_older(record: int, start: datetime) -> bool:
    """Return whether the last record up to an id arrived before the day began; then later ids hold the whole day."""
    arrived = SpendRecord.objects.filter(pk__lte=record).order_by("-pk").values_list("recorded_at", flat=True).first()
    return arrived is None or arrived < start


def _of_records(spent: dict[int, Decimal], start: datetime, now: datetime) -> list[Point]:
    """Return the spend at the end of each quarter-hour so far, and now."""
    total, points = Decimal(0), [Point(start, Decimal(0))]
    first, last = quarter_of(start), max([quarter_of(now), *spent])
    for quarter in range(first, last + 1):
        total += spent.get(quarter, Decimal(0))
        points.append(Point(min(datetime.fromtimestamp((quarter + 1) * QUARTER_SECONDS, UTC), now), total))
    return [point for point, later in _with_next(points) if later is None or later.at > point.at]


def _with_next(points: Sequence[Point]) -> Iterator[tuple[Point, Point | None]]:
    return zip(points, [*points[1:], None], strict=True)


def _of_lines(lines: Iterable[StatusChange], start: datetime, now: datetime, spend_today: Decimal) -> list[Point]:
    known = sorted((line.at, line.campaign_spend) for line in lines if start < line.at < now)
    return [Point(start, Decimal(0)), *(Point(at, spend) for at, spend in known), Point(now, spend_today)]


def pauses(campaign: Campaign, lines: Sequence[StatusChange], start: datetime, now: datetime) -> list[Pause]:
    """Return when the campaign was paused between the two instants: each stretch with its reasons, in order."""
    found: list[Pause] = []
    until, reasons = now, campaign.reasons
    for line in lines:
        at = min(max(line.at, start), until)
        if reasons and at < until:
            found.append(Pause(at, until, reasons))
        until, reasons = at, PauseReason(line.reasons_before)
        if at == start:
            break
    if reasons and until > start:
        found.append(Pause(start, until, reasons))
    return found[::-1]


def paused_for(stretches: Iterable[Pause]) -> timedelta:
    """Return how long the campaign was paused in all."""
    return sum((pause.end - pause.start for pause in stretches), timedelta())
