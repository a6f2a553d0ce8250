"""What the migrations give the database: constraints and their limits, columns' defaults, foreign keys.

They are found in the migrations' syntax trees, so a new constraint is taken away without an entry here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from campaigns.tests.torture.guards.guard import (
    BOTH,
    POSTGRESQL,
    SQLITE,
    Change,
    Guard,
    replace_once,
    tests_by_prefix,
)

MIGRATIONS = Path("campaigns/migrations")

BRANDS, SPEND, WINDOWS = "test_guards_brand_campaign", "test_guards_spend", "test_guards_windows"
HISTORY, UPLOADS, PERIODS = "test_guards_history", "test_guards_uploads", "test_guards_periods"
FEED, TOTALS = "test_guards_feed", "test_guards_totals"
OUTGOING = "test_guards_outgoing"
ALERTS = "test_guards_alerts"

# Which tests notice that a constraint is gone, by how its name begins.
TESTS = {
    "api_key_": "test_api_keys",
    "brand_name_key_unique": "test_twins",
    "campaign_name_key_unique_in_brand": "test_twins",
    "brand_period_spend_in_range": "test_overflow",
    "campaign_day_spend_in_range": "test_overflow",
    "check_shard_": "test_shards",
    "alert_": ALERTS,
    "platform_account_": TOTALS,
    "campaign_link_": TOTALS,
    "earlier_link_": TOTALS,
    "linked_campaign_": TOTALS,
    "spend_total_": TOTALS,
    "spend_of_a_total_": TOTALS,
    "file_format_": "test_formats",
    "counted_twice_": "test_counted_twice",
    "report_import_": "test_report_imports",
    "restated_total_": "test_report_imports",
    "brand_assignment_": "test_access",
    "heartbeat_": "test_heartbeats",
    "note_": "test_notes",
    "saved_filter_": "test_saved_filters",
    "brand_period_": PERIODS,
    "brand_pace_": "test_brand_pace",
    "pace_error_": "test_pace_ranges",
    "brand_": BRANDS,
    "campaign_": BRANDS,
    "dayparting_": WINDOWS,
    "spend_upload_part_": UPLOADS,
    "spend_upload_reversed_": "test_reversal",
    "imported_records_": "test_reversal",
    "spend_correction_": "test_corrections",
    "spend_": SPEND,
    "feed_batch_": FEED,
    "applied_": FEED,
    "accounting_time_zone_": PERIODS,
    "endpoint_": OUTGOING,
    "outbox_": OUTGOING,
    "delivery_": OUTGOING,
}

# Constraints that can go unnoticed, and on which databases.
NEEDS_NO_PROOF = {
    # Django's own, of the brands of an alert rule.
    "campaigns_alertrule_brands_alertrule_id_brand_id_ad6c3e4e_uniq": BOTH,
    # Of unique fields: a name that PostgreSQL gives.
    "campaigns_alertemail_message_id_key": POSTGRESQL,
    "campaigns_alertpreference_user_id_key": POSTGRESQL,
    # What the foreign key of a record refers to, and no rule of its own: the id alone is unique.
    "campaign_and_brand_referenced_by_spend": BOTH,
    # PostgreSQL has types for instants; infinity lies beyond 2100 as well, which another constraint refuses.
    "spend_timestamp_is_yyyy_mm_dd_hh_mm_ss_in_utc": POSTGRESQL,
    # PostgreSQL has types for texts and switches.
    "brand_name_currency_and_timezone_are_text": POSTGRESQL,
    "brand_enabled_is_on_or_off": POSTGRESQL,
    "campaign_name_is_text": POSTGRESQL,
    "campaign_enabled_is_on_or_off": POSTGRESQL,
    "platform_account_name_currency_and_timezone_are_text": POSTGRESQL,
    "campaign_link_name_is_text": POSTGRESQL,
}

BUDGETS = ("brand_daily_budget_in_range", "brand_monthly_budget_in_range", "campaign_daily_spend_limit_in_range")

# Limits of constraints: what of them is changed, to what.
LIMITS = (
    *(
        (name, before, after, BRANDS)
        for name in BUDGETS
        for before, after in (("__gte', 0", "__gte', -1"), ("__gte", "__gt"), ("'999999999.999999'", "'1000000000'"))
    ),
    ("spend_amount_in_range_and_not_zero", "'-999999999.999999'", "'-1000000000'", SPEND),
    ("spend_amount_in_range_and_not_zero", "'999999999.999999'", "'1000000000'", SPEND),
    ("spend_amount_in_range_and_not_zero", "__lte", "__lt", SPEND),
    ("spend_timestamp_between_2012_and_2100", "__gte", "__gt", SPEND),
    ("spend_timestamp_between_2012_and_2100", "__lt", "__lte", SPEND),
    ("brand_created_between_2012_and_2100", "__gte", "__gt", BRANDS),
    ("brand_created_between_2012_and_2100", "__lt", "__lte", BRANDS),
    ("spend_external_id_has_1_to_255_characters", "(1, 255)", "(0, 255)", SPEND),
    ("spend_external_id_has_1_to_255_characters", "(1, 255)", "(1, 254)", SPEND),
    ("spend_external_id_has_1_to_255_characters", "(1, 255)", "(1, 256)", SPEND),
    ("campaign_ends_on_or_after_start", "__gte", "__gt", BRANDS),
    ("campaign_pause_reasons_known", "(0, 255)", "(0, 256)", BRANDS),
    ("campaign_pause_reasons_known", "(0, 255)", "(0, 254)", BRANDS),
    ("dayparting_has_a_day", "(1, 127)", "(0, 127)", WINDOWS),
    ("dayparting_has_a_day", "(1, 127)", "(1, 128)", WINDOWS),
    ("dayparting_has_a_day", "(1, 127)", "(1, 126)", WINDOWS),
)

# Defaults of columns that clients and jobs leave out when they insert.
DEFAULTS = {
    "SpendRecord.timestamp": SPEND,
    "SpendRecord.recorded_at": SPEND,
    "Brand.enabled": BRANDS,
    "Brand.currency": BRANDS,
    "Brand.timezone": BRANDS,
    "Campaign.enabled": BRANDS,
    "Campaign.pause_reasons": BRANDS,
    "FeedBatch.at": FEED,
    "StatusChange.recorded_at": f"test_rule_13_history {HISTORY}",
    "SpendTotal.as_of": TOTALS,
    "SpendTotal.booked": TOTALS,
    "SpendTotal.revision": TOTALS,
    "SpendTotal.waiting": TOTALS,
    "PlatformAccount.interval_hours": TOTALS,
    "CampaignLink.ignored": TOTALS,
}

FOREIGN_KEYS = {
    "ApiKey": "test_api_keys",
    "AppliedStatus.": FEED,
    "Alert": ALERTS,
    "PlatformAccount.": TOTALS,
    "CampaignLink.": TOTALS,
    "EarlierLink.": TOTALS,
    "PasswordToChange.": "test_guards_password",
    "BrandAssignment.": "test_access",
    "Brand.owner": "test_owners",
    "Note.": "test_notes",
    "SavedFilter.": "test_saved_filters",
    "SpendUpload": UPLOADS,
    "CountedTwice.": "test_counted_twice",
    "ReportImport.": "test_report_imports",
    "RestatedTotal.": "test_report_imports",
    "ImportDraft.": UPLOADS,
    "DaypartingSchedule.": WINDOWS,
    "EndpointBrand.": OUTGOING,
    "OutboxMessage.": OUTGOING,
    "Delivery": OUTGOING,
    "": HISTORY,
}


def migration_guards() -> Iterator[Guard]:
    seen: set[str] = set()
    for path in sorted((settings.BASE_DIR / MIGRATIONS).glob("0*.py"), reverse=True):  # the newest form counts
        file, text = f"{MIGRATIONS}/{path.name}", path.read_text()
        constraints = {name: call for name, call in _constraints(text).items() if name not in seen}
        seen |= constraints.keys()
        for name in constraints:
            databases = " ".join(one for one in BOTH.split() if one not in NEEDS_NO_PROOF.get(name, ""))
            short = name == "spend_external_id_unique_in_campaign"
            if databases:
                tests = tests_by_prefix(TESTS, name)
                yield Guard(name, file, _change_constraint(name, lambda _: "*[]"), tests, databases, short)
        for name, before, after, tests in LIMITS:
            if name in constraints:
                # PostgreSQL's column has 255 characters itself.
                databases = SQLITE if after == "(1, 256)" else BOTH
                change = _change_constraint(name, replace_once(before, after))
                yield Guard(f"{name}: {before} → {after}", file, change, tests, databases)
        for name, call in _fields(text).items():
            if name in DEFAULTS:
                yield Guard(f"the database default of {name}", file, _without_default(name), DEFAULTS[name])
            # Outside clients of SQLite have foreign keys off: triggers do their work there.
            if _refers(ast.unparse(call)) and "db_constraint=False" not in ast.unparse(call):
                tests = tests_by_prefix(FOREIGN_KEYS, name)
                yield Guard(f"the foreign key {name}", file, _without_foreign_key(name), tests, POSTGRESQL)


def _constraints(text: str) -> dict[str, ast.Call]:
    """Return, by name, the constraints of new tables and the operations that add others."""
    found: dict[str, ast.Call] = {}
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        function = ast.unparse(call.func)
        constraint = next((value.value for value in call.keywords if value.arg == "constraint"), call)
        if (
            isinstance(constraint, ast.Call)
            and function.endswith("Constraint")
            and not function.endswith("RemoveConstraint")
        ):
            names = [value.value for value in constraint.keywords if value.arg == "name"]
            for name in names:
                if isinstance(name, ast.Constant):
                    found.setdefault(str(name.value), call)  # the walk comes to the operation first
    return found


def _fields(text: str) -> dict[str, ast.Call]:
    """Return the fields of new tables, and those added to others, by Model.field."""
    found: dict[str, ast.Call] = {}
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        values = {value.arg: value.value for value in call.keywords}
        if ast.unparse(call.func).endswith("CreateModel") and isinstance(values["fields"], ast.List):
            for pair in values["fields"].elts:
                name, field = ast.unparse(pair.elts[0]), pair.elts[1]  # type: ignore[attr-defined]
                found[f"{ast.unparse(values['name'])}.{name}".replace("'", "")] = field
        elif ast.unparse(call.func).endswith("AddField") and isinstance(values["field"], ast.Call):
            model, name = (ast.unparse(values[part]).replace("'", "") for part in ("model_name", "name"))
            found[f"{model.capitalize()}.{name}"] = values["field"]
    return found


def _change_constraint(name: str, change: Change) -> Change:
    return lambda text: _change_node(text, _constraints(text)[name], change)


def _without_default(name: str) -> Change:
    def change(text: str) -> str:
        (default,) = (value for value in _fields(text)[name].keywords if value.arg == "db_default")
        return _change_node(text, default, lambda _: "null=False")

    return change


def _without_foreign_key(name: str) -> Change:
    def change(text: str) -> str:
        # What it refers to may stand in front without a name.
        first = _fields(text)[name].keywords[0]
        return _change_node(text, first, lambda argument: f"db_constraint=False, {argument}")

    return change


def _refers(call: str) -> bool:
    return "ForeignKey(" in call or "OneToOneField(" in call


def _change_node(text: str, node: ast.expr | ast.keyword, change: Change) -> str:
    lines = text.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: (node.end_lineno or 0) - 1])) + (node.end_col_offset or 0)
    data = text.encode()
    return (data[:start] + change(data[start:end].decode()).encode() + data[end:]).decode()
