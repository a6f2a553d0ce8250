"""Forms of values: what a check constraint says of a timestamp, a date, a time, an amount, a whole number."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import POSTGRESQL, SQLITE, Guard

FILE = "campaigns/models/checks.py"
BRANDS, SPEND, WINDOWS = "test_guards_brand_campaign", "test_guards_spend", "test_guards_windows"


def _sqlite(name: str, before: str, after: str, tests: str) -> Guard:
    return Guard(f"{name} on SQLite", FILE, before, after, tests, SQLITE)


def _postgresql(name: str, before: str, after: str, tests: str) -> Guard:
    return Guard(f"{name} on PostgreSQL", FILE, before, after, tests, POSTGRESQL)


VALUES = (
    _postgresql("no instant before the year 1", "({x} >= '0001-01-01 00:00:00+00' AND ", "(", SPEND),
    _postgresql("no instant after 9999", " AND {x} < '10000-01-01 00:00:00+00')", ")", SPEND),
    _postgresql("no infinite date", "({x} IS NULL OR {x} BETWEEN '0001-01-01' AND '9999-12-31')", "true", BRANDS),
    _postgresql("no date after 9999", "{x} BETWEEN '0001-01-01' AND '9999-12-31'", "{x} >= '0001-01-01'", BRANDS),
    _postgresql("no date before 1", "{x} BETWEEN '0001-01-01' AND '9999-12-31'", "{x} <= '9999-12-31'", BRANDS),
    _postgresql("no 24:00", "{x} < '24:00' AND ", "", WINDOWS),
    _postgresql("no seconds", " AND EXTRACT(SECOND FROM {x}) = 0", "", WINDOWS),
    _postgresql(
        "no amount that rounds to 0",
        'postgresql = "(ROUND({x}, 6) <> 0)"',
        'postgresql = "true"',
        SPEND,
    ),
    _sqlite(
        "days and times that exist",
        "(strftime('%%Y-%%m-%%d %%H:%%M:%%S', substr({x}, 1, 19), '+0 days') IS substr({x}, 1, 19)",
        "(1",
        SPEND,
    ),
    _sqlite(
        "no 30 February",
        "strftime('%%Y-%%m-%%d %%H:%%M:%%S', substr({x}, 1, 19), '+0 days')",
        "strftime('%%Y-%%m-%%d %%H:%%M:%%S', substr({x}, 1, 19))",
        SPEND,
    ),
    _sqlite("no instant before the year 1", "\" AND {x} >= '0001-01-01 00:00:00'\"", '""', SPEND),
    _sqlite("no text behind a fraction", " AND substr({x}, 21) NOT GLOB '*[^0-9]*'", "", SPEND),
    _sqlite("a point before a fraction", "\" AND substr({x}, 20, 1) = '.'", '"', SPEND),
    _sqlite("six digits of a fraction", "BETWEEN 21 AND 26", "BETWEEN 21 AND 27", SPEND),
    _sqlite("a digit of a fraction", "BETWEEN 21 AND 26", "BETWEEN 20 AND 26", SPEND),
    _sqlite("text and no blob", "(length(CAST({x} AS blob)) = 19 OR", "(length({x}) = 19 OR", SPEND),
    _sqlite(
        "dates that exist",
        "strftime('%%Y-%%m-%%d', {x}, '+0 days') IS {x}",
        "strftime('%%Y-%%m-%%d', {x}) IS {x}",
        BRANDS,
    ),
    _sqlite("the form of a date", "strftime('%%Y-%%m-%%d', {x}, '+0 days') IS {x} AND ", "", BRANDS),
    _sqlite("no date before the year 1", " AND {x} >= '0001-01-01'))", "))", BRANDS),
    _sqlite("whole minutes", "(strftime('%%H:%%M:00', {x}, '+0 days') IS {x})", "(1)", WINDOWS),
    _sqlite("no seconds", "'%%H:%%M:00'", "'%%H:%%M:%%S'", WINDOWS),
    _sqlite("no amount that rounds to 0", 'sqlite = "(ROUND({x}, 6) <> 0)"', 'sqlite = "(1)"', SPEND),
    _sqlite("whole numbers", "(typeof({x}) = 'integer')", "(1)", f"{BRANDS} {WINDOWS}"),
)
