"""Days as platforms and spreadsheets write them, in the languages of their users.

The order of day, month and year is decided for a whole column: by the cells that allow only one order. Where all cells
allow several orders that give different days, the order has to be asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from campaigns.rules.text import quote


class DateOrder(StrEnum):
    """The order of the numbers of a day."""

    YEAR_FIRST = "ymd"
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


# The months' names by their beginnings or abbreviations, each month from January on.
MONTH_NAMES = (
    "jan january januar januari janvier janv enero ene gennaio gen janeiro styczen stycznia",
    "feb february februar februari fevrier fevr fev febrero febbraio fevereiro febr",
    "mar march marz maerz mars marzo marco maart mrt mrz",
    "apr april avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei maj",
    "jun june juni juin junio giugno giu junho",
    "jul july juli juillet juil julio luglio lug julho",
    "aug august aout aou agosto ago augustus augusti",
    "sep september sept septembre septiembre settembre set sett setembro",
    "oct october okt oktober octobre octubre ottobre ott outubro out",
    "nov november novembre noviembre novembro",
    "dec december dez dezember decembre diciembre dic dicembre dezembro",
)
MONTHS: Mapping[str, int] = MappingProxyType(
    {name: number for number, names in enumerate(MONTH_NAMES, 1) for name in names.split()}
)
WEEKDAY_NAMES = (
    "mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday"
    " mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag"
    " lun mar mer jeu ven sam dim lundi mardi mercredi jeudi vendredi samedi dimanche"
    " lunes martes miercoles jueves viernes sabado domingo mie jue vie sab dom"
    " lunedi martedi mercoledi giovedi venerdi domenica gio"
    " segunda terca quarta quinta sexta feira seg ter qua qui sex"
    " maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo"
)
WEEKDAYS = frozenset(WEEKDAY_NAMES.split())
FILLERS = frozenset(("de", "del", "of", "the", "le", "den", "st", "nd", "rd", "th", "er", "e", "o", "a"))

NUMBERS = re.compile(r"([0-9]{1,4})([./-])\s?([0-9]{1,2})\2\s?([0-9]{1,4})\.?")
COMPACT = re.compile(r"(20[0-9]{2})([0-9]{2})([0-9]{2})")
ASIAN = re.compile(r"([0-9]{4})[年년]\s*([0-9]{1,2})[月월]\s*([0-9]{1,2})[日일]?")
CLOCK = re.compile(
    r"(?P<day>.*[0-9日])(?:[Tt]|,?\s+(?:at\s+)?)(?P<clock>[0-9]{1,2}(?::[0-9]{2}){1,2}(?:[.,][0-9]{1,9})?(?:\s*[AaPp]\.?[Mm]\.?)?)"
    r"\s*(?P<offset>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
)
RANGE = re.compile(
    r"(?P<first>.*[0-9])\s*(?: - | – | — |~| to | bis | au | al | a | até | tot )\s*(?P<last>[0-9A-Za-z].*)"
)
WORD = re.compile(r"[^\W\d_]+|[0-9]+")
MONTH_ALONE = re.compile(
    r"(?:[^\W\d_]{3,}\.?,?\s+(?:de\s+|del\s+)?[0-9]{4}|[0-9]{4}[-/.][0-9]{1,2}|[0-9]{1,2}[/.][0-9]{4})"
)
WEEK_ALONE = re.compile(r"(?:week|woche|semaine|semana|settimana|kw|w|[0-9]{4}-?w)\s*[0-9]{1,2}\b.*", re.IGNORECASE)

# Longer texts aren't days.
MAX_DAY = 80
FIRST, LAST = date(2012, 1, 2), date(2099, 12, 30)
# Excel's day 1 is 1 January 1900, and it counts a 29 February 1900 that didn't exist.
EXCEL_EPOCH, EXCEL_EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)


class NotADay(ValueError):
    """The cell isn't one day; the message says what it is."""


@dataclass(frozen=True)
class WrittenDay:
    """A cell's day by each order that it allows; one day for all orders if it is written without doubt."""

    days: Mapping[DateOrder, date]

    @property
    def is_certain(self) -> bool:
        return len(set(self.days.values())) == 1 and len(self.days) == len(DateOrder)


@lru_cache(maxsize=20_000)
def read_day(text: str) -> WrittenDay:
    """Parse a cell. Raises NotADay."""
    if len(text) > MAX_DAY:
        raise NotADay(f"{quote(text)} isn’t a day")
    text = " ".join(text.split())
    found = RANGE.fullmatch(text)
    if found:
        return _range(text, found["first"], found["last"])
    text = _without_clock(text)
    days = _days(text)
    if days:
        return WrittenDay(days)
    if WEEK_ALONE.fullmatch(text):
        raise NotADay(f"{quote(text)} is a week")
    if _is_month(text):
        raise NotADay(f"{quote(text)} is a month")
    raise NotADay(f"{quote(text)} isn’t a day")


def excel_day(number: str, *, is_1904: bool) -> date:
    """Return the day of an unformatted number in a workbook. Raises NotADay."""
    try:
        serial = int(float(number))
        day = (EXCEL_EPOCH_1904 if is_1904 else EXCEL_EPOCH) + timedelta(days=serial)
    except (ValueError, OverflowError):
        raise NotADay(f"{quote(number)} isn’t a day") from None
    if not FIRST <= day <= LAST:
        raise NotADay(f"{quote(number)} isn’t a day")
    return day


def is_midnight(text: str) -> bool:
    """Return whether a cell has the time 00:00, as the end of a period that doesn't include it."""
    found = CLOCK.fullmatch(" ".join(text[:MAX_DAY].split()))
    return found is not None and not any(digit in "123456789" for digit in found["clock"])


def find_range(line: str) -> tuple[date, date] | None:
    """Return the period that a line names without doubt: “1 septembre 2026 - 30 septembre 2026”."""
    found = RANGE.search(line[-MAX_DAY * 2 :]) if len(line) <= MAX_DAY * 2 else None
    if not found:
        return None
    try:
        first, last = read_day(found["first"].rpartition(": ")[2]), read_day(found["last"])
    except NotADay:
        return None
    if not (first.is_certain and last.is_certain):
        return None
    return first.days[DateOrder.YEAR_FIRST], last.days[DateOrder.YEAR_FIRST]


def find_orders(days: Iterable[WrittenDay]) -> tuple[set[DateOrder], bool]:
    """Return the orders that all cells allow, and whether they give different days."""
    orders, differs = set(DateOrder), False
    seen: list[WrittenDay] = []
    for day in days:
        orders &= set(day.days)
        seen.append(day)
    for day in seen:
        differs = differs or len({day.days[order] for order in orders}) > 1
    return orders, differs


def _days(text: str) -> dict[DateOrder, date]:
    for pattern in (COMPACT, ASIAN):
        found = pattern.fullmatch(text)
        if found:
            return _certain(*map(int, found.groups()))
    found = NUMBERS.fullmatch(text)
    if found:
        return _numbers(found[1], found[3], found[4], mark=found[2])
    return _words(text)


def _certain(year: int, month: int, day: int) -> dict[DateOrder, date]:
    made = _make(year, month, day)
    return dict.fromkeys(DateOrder, made) if made else {}


def _make(year: int, month: int, day: int) -> date | None:
    try:
        made = date(year, month, day)
    except ValueError:
        return None
    return made if FIRST <= made <= LAST else None


def _numbers(first: str, second: str, third: str, *, mark: str) -> dict[DateOrder, date]:
    if len(first) == 4:
        # Nobody writes year, day, month.
        return _certain(int(first), int(second), int(third)) if len(third) <= 2 else {}
    if len(first) > 2 or len(third) not in (2, 4):
        return {}
    one, two, three = int(first), int(second), int(third)
    year = three if len(third) == 4 else 2000 + three
    found = {DateOrder.DAY_FIRST: _make(year, two, one)}
    if mark != ".":  # with points the day always comes first
        found[DateOrder.MONTH_FIRST] = _make(year, one, two)
    if len(third) == 2 and len(first) == 2 and mark != ".":
        found[DateOrder.YEAR_FIRST] = _make(2000 + one, two, three)
    days = {order: day for order, day in found.items() if day}
    return dict.fromkeys(DateOrder, days[DateOrder.DAY_FIRST]) if mark == "." and days else days


def _words(text: str) -> dict[DateOrder, date]:
    """Return the day of a text with the name of a month: “Nov 26, 2026”, “26. November 2026”, “26 de nov. de 2026”."""
    folded = "".join(char for char in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(char))
    words = WORD.findall(folded)
    numbers = [word for word in words if word.isdigit()]
    names = [word for word in words if not word.isdigit() and word not in FILLERS]
    months = [word for word in names if word in MONTHS]
    if len(months) > 1:  # “mar” is a month, and a Tuesday in French and Spanish
        months = [word for word in months if word not in WEEKDAYS]
    others = [word for word in names if word not in months]
    if len(months) != 1 or len(numbers) != 2 or any(word not in WEEKDAYS for word in others):
        return {}
    month = MONTHS[months[0]]
    years = [number for number in numbers if len(number) == 4]
    if len(years) == 1:
        (day,) = [number for number in numbers if number != years[0]]
        return _certain(int(years[0]), month, int(day)) if len(day) <= 2 else {}
    # “26-Nov-26”: day and year of two digits; with the month in the middle the day comes first.
    if not years and all(len(number) <= 2 for number in numbers) and words.index(months[0]) == 1:
        return _certain(2000 + int(numbers[1]), month, int(numbers[0]))
    return {}


def _without_clock(text: str) -> str:
    """Return the text without its time of day. An instant of another zone isn't a day of the account."""
    found = CLOCK.fullmatch(text)
    if not found:
        return text
    is_midnight = not any(digit in "123456789" for digit in found["clock"])
    if found["offset"] in ("Z", "UTC", "GMT", "+0000", "+00:00") and not is_midnight:
        raise NotADay(f"{quote(text)} is a time in UTC, not a day of the account")
    return found["day"].rstrip(", ")


def _range(text: str, first: str, last: str) -> WrittenDay:
    try:
        one, other = read_day(first), read_day(last)
    except NotADay:
        raise NotADay(f"{quote(text)} isn’t a day") from None
    if one.days != other.days:
        raise NotADay(f"{quote(text)} is a period of several days")
    return one


def _is_month(text: str) -> bool:
    if not MONTH_ALONE.fullmatch(text):
        return False
    folded = "".join(char for char in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(char))
    words = [word for word in WORD.findall(folded) if not word.isdigit() and word not in FILLERS]
    return all(word in MONTHS for word in words)
