"""Triggers: each one of both databases is left out, and what is in them changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.sql.triggers import FOLDER, trigger_names
from campaigns.tests.torture.guards.guard import POSTGRESQL, SQLITE, Guard

FILES = {vendor: f"campaigns/sql/{vendor}.sql" for vendor in (SQLITE, POSTGRESQL)}

TESTS = {
    "campaigns_spend_insert_guard": "test_guards_spend",
    "campaigns_spend_update_guard": "test_guards_spend test_guards_pending",
    "campaigns_spend_truncated": "test_guards_periods",
    "campaigns_spend_": "test_guards_pending",
    "campaigns_brand_inserted": "test_folding",
    "campaigns_brand_renamed": "test_twins",
    "campaigns_campaign_renamed": "test_twins",
    "campaigns_brand_currency_guard": "test_currency_of_a_brand",
    "campaigns_brand_": "test_guards_history",
    "campaigns_campaign_": "test_guards_history",
    "campaigns_window_": "test_guards_windows",
    "campaigns_history_": "test_guards_history",
}
"""Which tests notice that a trigger is gone, by how its name begins; not the list of triggers in test_triggers."""

IN_A_SHORT_TORTURE = ("campaigns_spend_updated",)


def trigger_guards() -> Iterator[Guard]:
    for vendor, file in FILES.items():
        text = (FOLDER / f"{vendor}.sql").read_text()
        for name in sorted(trigger_names(vendor)):
            source = _source(text, name, vendor)
            yield Guard(
                f"trigger {name} on {vendor}",
                file,
                source,
                "",
                tests_of(name),
                vendor,
                short=name in IN_A_SHORT_TORTURE,
            )
    yield from _functions()
    yield from CONTENTS


def tests_of(name: str) -> str:
    for start, tests in TESTS.items():
        if name.startswith(start):
            return tests
    raise LookupError(f"Nobody says which tests notice that the trigger {name} is gone: add how it begins to TESTS.")


def _source(text: str, name: str, vendor: str) -> str:
    end = r"^END;" if vendor == SQLITE else r";$"
    found = re.search(rf"^CREATE TRIGGER {name}\b.*?{end}", text, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[0]


RUNS_AS_ITS_OWNER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$"


def _functions() -> Iterator[Guard]:
    """Yield, for each function on PostgreSQL, its owner's rights and its pinned search_path."""
    text = (FOLDER / "postgresql.sql").read_text()
    for start in re.findall(r"^CREATE FUNCTION \{schema\}\.\w+\(\) RETURNS trigger\n", text, re.MULTILINE):
        if start + RUNS_AS_ITS_OWNER not in text:
            continue
        name, before = start.split(".")[1].split("(")[0], start + RUNS_AS_ITS_OWNER
        without_rights = before.replace(" SECURITY DEFINER", "")
        without_path = before.replace(" SET search_path = pg_catalog, pg_temp", "")
        tests = "test_triggers test_spend_writer_role"
        yield Guard(f"{name} runs as its owner", FILES[POSTGRESQL], before, without_rights, tests, POSTGRESQL)
        yield Guard(f"{name} has a pinned path", FILES[POSTGRESQL], before, without_path, tests, POSTGRESQL)


def _sqlite(name: str, before: str, after: str, tests: str) -> Guard:
    return Guard(f"{name} on SQLite", FILES[SQLITE], before, after, tests, SQLITE)


def _postgresql(name: str, before: str, after: str, tests: str, *, short: bool = False) -> Guard:
    return Guard(f"{name} on PostgreSQL", FILES[POSTGRESQL], before, after, tests, POSTGRESQL, short)


def _columns(left_out: str) -> Guard:
    columns = ["brand_id", "campaign_id", "amount", "timestamp"]
    kept = ", ".join(column for column in columns if column != left_out)
    before = "AFTER UPDATE OF brand_id, campaign_id, amount, timestamp ON"
    return _sqlite(f"an update of {left_out} is counted", before, f"AFTER UPDATE OF {kept} ON", "test_guards_pending")


PENDING = "test_guards_pending test_rule_12_exact_money"

CONTENTS = (
    # On SQLite brand_id changes with campaign_id, or the record's brand isn't its campaign's.
    *(_columns(name) for name in ("campaign_id", "amount", "timestamp")),
    _sqlite(
        "an inserted amount is rounded to millionths",
        "CAST(strftime('%s', substr(NEW.timestamp, 1, 19)) AS integer) / 900,\n"
        "        CAST(ROUND(NEW.amount * 1000000) AS integer)\n    );\nEND;\n\nCREATE TRIGGER campaigns_spend_updated",
        "CAST(strftime('%s', substr(NEW.timestamp, 1, 19)) AS integer) / 900,\n"
        "        CAST(NEW.amount * 1000000 AS integer)\n    );\nEND;\n\nCREATE TRIGGER campaigns_spend_updated",
        PENDING,
    ),
    _sqlite(
        "an updated amount is rounded to millionths",
        "        CAST(ROUND(NEW.amount * 1000000) AS integer)\n    );\nEND;\n\nCREATE TRIGGER campaigns_spend_deleted",
        "        CAST(NEW.amount * 1000000 AS integer)\n    );\nEND;\n\nCREATE TRIGGER campaigns_spend_deleted",
        PENDING,
    ),
    _sqlite(
        "the amount before an update is rounded to millionths",
        "-CAST(ROUND(OLD.amount * 1000000) AS integer)\n    ), (",
        "-CAST(OLD.amount * 1000000 AS integer)\n    ), (",
        PENDING,
    ),
    _sqlite(
        "a deleted amount is rounded to millionths",
        "-CAST(ROUND(OLD.amount * 1000000) AS integer)\n    );\nEND;\n\n-- A record's brand",
        "-CAST(OLD.amount * 1000000 AS integer)\n    );\nEND;\n\n-- A record's brand",
        PENDING,
    ),
    _sqlite(
        "a quarter of an hour has 900 seconds",
        "CAST(strftime('%s', substr(NEW.timestamp, 1, 19)) AS integer) / 900,\n"
        "        CAST(ROUND(NEW.amount * 1000000) AS integer)\n    );\nEND;\n\nCREATE TRIGGER campaigns_spend_updated",
        "CAST(strftime('%s', substr(NEW.timestamp, 1, 19)) AS integer) / 901,\n"
        "        CAST(ROUND(NEW.amount * 1000000) AS integer)\n    );\nEND;\n\nCREATE TRIGGER campaigns_spend_updated",
        PENDING,
    ),
    _postgresql(
        "a quarter of an hour ends with its last microsecond",
        "FLOOR(date_part('epoch', timestamp) / 900)::integer, (amount * 1000000)::bigint\n        FROM added",
        "FLOOR(ROUND(date_part('epoch', timestamp)) / 900)::integer, (amount * 1000000)::bigint\n        FROM added",
        "test_guards_pending",
    ),
    _sqlite(
        "a campaign with spend keeps its id",
        "WHEN (NEW.id <> OLD.id OR NEW.brand_id <> OLD.brand_id)",
        "WHEN (NEW.brand_id <> OLD.brand_id)",
        "test_guards_history",
    ),
    _sqlite(
        "a campaign with spend keeps its brand",
        "WHEN (NEW.id <> OLD.id OR NEW.brand_id <> OLD.brand_id)",
        "WHEN (NEW.id <> OLD.id)",
        "test_guards_history",
    ),
    _sqlite(
        "a campaign without spend may move",
        "    AND EXISTS (SELECT 1 FROM campaigns_spendrecord WHERE campaign_id = OLD.id)",
        "",
        "test_guards_history",
    ),
    _sqlite(
        "windows go with their campaign",
        "    DELETE FROM campaigns_daypartingschedule WHERE campaign_id = OLD.id;",
        "",
        "test_guards_history",
    ),
    _sqlite(
        "history goes with its campaign",
        "    DELETE FROM campaigns_statuschange WHERE campaign_id = OLD.id;",
        "",
        "test_guards_history",
    ),
    _sqlite(
        "days go with their campaign",
        "    DELETE FROM campaigns_campaignday WHERE campaign_id = OLD.id;",
        "",
        "test_guards_history",
    ),
    _sqlite(
        "periods go with their brand",
        "    DELETE FROM campaigns_brandperiod WHERE brand_id = OLD.id;",
        "",
        "test_guards_history",
    ),
    _sqlite(
        "booking zones go with their brand",
        "    DELETE FROM campaigns_accountingtimezone WHERE brand_id = OLD.id;",
        "",
        "test_guards_history",
    ),
    _postgresql(
        "a record's brand is its campaign's",
        "    IF NOT EXISTS (\n        SELECT FROM pg_constraint",
        "    IF EXISTS (\n        SELECT FROM pg_constraint",
        "test_guards_spend",
    ),
    _postgresql(
        "the refusal comes at the statement",
        "FOREIGN KEY (campaign_id, brand_id) REFERENCES {schema}.campaigns_campaign (id, brand_id);",
        "FOREIGN KEY (campaign_id, brand_id) REFERENCES {schema}.campaigns_campaign (id, brand_id)\n"
        "DEFERRABLE INITIALLY DEFERRED;",
        "test_guards_spend",
    ),
    _postgresql(
        "an emptied ledger waits for a fold",
        "    PERFORM pg_advisory_xact_lock({ledger_lock});",
        "",
        "test_concurrency_locks",
    ),
    _postgresql(
        "an emptied ledger has nothing pending",
        "    DELETE FROM {schema}.campaigns_pendingspend;",
        "",
        "test_guards_periods",
    ),
    _postgresql(
        "an emptied ledger has no campaign days",
        "    DELETE FROM {schema}.campaigns_campaignday;",
        "",
        "test_guards_periods",
    ),
    _postgresql(
        "an emptied ledger has no totals",
        "    UPDATE {schema}.campaigns_brandperiod SET spend = 0 WHERE spend <> 0;",
        "",
        "test_guards_periods",
    ),
    _postgresql(
        "an insert of many rows is grouped",
        "IF EXISTS (SELECT FROM added OFFSET 1) THEN",
        "IF false THEN",
        "test_guards_pending",
    ),
    _postgresql("a deleted record takes its amount off", "SUM((-amount * 1000000)", "SUM((amount * 1000000)", PENDING),
    _postgresql(
        "an updated record takes its old amount off",
        "SELECT id, brand_id, campaign_id, timestamp, -amount FROM removed",
        "SELECT id, brand_id, campaign_id, timestamp, amount FROM removed",
        PENDING,
    ),
    _postgresql(
        "an update that changes nothing leaves nothing pending",
        "    HAVING SUM(amount) <> 0;",
        "    ;",
        "test_guards_pending",
    ),
)
