"""When a paused campaign resumes, and when the schedule pauses an active one.

Pure functions over data that the caller has read: the campaign with its brand, pause reasons and windows. They assume
that nothing else changes: no setting, no budget, no further spend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from campaigns.models import Campaign
from campaigns.rules.periods import (
    ONE_DAY,
    find_zone,
    first_of_month,
    local_date,
    next_month,
    start_of_day,
    weekday_bit,
)
from campaigns.rules.reasons import LIMITS, Limit, PauseReason

MIDNIGHT = time(0)
TURNED_ON = {
    PauseReason.CAMPAIGN_DISABLED: "it is turned on",
    PauseReason.BRAND_DISABLED: "the brand is resumed",
}
# What is archived can't be switched on before.
RESTORED = {
    PauseReason.CAMPAIGN_DISABLED: "it is restored and turned on",
    PauseReason.BRAND_DISABLED: "the brand is restored and resumed",
}
# Each window opens within a week, or two if DST skips it once.
DAYS_AHEAD = 16


class Window(Protocol):
    """A dayparting window."""

    @property
    def days_of_week(self) -> int: ...
    @property
    def start_time(self) -> time: ...
    @property
    def end_time(self) -> time: ...


@dataclass(frozen=True)
class Forecast:
    """When a campaign may run again: at is None if that depends on a person, or if it never will."""

    at: datetime | None
    why: str
    is_never: bool = False

    @property
    def text(self) -> str:
        return f"never: {self.why}" if self.is_never else self.why


def is_open(windows: Iterable[Window], wall: datetime) -> bool:
    """Return whether a window is open at a local time of the brand (R7)."""
    return any(_is_window_open(window, wall) for window in windows)


def _is_window_open(window: Window, wall: datetime) -> bool:
    start, end, at = window.start_time, window.end_time, wall.time()
    today = bool(window.days_of_week & weekday_bit(wall.date()))
    if end == MIDNIGHT:
        return today and start <= at
    if start <= end:
        return today and start <= at < end
    yesterday = bool(window.days_of_week & weekday_bit(wall.date() - ONE_DAY))
    return (today and start <= at) or (yesterday and at < end)


def next_opening(windows: Sequence[Window], zone: ZoneInfo, instant: datetime) -> datetime | None:
    """Return the first instant from the given one on at which a window is open, or None. No windows means always."""
    if not windows or is_open(windows, instant.astimezone(zone)):
        return instant
    openings = (at for at in _moments(windows, zone, instant, _start) if is_open(windows, at.astimezone(zone)))
    return next(openings, None)


def next_closing(windows: Sequence[Window], zone: ZoneInfo, instant: datetime) -> datetime | None:
    """Return the first instant from the given one on at which no window is open, or None. No windows means always."""
    if not windows:
        return None
    if not is_open(windows, instant.astimezone(zone)):
        return instant
    closings = (at for at in _moments(windows, zone, instant, _end) if not is_open(windows, at.astimezone(zone)))
    return next(closings, None)


def _start(window: Window, day: date) -> datetime:
    return datetime.combine(day, window.start_time)


def _end(window: Window, day: date) -> datetime:
    """Return the end of the window that starts on a day; it can be on the next day."""
    passes_midnight = window.end_time == MIDNIGHT or window.end_time < window.start_time
    return datetime.combine(day + ONE_DAY if passes_midnight else day, window.end_time)


def _moments(
    windows: Sequence[Window], zone: ZoneInfo, instant: datetime, boundary: Callable[[Window, date], datetime]
) -> Iterator[datetime]:
    """Yield in order the later instants at which windows can open (or close), including DST changes.

    In a repeated hour a boundary occurs twice; in a skipped hour it is the instant of the skip.
    """
    first = local_date(zone, instant)
    seen: set[datetime] = set()
    for day in (first + ONE_DAY * number for number in range(-1, DAYS_AHEAD)):
        seen |= set(_dst_changes(zone, day))
        for window in windows:
            if window.days_of_week & weekday_bit(day):
                wall = boundary(window, day).replace(tzinfo=zone)
                seen |= {wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)}
        # Instants on the next day are merged with that day's own, to keep the order.
        ready = sorted(at for at in seen if local_date(zone, at) <= day)
        seen -= set(ready)
        yield from (at for at in ready if at > instant)


@lru_cache(maxsize=10_000)
def _dst_changes(zone: ZoneInfo, day: date) -> tuple[datetime, ...]:
    """Return the instant, to the second, of a DST change in a local day."""
    early, late = start_of_day(zone, day) - timedelta(hours=2), start_of_day(zone, day + ONE_DAY)
    if _offset(zone, early) == _offset(zone, late):
        return ()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if _offset(zone, middle) == _offset(zone, early):
            early = middle
        else:
            late = middle
    return (late,)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def forecast(campaign: Campaign, windows: Sequence[Window], now: datetime) -> Forecast:
    """Return when the campaign can run again, taking all of its reasons together. No query if brand is loaded."""
    reasons, zone = campaign.reasons, find_zone(campaign.brand.timezone)
    if not reasons:
        return Forecast(None, "running")
    if zone is None:
        return Forecast(None, f"when the brand’s unknown time zone “{campaign.brand.timezone}” is corrected")
    if reasons & PauseReason.ENDED and campaign.ends_on:
        return Forecast(None, f"it ended on {campaign.ends_on:%Y-%m-%d}", is_never=True)
    return _combined(campaign, windows, zone, now)


def _combined(campaign: Campaign, windows: Sequence[Window], zone: ZoneInfo, now: datetime) -> Forecast:
    at = next_opening(windows, zone, allowed_from(campaign, zone, now))
    waits = waits_for_people(campaign)
    if at is None:
        return Forecast(None, "its windows never open", is_never=True)
    if campaign.ends_on and local_date(zone, at) > campaign.ends_on:
        return Forecast(None, f"it ends on {campaign.ends_on:%Y-%m-%d}, before it can run again", is_never=True)
    if not waits:
        return Forecast(at, "the next check" if at <= now else format_instant(at, zone, now))
    text = "when " + " and ".join(waits)
    return Forecast(None, text if at <= now else f"{text}, but not before {format_instant(at, zone, now)}")


def allowed_from(campaign: Campaign, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the first instant at which dates and limits allow the campaign; limits of 0 wait for people."""
    today = local_date(zone, now)
    earliest = [now]
    if campaign.starts_on and campaign.starts_on > today:
        earliest.append(start_of_day(zone, campaign.starts_on))
    for limit in _limits_reached(campaign):
        if limit.of(campaign) != 0:
            until = today + ONE_DAY if limit.period == "day" else next_month(first_of_month(today))
            earliest.append(start_of_day(zone, until))
    return max(earliest)


def waits_for_people(campaign: Campaign) -> list[str]:
    """Return what people must change before the campaign can run: a switch or a limit of 0."""
    archived = {
        PauseReason.CAMPAIGN_DISABLED: campaign.archived_at,
        PauseReason.BRAND_DISABLED: campaign.brand.archived_at,
    }
    switches = [
        (RESTORED if archived[reason] else TURNED_ON)[reason] for reason in campaign.reasons if reason in TURNED_ON
    ]
    zeros = [limit for limit in _limits_reached(campaign) if limit.of(campaign) == 0]
    return switches + [
        f"{'its' if limit.subject == 'campaign' else 'the'} {limit.label} of 0 is raised" for limit in zeros
    ]


def _limits_reached(campaign: Campaign) -> list[Limit]:
    return [LIMITS[reason] for reason in campaign.reasons if reason in LIMITS]


def format_instant(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return "today 18:00 (Europe/Paris)", "tomorrow 00:00 (Europe/Paris)" or "Mon 2 Nov 08:00 (Europe/Paris)"."""
    wall, today = at.astimezone(zone), local_date(zone, now)
    return f"{format_day(wall.date(), today)} {wall:%H:%M} ({zone.key})"


def format_day(day: date, today: date) -> str:
    """Return "yesterday", "today", "tomorrow", "Mon 2 Nov", "Mon 2 Nov 2027"."""
    near = {today - ONE_DAY: "yesterday", today: "today", today + ONE_DAY: "tomorrow"}
    year = f" {day.year}" if day.year != today.year else ""
    return near.get(day) or f"{day:%a} {day.day} {day:%b}{year}"
