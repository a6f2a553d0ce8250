"""Time zones as people write them: "Europe/Paris", "europe/paris", "Paris", "new york".

What is stored is always the name of the zone data. A city is understood if only one zone has its name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from types import MappingProxyType

from campaigns.rules.periods import find_zone, known_zones
from campaigns.rules.text import quote

# Names of time zones on Windows that name no city.
WINDOWS: Mapping[str, str] = MappingProxyType(
    {
        "pacific time": "America/Los_Angeles",
        "mountain time": "America/Denver",
        "central time": "America/Chicago",
        "eastern time": "America/New_York",
        "atlantic time": "America/Halifax",
        "newfoundland": "America/St_Johns",
        "hawaii": "Pacific/Honolulu",
        "alaska": "America/Anchorage",
        "arizona": "America/Phoenix",
        "coordinated universal time": "UTC",
        "greenwich mean time": "Europe/London",
    }
)
# “(GMT-08:00) Pacific Time (US & Canada); Tijuana”
OFFSET = re.compile(
    r"\s*\(?(?:GMT|UTC)\s*(?P<offset>[+\u2212-][0-9]{1,2}(?::?[0-9]{2})?)?\)?\s*(?P<places>.*)", re.IGNORECASE
)
# Names like US/Eastern or Brazil/East name no city.
CONTINENTS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia"),
    *("Atlantic", "Australia", "Europe", "Indian", "Pacific"),
)
MAX_SUGGESTIONS = 3
# No name is longer; nothing is similar to a text that is.
LONGEST = 64


def read_zone(text: str) -> str | None:
    """Return the name of the zone that a text names; None if it names none, or a city of several zones."""
    text = text.strip()
    if find_zone(text):
        return text
    cities = _by_city().get(_key(text), ())
    return cities[0] if len(cities) == 1 else _by_name().get(_key(text))


def read_stated_zone(text: str) -> str | None:
    """Return the zone of a report's title, also one of Windows' names with its offset from UTC, which must agree.

    “(GMT+01:00) Amsterdam, Berlin, Bern, Rome” gives the first place that the zone data has. An offset alone isn't a
    zone, except that of UTC: it doesn't say when DST begins.
    """
    found = OFFSET.fullmatch(text[:200])
    if not found:
        return read_zone(text)
    if not found["places"]:
        return "UTC" if not (found["offset"] or "").strip("+-\u22120:") else None
    for place in re.split(r"[,;(]", found["places"]):
        zone = WINDOWS.get(place.strip().casefold()) or read_zone(place)
        if zone and (not found["offset"] or _standard_offset(zone) == _minutes(found["offset"])):
            return zone
    return None


def _standard_offset(zone: str) -> timedelta | None:
    """Return a zone's offset without DST: the smaller one of a year."""
    place = find_zone(zone)
    offsets = [datetime(2026, month, 1, tzinfo=UTC).astimezone(place).utcoffset() for month in (1, 7)]
    return min(offset for offset in offsets if offset is not None)


def _minutes(offset: str) -> timedelta:
    digits = re.sub("[^0-9]", "", offset)
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    found = timedelta(hours=int(hours), minutes=int(minutes))
    return -found if offset[0] in "-\u2212" else found


def unknown_zone(text: str) -> str:
    """Return the error message for a text that names no zone, with the names that it may mean."""
    return f"{quote(text.strip())} isn’t a time zone we know. {_advice(text)}"


# A file may have the same unknown name in each of its lines, and looking for similar ones takes 0.7 ms.
@lru_cache(maxsize=1_000)
def _advice(text: str) -> str:
    found = _similar(_key(text))
    if not found:
        return "Use a name like Europe/Paris or UTC."
    *others, last = found
    return f"Try {', '.join(others)} or {last}." if others else f"Try {last}."


def _similar(key: str) -> list[str]:
    """Return the zones of that city, else those whose name or city is spelled nearly like it."""
    cities, names = _by_city(), _by_name()
    if key in cities:
        return list(cities[key])
    if not 3 <= len(key) <= LONGEST:
        return []
    if "/" in key:
        return [names[name] for name in get_close_matches(key, names, MAX_SUGGESTIONS, cutoff=0.9)]
    near = [zone for city in get_close_matches(key, cities, MAX_SUGGESTIONS, cutoff=0.8) for zone in cities[city]]
    return near[:MAX_SUGGESTIONS]


def _key(text: str) -> str:
    return "_".join(text.casefold().replace("_", " ").split())


@cache
def _by_name() -> dict[str, str]:
    return {_key(name): name for name in known_zones()}


@cache
def _by_city() -> dict[str, tuple[str, ...]]:
    found = defaultdict(list)
    for name in sorted(known_zones()):
        continent, _, rest = name.partition("/")
        if continent in CONTINENTS:
            found[_key(rest.rpartition("/")[2])].append(name)
    return {city: tuple(names) for city, names in found.items()}
