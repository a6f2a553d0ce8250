"""What a report says outside its table: the platform, the time of the report, and whether its rows are days."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from campaigns.rules.zones import read_stated_zone
from campaigns.services.platform_files.cells import FileRow
from campaigns.services.platform_files.dates import DateOrder, NotADay, WrittenDay, find_range, read_day
from campaigns.services.platform_files.find_table import Table
from campaigns.services.platform_files.headings import Role, heading_key

# Headings and title lines that only one platform writes.
HEADINGS: Mapping[str, str] = MappingProxyType(
    {
        "reportingstarts": "meta_ads",
        "reportingends": "meta_ads",
        "campaigndelivery": "meta_ads",
        "auswertungsbeginn": "meta_ads",
        "berichtsbeginn": "meta_ads",
        "ausgegebenerbetrag": "meta_ads",
        "montantdepense": "meta_ads",
        "debutdesrapports": "meta_ads",
        "importegastado": "meta_ads",
        "iniciodelinforme": "meta_ads",
        "importospeso": "meta_ads",
        "valorusado": "meta_ads",
        "iniciodosrelatorios": "meta_ads",
        "besteedbedrag": "meta_ads",
        "beginrapportage": "meta_ads",
        "advertisercurrency": "dv360",
        "mediacost": "dv360",
        "mediacostadvertisercurrency": "dv360",
        "totalmediacost": "dv360",
        "totalmediacostadvertisercurrency": "dv360",
        "revenueadvcurrency": "dv360",
        "insertionorder": "dv360",
        "lineitem": "dv360",
        "portfolioname": "amazon_ads",
        "advertisedasin": "amazon_ads",
        "customersearchterm": "amazon_ads",
        "startdateinutc": "linkedin_ads",
        "campaigngroupname": "linkedin_ads",
        "spendinaccountcurrency": "pinterest_ads",
        "swipeups": "snapchat_ads",
        "paidimpressions": "snapchat_ads",
        "byday": "tiktok_ads",
        "fundingsource": "x_ads",
        "fundinginstrumentid": "x_ads",
        "billedchargelocalcurrency": "x_ads",
        "impr": "google_ads",
    }
)
GOOGLE_TITLE = re.compile(
    r"campaign report|kampagnenbericht|rapport sur les campagnes|informe de campa(?:ñ|n)as?"
    r"|rapporto (?:sulle )?campagn[ae]|relat(?:ó|o)rio d[ea]s? campanhas?|campagnerapport",
    re.IGNORECASE,
)
TITLES = (
    (re.compile(r"©\s*google|google ads", re.IGNORECASE), "google_ads"),
    (re.compile(r"microsoft corporation|report aggregation:", re.IGNORECASE), "microsoft_ads"),
    (re.compile(r"mrc accredited", re.IGNORECASE), "dv360"),
    (re.compile(r"linkedin", re.IGNORECASE), "linkedin_ads"),
    (re.compile(r"tiktok", re.IGNORECASE), "tiktok_ads"),
    (re.compile(r"sponsored (?:products|brands|display)", re.IGNORECASE), "amazon_ads"),
    (GOOGLE_TITLE, "google_ads"),
)
AGGREGATION = re.compile(
    r"(?:report aggregation|aggregation|berichtsaggregation|aggregierung|agrégation(?: du rapport)?"
    r"|agregación(?: del informe)?|time breakdown|group by)\s*:\s*(?P<step>\w+)",
    re.IGNORECASE,
)
LONG_STEPS = re.compile(
    r"week|woche|wöchent|hebdo|semana|month|monat|mensu|mensal|year|jahr|annuel|summary", re.IGNORECASE
)
DAILY_STEPS = re.compile(r"da(?:y|ily)|täglich|tag|quotidien|jour|diari|día|hour|stünd|heure", re.IGNORECASE)
REPORT_TIME = re.compile(
    r"(?:report time|last completed available hour|date generated|report generated|generated(?: at| on)?)\s*:?[\s,]*"
    r"(?P<day>.*?[0-9]{4}|[0-9]{4}[/-][0-9]{2}[/-][0-9]{2})[,\s]+(?:at\s+)?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2}))?\s*(?P<half>[AP]M)?\s*\(?(?:GMT|UTC|Z)\)?",
    re.IGNORECASE,
)
TIME_ZONE = re.compile(
    r"(?:(?:report|account) )?(?:time ?zone|zeitzone|fuseau horaire|zona horaria|fuso orario|fuso horário|tijdzone"
    r"|tidszon|strefa czasowa|タイムゾーン)(?: of (?:the )?(?:report|account))?\s*[:：,]\s*(?P<zone>.+)",
    re.IGNORECASE,
)
# “Start Date (in UTC)”, “Campaign Performance Report (in UTC)”
IN_UTC = re.compile(r".*\((?:in )?(?:UTC|GMT)\)", re.IGNORECASE)
WRITTEN_DAY = re.compile(r"\b[0-9]{1,2}[/-][0-9]{1,2}[/-][0-9]{4}\b")
# Rows below the table that are searched for notes.
LAST_ROWS = 30


def outer_lines(table: Table) -> Iterator[str]:
    """Yield the lines above the table, and the last ones of the file."""
    for row in (*table.above, *table.below[-LAST_ROWS:]):
        yield _line(row)


def find_source(table: Table) -> str:
    """Return the platform whose report it must be; empty if several or none could have written it."""
    found = {HEADINGS.get(heading_key(heading), "") for heading in table.headings}
    for line in outer_lines(table):
        found |= {source for pattern, source in TITLES if len(line) <= 200 and pattern.search(line)}
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def is_long_period(table: Table) -> bool:
    """Return whether the report says that its rows are weeks, months or more."""
    return any(LONG_STEPS.search(step) for step in _steps(table))


def is_daily(table: Table) -> bool:
    """Return whether the report says that its rows are days, or hours."""
    return any(DAILY_STEPS.search(step) for step in _steps(table))


def days_outside(table: Table) -> list[WrittenDay]:
    """Return the days in the lines around the table: they are written in the same order."""
    days: list[WrittenDay] = []
    for line in outer_lines(table):
        for text in WRITTEN_DAY.findall(line[:500]):
            try:
                days.append(read_day(text))
            except NotADay:
                continue
    return days


def find_period(table: Table) -> tuple[date, date] | None:
    """Return the period that the report says it covers."""
    found = {period for row in table.above for cell in row.cells if cell and (period := find_range(cell))}
    return found.pop() if len(found) == 1 else None


def report_time(table: Table, order: DateOrder, now: datetime) -> datetime | None:
    """Return the time of the report if the file says it without doubt, and not in the future."""
    for row in (*table.above, *table.below[-LAST_ROWS:]):
        found = REPORT_TIME.search(_line(row)[:300])
        day = _day(found["day"], order) if found else None
        if found and day:
            hour = int(found["hour"])
            if found["half"]:
                hour = hour % 12 + (12 if found["half"].upper() == "PM" else 0)
            try:
                clock = time(hour, int(found["minute"]), int(found["second"] or 0), tzinfo=UTC)
            except ValueError:
                continue
            written = datetime.combine(day, clock)
            return written if written <= now + timedelta(minutes=1) else None
    return None


def find_time_zone(table: Table) -> str:
    """Return the time zone of the report's days, if a line around the table or a heading of time says it."""
    found: set[str | None] = set()
    for line in outer_lines(table):
        stated = TIME_ZONE.fullmatch(unicodedata.normalize("NFC", line[:300]).strip())
        if stated:
            found.add(read_stated_zone(stated["zone"]))
    places = [place for role in (Role.DAY, Role.DATE, Role.START) for place in table.columns.get(role, [])]
    if any(IN_UTC.fullmatch(table.headings[place][:300]) for place in places):
        found.add("UTC")
    return found.pop() or "" if len(found) == 1 else ""


def _steps(table: Table) -> Iterable[str]:
    for row in table.above:
        found = AGGREGATION.search(unicodedata.normalize("NFC", _line(row)[:300]))
        if found:
            yield found["step"]


def _day(text: str, order: DateOrder) -> date | None:
    try:
        return read_day(text.strip(" ,:")).days.get(order)
    except NotADay:
        return None


def _line(row: FileRow) -> str:
    return ",".join(cell for cell in row.cells if cell)
