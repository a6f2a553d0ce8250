"""Instants as HTML: in the brand's time zone on a brand's pages, in the viewer's on lists over several brands.

times.js converts to the viewer's zone, which only the browser knows; without it the application's zone is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.rules.periods import find_zone
from campaigns.rules.times import format_clock, format_time

UTC_ZONE = ZoneInfo("UTC")


def local_time(instant: datetime, zone_name: str) -> SafeString:
    """Return an instant in a brand's local time, in UTC if its zone is unknown."""
    return _tag(instant, format_time(instant, _zone(zone_name)))


def viewer_time(instant: datetime, brand_zone: str = "", *, seconds: bool = True) -> SafeString:
    """Return an instant in the viewer's time zone, beneath it in the brand's if that has another time."""
    shown = format_time(instant, _zone(settings.TIME_ZONE), seconds=seconds)
    first = _viewer_tag(instant, shown, unit="second" if seconds else "minute")
    if not brand_zone:
        return first
    local = format_time(instant, _zone(brand_zone), seconds=seconds)
    hidden = SafeString(" hidden" if shown == local else "")
    return format_html('<span class="campaigns-times">{}<small{}>brand: {}</small></span>', first, hidden, local)


def time_column(field: str, description: str) -> Callable[[Any], SafeString | str]:
    """Return the column of a list, or the field of a page, with a row's instant in the viewer's time zone."""

    @admin.display(description=description, ordering=field)
    def shown(row: Any) -> SafeString | str:
        instant = getattr(row, field)
        return "–" if instant is None else viewer_time(instant)

    shown.__name__ = field
    return shown


def as_of(instant: datetime, zone_name: str = "") -> SafeString:
    """Return the time at which a page's figures were read: the brand's, or the viewer's where no zone is given."""
    if zone_name:
        return _tag(instant, format_clock(instant, _zone(zone_name)))
    return _viewer_tag(instant, format_clock(instant, _zone(settings.TIME_ZONE)), unit="clock")


def _zone(name: str) -> ZoneInfo:
    return find_zone(name) or UTC_ZONE


def _tag(instant: datetime, shown: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', instant.astimezone(UTC).isoformat(), shown)


def _viewer_tag(instant: datetime, shown: str, unit: str) -> SafeString:
    at = instant.astimezone(UTC).isoformat()
    return format_html('<time datetime="{}" data-viewer="{}">{}</time>', at, unit, shown)
