"""A campaign's day so far: its cumulative spend, and when it was paused.

The day is the brand's local day; only pages use it. The number of rows read is bounded, whatever the size of the
ledger:

- its own records, if there are at most MAX_OWN_RECORDS in all, by the ledger's index on the campaign;
- else those among the ledger's latest MAX_LATEST_RECORDS, by id, if these reach back to before the day began and at
  most MAX_OWN_RECORDS are its own;
- else the status history of the day: each change stores the spend that it was decided on (R13).
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
from campaigns.services.insight.quarters import id_before_latest, spend_by_quarter

MAX_OWN_RECORDS = 10_000
MAX_LATEST_RECORDS = 100_000
# Changes of a campaign that are read; a pause that started earlier is shown from the first of them.
MAX_CHANGES = 200


class Source(Enum):
    RECORDS = "by quarter of an hour"
    HISTORY = "at each change of status"


@dataclass(frozen=True)
class Point:
    """The day's spend up to an instant."""

    at: datetime
    spend: Decimal


@dataclass(frozen=True)
class Pause:
    """A part of the day in which the campaign was paused for the same reasons."""

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


def campaign_changes(campaign: Campaign) -> list[StatusChange]:
    """Return the campaign's latest status changes, the newest first."""
    return list(campaign.status_changes.order_by("-id")[:MAX_CHANGES])


def read_day(
    campaign: Campaign, zone: ZoneInfo, *, spend_today: Decimal, changes: Sequence[StatusChange], now: datetime
) -> Day:
    """Return the campaign's day. spend_today is its recorded spend, changes come from campaign_changes()."""
    today = local_date(zone, now)
    start, end = start_of_day(zone, today), start_of_day(zone, today + ONE_DAY)
    spent = _spent_by_quarter(campaign.pk, start, end)
    # Records dated ahead can be older than those read; then the history is more complete.
    if spent is None or sum(spent.values()) < spend_today:
        points, source = _points_from_history(changes, start, now, spend_today), Source.HISTORY
    else:
        points, source = _points_from_records(spent, start, now), Source.RECORDS
    return Day(start, end, now, points, find_pauses(campaign, changes, start, now), source)


def _spent_by_quarter(campaign: int, start: datetime, end: datetime) -> dict[int, Decimal] | None:
    """Return the spend by quarter-hour of the day, or None if that would read too many records."""
    if _is_few("campaign_id = %s", [campaign]):
        return spend_by_quarter("campaign_id = %s", [campaign], start, end)
    before = id_before_latest(MAX_LATEST_RECORDS)
    # Adding 0 keeps both databases from using the index on the campaign, which may have millions of records.
    among_last, params = "id > %s AND campaign_id + 0 = %s", [before, campaign]
    if _is_older(before, start) and _is_few(among_last, params):
        return spend_by_quarter(among_last, params, start, end)
    return None


def _is_few(condition: str, params: list[int]) -> bool:
    sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM campaigns_spendrecord WHERE {condition} LIMIT %s) AS found"
    ((count,),) = fetch_all(sql, [*params, MAX_OWN_RECORDS + 1])
    return bool(count <= MAX_OWN_RECORDS)


def _is_older(record: int, start: datetime) -> bool:
    """Return whether the last record up to an id arrived before the day began; then later ids hold the whole day."""
    arrived = SpendRecord.objects.filter(pk__lte=record).order_by("-pk").values_list("recorded_at", flat=True).first()
    return arrived is None or arrived < start


def _points_from_records(spent: dict[int, Decimal], start: datetime, now: datetime) -> list[Point]:
    """Return the cumulative spend at the end of each quarter-hour so far, and now."""
    total, points = Decimal(0), [Point(start, Decimal(0))]
    first, last = quarter_of(start), max([quarter_of(now), *spent])
    for quarter in range(first, last + 1):
        total += spent.get(quarter, Decimal(0))
        points.append(Point(min(datetime.fromtimestamp((quarter + 1) * QUARTER_SECONDS, UTC), now), total))
    return [point for point, later in _with_next(points) if later is None or later.at > point.at]


def _with_next(points: Sequence[Point]) -> Iterator[tuple[Point, Point | None]]:
    return zip(points, [*points[1:], None], strict=True)


def _points_from_history(
    changes: Iterable[StatusChange], start: datetime, now: datetime, spend_today: Decimal
) -> list[Point]:
    known = sorted((change.at, change.campaign_spend) for change in changes if start < change.at < now)
    return [Point(start, Decimal(0)), *(Point(at, spend) for at, spend in known), Point(now, spend_today)]


def find_pauses(campaign: Campaign, changes: Sequence[StatusChange], start: datetime, now: datetime) -> list[Pause]:
    """Return the campaign's pauses between two instants, in order."""
    found: list[Pause] = []
    until, reasons = now, campaign.reasons
    for change in changes:
        at = min(max(change.at, start), until)
        if reasons and at < until:
            found.append(Pause(at, until, reasons))
        until, reasons = at, PauseReason(change.reasons_before)
        if at == start:
            break
    if reasons and until > start:
        found.append(Pause(start, until, reasons))
    return found[::-1]


def total_paused(stretches: Iterable[Pause]) -> timedelta:
    """Return the total duration of the pauses."""
    return sum((pause.end - pause.start for pause in stretches), timedelta())
