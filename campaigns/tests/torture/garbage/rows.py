"""Rows for the spend table as a broken sender writes them: valid ones and every kind of garbage, from a seed.

What must become of each row is worked out here in plain Python, apart from the product: the rule that refuses it, or
what it adds to which days and months.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from campaigns.tests.support.outside import POSTGRESQL, by_vendor, utc_text

BRAND_RULE = "spend_brand_is_the_campaigns_brand"
AMOUNT_RULE = "spend_amount_in_range_and_not_zero"
YEARS_RULE = "spend_timestamp_between_2012_and_2100"
FORM_RULE = "spend_timestamp_is_yyyy_mm_dd_hh_mm_ss_in_utc"
UNIQUE_RULE = by_vendor(postgresql="spend_external_id_unique_in_campaign", sqlite="UNIQUE constraint failed")
LENGTH_RULE = "spend_external_id_has_1_to_255_characters"


class Target(NamedTuple):
    """A campaign to spend on, and the zone of its brand."""

    brand_id: int
    campaign_id: int
    zone: ZoneInfo


class Row(NamedTuple):
    """What is sent, as texts; rule is the sentence or constraint that refuses it, None where it is valid."""

    kind: str
    rule: str | None
    brand_id: str | None
    campaign_id: str | None
    amount: str | None
    timestamp: str | None
    external_id: str | None

    @property
    def values(self) -> tuple[str | None, ...]:
        return self[2:]


def _refused(postgresql: str, sqlite: str) -> str:
    return by_vendor(postgresql=postgresql, sqlite=sqlite)


NUMBER = _refused("invalid input syntax for type numeric", AMOUNT_RULE)
OVERFLOW = _refused("numeric field overflow", AMOUNT_RULE)
AMOUNTS = {
    "NaN": AMOUNT_RULE,
    "nan": AMOUNT_RULE,
    "Infinity": OVERFLOW,
    "-inf": OVERFLOW,
    "1e30": OVERFLOW,
    "-1e300": OVERFLOW,
    "1000000000000000000000000000000": OVERFLOW,
    "1000000000": AMOUNT_RULE,
    "-1000000000": AMOUNT_RULE,
    "1e9": AMOUNT_RULE,
    "999999999.9999999": AMOUNT_RULE,
    "0": AMOUNT_RULE,
    "-0.0": AMOUNT_RULE,
    "0e7": AMOUNT_RULE,
    "0.0000001": AMOUNT_RULE,
    "": NUMBER,
    " ": NUMBER,
    "ten": NUMBER,
    "1,5": NUMBER,
    "1.2.3": NUMBER,
    "--1": NUMBER,
    "1e": NUMBER,
    "12 EUR": NUMBER,
    "\uff11\uff12": NUMBER,
    "\u22121": NUMBER,
}
TIMES = {
    "0001-01-01 00:00:00": YEARS_RULE,
    "1969-12-31 23:59:59": YEARS_RULE,
    "2011-12-31 23:59:59.999999": YEARS_RULE,
    "2100-01-01 00:00:00": YEARS_RULE,
    "9999-12-31 23:59:59": YEARS_RULE,
    "infinity": _refused(YEARS_RULE, FORM_RULE),
    "-infinity": _refused(YEARS_RULE, FORM_RULE),
    "2026-02-30 00:00:00": _refused("date/time field value out of range", FORM_RULE),
    "2026-13-01 00:00:00": _refused("date/time field value out of range", FORM_RULE),
    "2026-11-20 25:00:00": _refused("date/time field value out of range", FORM_RULE),
    "": _refused("invalid input syntax for type timestamp", FORM_RULE),
    "never": _refused("invalid input syntax for type timestamp", FORM_RULE),
    "1763640000000000000": _refused("date/time field value out of range", FORM_RULE),
    "2026-11-20 12:00:00 Mars/Olympus": _refused('time zone "mars/olympus" not recognized', FORM_RULE),
}
IDS = {
    "": _refused("invalid input syntax for type bigint", BRAND_RULE),
    "0": BRAND_RULE,
    "-1": BRAND_RULE,
    "9223372036854775807": BRAND_RULE,
    "9223372036854775808": _refused("out of range for type bigint", BRAND_RULE),
    "1000000000000000000000000000000": _refused("out of range for type bigint", BRAND_RULE),
    "NaN": _refused("invalid input syntax for type bigint", BRAND_RULE),
    "1.5": _refused("invalid input syntax for type bigint", BRAND_RULE),
    "Acme": _refused("invalid input syntax for type bigint", BRAND_RULE),
}
NULLS = {
    "brand_id": _refused('"brand_id"', BRAND_RULE),
    "campaign_id": _refused('"campaign_id"', BRAND_RULE),
    "amount": _refused('"amount"', "campaigns_spendrecord.amount"),
    "timestamp": _refused('"timestamp"', "campaigns_spendrecord.timestamp"),
}
TOO_LONG = _refused("value too long for type character varying(255)", LENGTH_RULE)

# Valid amounts in odd dress; what is finer than six decimals is rounded.
ODD_AMOUNTS = {
    "1e3": Decimal(1000),
    "-2.5E2": Decimal(-250),
    "1e-6": Decimal("0.000001"),
    "+3.5": Decimal("3.5"),
    ".5": Decimal("0.5"),
    "5.": Decimal(5),
    " 12.5 ": Decimal("12.5"),
    "00012.50": Decimal("12.5"),
    "0.12345678": Decimal("0.123457"),
    "-0.00000149": Decimal("-0.000001"),
    "999999999.999999": Decimal("999999999.999999"),
    "-999999999.999999": Decimal("-999999999.999999"),
}

ODD_NAMES = (
    "\ufeffBOM",
    "tab\there",
    "line\nbreak",
    "CR\r\nLF",
    "quote\"'`",
    "\\N",
    "%s {} $1",
    "\u202e\U0001f4b8",
    "x" * 255,
)

FIRST, LAST = datetime(2012, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


@dataclass
class Tally:
    """What the valid rows add up to, by local day."""

    campaign_days: defaultdict[tuple[int, date], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    brand_days: defaultdict[tuple[int, date], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    brand_months: defaultdict[tuple[int, date], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    counted: int = 0

    def add(self, target: Target, amount: Decimal, instant: datetime) -> None:
        day = instant.astimezone(target.zone).date()
        self.campaign_days[target.campaign_id, day] += amount
        self.brand_days[target.brand_id, day] += amount
        self.brand_months[target.brand_id, day.replace(day=1)] += amount
        self.counted += 1

    def month_until(self, brand_id: int, today: date) -> Decimal:
        """Return what counts on a day for its month: rows dated ahead count when their day comes (R3)."""
        days = (today.replace(day=number) for number in range(1, today.day + 1))
        return sum((self.brand_days.get((brand_id, day), Decimal(0)) for day in days), Decimal(0))


class Mill:
    """Makes rows from a seed; took() counts those that the database has accepted."""

    def __init__(self, seed: int, targets: list[Target], now: datetime) -> None:
        self.random = random.Random(seed)
        self.targets = targets
        self.tally = Tally()
        self.number = 0
        self.made: Counter[str] = Counter()
        self.taken: list[tuple[Target, str]] = []
        self.meaning: dict[str, tuple[Target, Decimal, datetime]] = {}
        self.days = [FIRST, LAST, now, *(self.any_instant() for _ in range(60))]
        self.garbage: list[Callable[[Target], Row]] = [
            self.bad_amount,
            self.bad_time,
            self.bad_brand,
            self.bad_campaign,
            self.foreign,
            self.empty,
            self.bad_name,
            self.repeated,
        ]

    def any_instant(self) -> datetime:
        return FIRST + (LAST - FIRST) * self.random.random()

    def rows(self, count: int, *, valid: float = 0.5) -> Iterator[Row]:
        for _ in range(count):
            yield self.valid() if self.random.random() < valid else self.bad()

    def valid(self) -> Row:
        """Make a row that counts."""
        target = self.random.choice(self.targets)
        text, amount = self.amount()
        instant = self.instant()
        name = self.name()
        self.meaning[name] = target, amount, instant
        return self.note(Row("valid", None, *self.texts(target), text, written(instant), name))

    def bad(self) -> Row:
        """Make a row with one fault."""
        return self.note(self.random.choice(self.garbage)(self.random.choice(self.targets)))

    def note(self, row: Row) -> Row:
        self.made[row.kind] += 1
        return row

    def took(self, rows: Iterable[Row]) -> None:
        """Count rows that were sent and are valid."""
        for row in rows:
            name = row.external_id or ""
            target, amount, instant = self.meaning.pop(name)
            self.tally.add(target, amount, instant)
            if len(self.taken) < 100_000:
                self.taken.append((target, name))

    def name(self) -> str:
        self.number += 1
        odd = self.random.choice(ODD_NAMES) if self.random.random() < 0.05 else ""
        return f"{self.number:x}-{odd}"[:255]

    def amount(self) -> tuple[str, Decimal]:
        if self.random.random() < 0.02:
            return self.random.choice(list(ODD_AMOUNTS.items()))
        micros = self.random.choice((1, 1, 1, -1)) * self.random.randrange(1, 10 ** self.random.randrange(1, 11))
        amount = Decimal(micros).scaleb(-6)
        return f"{amount:f}", amount

    def instant(self) -> datetime:
        """Return an instant of one of a hundred days, often at their very beginning or end in some zone."""
        day = self.random.choice(self.days)
        nearby = timedelta(minutes=15 * self.random.randrange(-96, 96))
        step = self.random.choice(
            (timedelta(0), -timedelta(microseconds=1), timedelta(seconds=self.random.random() * 900))
        )
        return min(max(day.replace(minute=0, second=0, microsecond=0) + nearby + step, FIRST), LAST)

    def texts(self, target: Target) -> tuple[str, str]:
        return str(target.brand_id), str(target.campaign_id)

    def row(self, kind: str, rule: str, target: Target, **changed: Any) -> Row:
        brand_id, campaign_id = self.texts(target)
        values: dict[str, Any] = {
            "brand_id": brand_id,
            "campaign_id": campaign_id,
            "amount": "1",
            "timestamp": utc_text("2026-11-20 12:00:00"),
            "external_id": None,
        }
        return Row(kind, rule, **values | changed)

    def bad_amount(self, target: Target) -> Row:
        text, rule = self.random.choice(list(AMOUNTS.items()))
        return self.row(f"amount {text!r}", rule, target, amount=text)

    def bad_time(self, target: Target) -> Row:
        text, rule = self.random.choice(list(TIMES.items()))
        return self.row(f"timestamp {text!r}", rule, target, timestamp=utc_text(text) if text[-1:].isdigit() else text)

    def bad_brand(self, target: Target) -> Row:
        text, rule = self.random.choice(list(IDS.items()))
        return self.row(f"brand {text!r}", rule, target, brand_id=text)

    def bad_campaign(self, target: Target) -> Row:
        text, rule = self.random.choice(list(IDS.items()))
        return self.row(f"campaign {text!r}", rule, target, campaign_id=text)

    def foreign(self, target: Target) -> Row:
        others = [other.brand_id for other in self.targets if other.brand_id != target.brand_id]
        return self.row("campaign of another brand", BRAND_RULE, target, brand_id=str(self.random.choice(others)))

    def empty(self, target: Target) -> Row:
        column, rule = self.random.choice(list(NULLS.items()))
        return self.row(f"no {column}", rule, target, **{column: None})

    def bad_name(self, target: Target) -> Row:
        if self.random.random() < 0.5:
            return self.row("external_id ''", LENGTH_RULE, target, external_id="")
        return self.row("external_id too long", TOO_LONG, target, external_id="x" * self.random.choice((256, 100_000)))

    def repeated(self, target: Target) -> Row:
        if not self.taken:
            return self.bad_amount(target)
        first, name = self.random.choice(self.taken)
        return self.row("external_id repeated", UNIQUE_RULE, first, external_id=name)


def written(instant: datetime) -> str:
    text = instant.strftime("%Y-%m-%d %H:%M:%S.%f")
    return f"{text}+00" if POSTGRESQL else text
