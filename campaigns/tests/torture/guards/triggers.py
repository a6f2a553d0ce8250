"""Triggers: each one of both databases is left out, and each function on PostgreSQL loses its rights and its path."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.sql.triggers import FOLDER, file_of_trigger, trigger_names
from campaigns.tests.torture.guards.guard import POSTGRESQL, SQLITE, Change, Guard, tests_by_prefix

# Which tests notice that a trigger is gone, by how its name begins.
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
    "campaigns_total_to_book_": "test_days_to_book",
    "campaigns_total_": "test_guards_totals",
    "campaigns_totals_": "test_guards_totals",
    "campaigns_link_": "test_guards_totals",
    "campaigns_account_": "test_guards_totals",
    "campaigns_history_": "test_guards_history",
}
OF_ITS_OWNER = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"


def trigger_guards() -> Iterator[Guard]:
    for vendor in (SQLITE, POSTGRESQL):
        for name in sorted(trigger_names(vendor)):
            file = f"campaigns/sql/{file_of_trigger(name, vendor)}.sql"
            end = "^END;" if vendor == SQLITE else ";$"
            change = _substituted(rf"^CREATE TRIGGER {name}\b.*?{end}", "")
            short = name == "campaigns_spend_updated"
            yield Guard(f"trigger {name} on {vendor}", file, change, tests_by_prefix(TESTS, name), vendor, short)
    searched = "campaigns/sql/postgresql_search.sql"
    for name in re.findall(r"^CREATE TRIGGER (\w+)", (FOLDER / "postgresql_search.sql").read_text(), re.MULTILINE):
        change = _substituted(rf"^CREATE TRIGGER {name}\b.*?;$", "")
        yield Guard(f"trigger {name} on {POSTGRESQL}", searched, change, "test_search", POSTGRESQL)
    tests = "test_triggers test_connector_role"
    function = rf"^CREATE FUNCTION \{{schema\}}\.(\w+)\(\) .*\n.*{OF_ITS_OWNER}"
    for file in ("postgresql.sql", "totals/postgresql.sql"):
        for name in re.findall(function, (FOLDER / file).read_text(), re.MULTILINE):
            for part in ("SECURITY DEFINER ", "SET search_path = pg_catalog, pg_temp "):
                change = _substituted(rf"(^CREATE FUNCTION \{{schema\}}\.{name}\(\) .*?){part}", r"\1")
                yield Guard(f"{name}: {part.strip()}", f"campaigns/sql/{file}", change, tests, POSTGRESQL)


def _substituted(pattern: str, replacement: str) -> Change:
    return lambda text: re.sub(pattern, replacement, text, count=1, flags=re.MULTILINE | re.DOTALL)
