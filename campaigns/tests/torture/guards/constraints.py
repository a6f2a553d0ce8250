"""Constraints: each one that a migration makes is left out of it, and the columns' defaults and foreign keys too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, SQLITE, Guard

MIGRATIONS = Path("campaigns/migrations")
TABLES = f"{MIGRATIONS}/0001_initial.py"
DRAFTS = f"{MIGRATIONS}/0001_initial.py"
UPLOADS = f"{MIGRATIONS}/0001_initial.py"
GIVEN_BRANDS = f"{MIGRATIONS}/0001_initial.py"

TESTS = {
    "brand_name_key_unique": "test_twins",
    "campaign_name_key_unique_in_brand": "test_twins",
    "brand_period_spend_in_range": "test_overflow",
    "campaign_day_spend_in_range": "test_overflow",
    "check_shard_": "test_shards",
    "given_brand_": "test_access",
    "heartbeat_": "test_heartbeats",
    "brand_period_": "test_guards_periods",
    "brand_": "test_guards_brand_campaign",
    "campaign_": "test_guards_brand_campaign",
    "dayparting_": "test_guards_windows",
    "spend_upload_part_": "test_guards_uploads",
    "spend_": "test_guards_spend",
    "booking_zone_": "test_guards_periods",
}
"""Which tests notice that a constraint is gone, by how its name begins."""

NEEDS_NO_PROOF = {
    # What the foreign key of a record refers to, and no rule of its own: the id alone is unique.
    "campaign_and_brand_referenced_by_spend": BOTH,
    # PostgreSQL has types for instants; infinity lies beyond 2100 as well, which another constraint refuses.
    "spend_timestamp_is_yyyy_mm_dd_hh_mm_ss_in_utc": POSTGRESQL,
    # PostgreSQL has types for texts and switches.
    "brand_name_currency_and_timezone_are_text": POSTGRESQL,
    "brand_enabled_is_on_or_off": POSTGRESQL,
    "campaign_name_is_text": POSTGRESQL,
    "campaign_enabled_is_on_or_off": POSTGRESQL,
}
"""Constraints that can go unnoticed, and on which databases."""

IN_A_SHORT_TORTURE = ("spend_external_id_unique_in_campaign",)


def constraint_guards() -> Iterator[Guard]:
    """Yield a guard for each constraint with a name that the migrations make and none takes away again."""
    for path in sorted((settings.BASE_DIR / MIGRATIONS).glob("0*.py")):
        text = path.read_text()
        for name, source in _constraints(text):
            databases = " ".join(one for one in BOTH.split() if one not in NEEDS_NO_PROOF.get(name, ""))
            if databases:
                file = f"{MIGRATIONS}/{path.name}"
                yield Guard(name, file, source, "", tests_of(name), databases, short=name in IN_A_SHORT_TORTURE)
    yield from FOREIGN_KEYS
    yield from DEFAULTS
    yield from EDGES


def tests_of(name: str) -> str:
    for start, tests in TESTS.items():
        if name.startswith(start):
            return tests
    raise LookupError(f"Nobody says which tests notice that {name} is gone: add how it begins to TESTS.")


def _constraints(text: str) -> Iterator[tuple[str, str]]:
    """Yield each constraint's name with the source that adds it, up to the comma after it."""
    tree = ast.parse(text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    added = {id(value): call for call in calls for value in _added_by(call)}
    for call in calls:
        name = _constant(call, "name")
        if isinstance(call.func, ast.Attribute) and call.func.attr.endswith("Constraint") and name:
            source = ast.get_source_segment(text, added.get(id(call), call)) or ""
            yield name, source + ","


def _added_by(call: ast.Call) -> list[ast.expr]:
    """Return the constraint that an operation adds, whether it is given by its name or by its place."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "AddConstraint"):
        return []
    return [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == "constraint")]


def _constant(call: ast.Call, name: str) -> str:
    for keyword in call.keywords:
        if keyword.arg == name and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""


def _foreign_key(
    name: str, before: str, file: str = TABLES, tests: str = "test_guards_history test_guards_windows"
) -> Guard:
    # Outside clients of SQLite have foreign keys off: triggers say the same there.
    return Guard(f"the foreign key {name}", file, before, f"db_constraint=False, {before}", tests, POSTGRESQL)


FOREIGN_KEYS = (
    _foreign_key(
        "from campaign to brand",
        'on_delete=django.db.models.deletion.PROTECT, related_name="campaigns", to="campaigns.brand"',
    ),
    _foreign_key(
        "from window to campaign",
        'on_delete=django.db.models.deletion.CASCADE, related_name="windows", to="campaigns.campaign"',
    ),
    _foreign_key(
        "from history to campaign",
        "on_delete=django.db.models.deletion.CASCADE,\n"
        '                        related_name="status_changes",\n'
        '                        to="campaigns.campaign",',
    ),
    _foreign_key(
        "from statement to brand",
        "on_delete=django.db.models.deletion.CASCADE,\n"
        '                        related_name="periods",\n'
        '                        to="campaigns.brand",',
    ),
    _foreign_key(
        "from given brand to brand",
        'on_delete=django.db.models.deletion.CASCADE, related_name="+", to="campaigns.brand"',
        GIVEN_BRANDS,
        "test_access",
    ),
    _foreign_key(
        "from given brand to user",
        "on_delete=django.db.models.deletion.CASCADE,\n"
        '                        related_name="+",\n'
        "                        to=settings.AUTH_USER_MODEL,",
        GIVEN_BRANDS,
        "test_access",
    ),
    _foreign_key(
        "from import draft to user",
        "on_delete=django.db.models.deletion.CASCADE,",
        DRAFTS,
        "test_guards_uploads",
    ),
    _foreign_key(
        "from spend upload to user",
        "on_delete=django.db.models.deletion.SET_NULL,",
        UPLOADS,
        "test_guards_uploads",
    ),
    _foreign_key(
        "from part to spend upload",
        "on_delete=django.db.models.deletion.CASCADE,",
        UPLOADS,
        "test_guards_uploads",
    ),
)


def _default(
    name: str, before: str, tests: str, default: str = "db_default=django.db.models.functions.datetime.Now(),"
) -> Guard:
    return Guard(f"the database default of {name}", TABLES, before, before.replace(default, "").rstrip(), tests)


SWITCH = "db_default=True,\n                        default=True,\n                        "
NOW = "db_default=django.db.models.functions.datetime.Now(),"

DEFAULTS = (
    _default("timestamp", f'{NOW}\n                        help_text="When the money was spent', "test_guards_spend"),
    _default("recorded_at", f"{NOW}\n                        editable=False,", "test_guards_spend"),
    _default(
        "a brand's switch",
        f'{SWITCH}help_text="Switch off to pause all',
        "test_guards_brand_campaign",
        "db_default=True,",
    ),
    _default(
        "a campaign's switch",
        f'{SWITCH}help_text="Switch off to pause the',
        "test_guards_brand_campaign",
        "db_default=True,",
    ),
    _default("currency", 'db_default="USD",', "test_guards_brand_campaign", 'db_default="USD",'),
    _default("time zone", 'db_default="UTC",', "test_guards_brand_campaign", 'db_default="UTC",'),
    _default(
        "pause_reasons",
        "models.PositiveSmallIntegerField(\n                        db_default=0,",
        "test_guards_brand_campaign",
        "db_default=0,",
    ),
    _default(
        "when a line of history was written",
        f'{NOW}\n                        help_text="The real time of writing.",',
        "test_rule_13_history test_guards_history",
    ),
)


def _edge(name: str, before: str, after: str, tests: str, databases: str = BOTH) -> Guard:
    return Guard(f"{name}: {before} → {after}", TABLES, before, after, tests, databases)


BRANDS, SPEND, WINDOWS = "test_guards_brand_campaign", "test_guards_spend", "test_guards_windows"

EDGES = (
    _edge("a daily budget is 0 or more", '("daily_budget__gte", 0)', '("daily_budget__gte", -1)', BRANDS),
    _edge("a daily budget may be 0", '("daily_budget__gte", 0)', '("daily_budget__gt", 0)', BRANDS),
    _edge(
        "a daily budget's end",
        '"daily_budget__lte", Decimal("999999999.999999")',
        '"daily_budget__lte", Decimal("1000000000")',
        BRANDS,
    ),
    _edge("a monthly budget is 0 or more", '("monthly_budget__gte", 0)', '("monthly_budget__gte", -1)', BRANDS),
    _edge("a monthly budget may be 0", '("monthly_budget__gte", 0)', '("monthly_budget__gt", 0)', BRANDS),
    _edge(
        "a monthly budget's end",
        '"monthly_budget__lte", Decimal("999999999.999999")',
        '"monthly_budget__lte", Decimal("1000000000")',
        BRANDS,
    ),
    _edge("a limit is 0 or more", '("daily_spend_limit__gte", 0)', '("daily_spend_limit__gte", -1)', BRANDS),
    _edge("a limit may be 0", '("daily_spend_limit__gte", 0)', '("daily_spend_limit__gt", 0)', BRANDS),
    _edge(
        "a limit's end",
        '"daily_spend_limit__lte", Decimal("999999999.999999")',
        '"daily_spend_limit__lte", Decimal("1000000000")',
        BRANDS,
    ),
    _edge(
        "an amount's lower end",
        '("amount__gte", Decimal("-999999999.999999"))',
        '("amount__gte", Decimal("-1000000000"))',
        SPEND,
    ),
    _edge(
        "an amount's upper end",
        '("amount__lte", Decimal("999999999.999999"))',
        '("amount__lte", Decimal("1000000000"))',
        SPEND,
    ),
    _edge(
        "an amount may reach its end",
        '("amount__lte", Decimal("999999999.999999"))',
        '("amount__lt", Decimal("999999999.999999"))',
        SPEND,
    ),
    _edge("2012 is included", '("timestamp__gte", datetime', '("timestamp__gt", datetime', SPEND),
    _edge("2100 is excluded", '("timestamp__lt", datetime', '("timestamp__lte", datetime', SPEND),
    _edge("a brand of 2012", '("created_at__gte", datetime', '("created_at__gt", datetime', BRANDS),
    _edge("a brand of 2100", '("created_at__lt", datetime', '("created_at__lte", datetime', BRANDS),
    _edge(
        "an external id of 1",
        '("external_id__length__range", (1, 255))',
        '("external_id__length__range", (0, 255))',
        SPEND,
    ),
    _edge(
        "an external id of 255",
        '("external_id__length__range", (1, 255))',
        '("external_id__length__range", (1, 254))',
        SPEND,
    ),
    _edge(
        "no external id of 256",
        '("external_id__length__range", (1, 255))',
        '("external_id__length__range", (1, 256))',
        SPEND,
        SQLITE,
    ),
    _edge("an end on the day of the start", '("ends_on__gte", models.F', '("ends_on__gt", models.F', BRANDS),
    _edge("no unknown reason", '("pause_reasons__range", (0, 255))', '("pause_reasons__range", (0, 256))', BRANDS),
    _edge("all reasons at once", '("pause_reasons__range", (0, 255))', '("pause_reasons__range", (0, 254))', BRANDS),
    _edge("a day at least", '("days_of_week__range", (1, 127))', '("days_of_week__range", (0, 127))', WINDOWS),
    _edge("no eighth day", '("days_of_week__range", (1, 127))', '("days_of_week__range", (1, 128))', WINDOWS),
    _edge("all days at once", '("days_of_week__range", (1, 127))', '("days_of_week__range", (1, 126))', WINDOWS),
)
