"""The one format of instants for people: 2026-11-28 14:05:09 CET."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def format_time(instant: datetime, zone: ZoneInfo, *, seconds: bool = True) -> str:
    """Return the date, time and zone; without seconds for an instant that is known to the minute only."""
    wall = instant.astimezone(zone)
    return f"{wall:%Y-%m-%d %H:%M:%S} {zone_label(wall)}" if seconds else f"{wall:%Y-%m-%d %H:%M} {zone_label(wall)}"


def utc_minute(instant: datetime) -> str:
    """Return an instant in UTC, to the minute."""
    return format_time(instant, ZoneInfo("UTC"), seconds=False)


def format_clock(instant: datetime, zone: ZoneInfo) -> str:
    """Return the time of day and zone: 14:05:09 CET."""
    wall = instant.astimezone(zone)
    return f"{wall:%H:%M:%S} {zone_label(wall)}"


def zone_label(wall: datetime) -> str:
    """Return the abbreviation of the zone at that time, or UTC+3, UTC-9:30 where it has none."""
    name = wall.strftime("%Z")
    if name.isalpha():
        return name
    offset = wall.strftime("%z")
    hours, minutes = f"{offset[0]}{int(offset[1:3])}", offset[3:5]
    return f"UTC{hours}" if minutes == "00" else f"UTC{hours}:{minutes}"
