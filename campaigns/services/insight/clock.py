"""Instants as sentences name them: "14:05", "tonight at 00:00", "on Mon 2 Nov at 08:00"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from campaigns.rules.periods import ONE_DAY
from campaigns.services.insight.forecast import format_day


@dataclass(frozen=True)
class Clock:
    """Formats instants in the brand's time zone, or in UTC if that is unknown."""

    zone: ZoneInfo | None
    now: datetime

    @property
    def name(self) -> str:
        return self.zone.key if self.zone else "UTC"

    @property
    def today(self) -> date:
        return self.day_of(self.now)

    def day_of(self, at: datetime) -> date:
        return self._wall(at).date()

    def _wall(self, at: datetime) -> datetime:
        zone: tzinfo = self.zone or ZoneInfo("UTC")
        return at.astimezone(zone)

    def past(self, at: datetime) -> str:
        """Return "14:05", "yesterday 14:05" or "Mon 2 Nov 14:05"."""
        wall = self._wall(at)
        day = "" if wall.date() == self.today else f"{format_day(wall.date(), self.today)} "
        return f"{day}{wall:%H:%M}"

    def moment(self, at: datetime) -> str:
        """Return "today at 14:05", "tonight at 00:00" or "on Mon 2 Nov at 08:00"."""
        wall = self._wall(at)
        if wall.date() == self.today + ONE_DAY and wall.time() == time(0):
            return "tonight at 00:00"
        return f"{self.day(wall.date())} at {wall:%H:%M}"

    def day(self, day: date) -> str:
        named = format_day(day, self.today)
        return named if abs(day - self.today) <= ONE_DAY else f"on {named}"
