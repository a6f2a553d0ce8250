"""Imports: each row counts once, a refused one undoes all, and what is created is enforced (R8, R11)."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, Guard

IMPORT = "campaigns/services/intake/importer.py"
STAGING = "campaigns/services/intake/staging.py"
CSV = "campaigns/services/intake/csv_reader.py"
LINES = "campaigns/services/intake/lines.py"
FIT = "campaigns/services/intake/fit.py"
TIMES = "campaigns/services/intake/times.py"
AMOUNTS = "campaigns/rules/amounts.py"
FIND = "campaigns/services/naming/find_names.py"


def _import(
    name: str,
    file: str,
    before: str,
    after: str,
    tests: str = "test_import_spend",
    databases: str = BOTH,
    *,
    short: bool = False,
) -> Guard:
    return Guard(name, file, before, after, tests, databases, short)


GUARDS = (
    _import(
        "a refused row undoes all",
        IMPORT,
        "return nullcontext() if separate else transaction.atomic()",
        "return nullcontext()",
    ),
    _import(
        "a refused row is told",
        IMPORT,
        "        if counts.refused and not skip_errors:\n            raise ImportRefused(counts)",
        "",
    ),
    _import(
        "a batch of an import is one transaction",
        IMPORT,
        "            with transaction.atomic():\n                batch = _write(given, places, ends=ends)",
        "            if True:\n                batch = _write(given, places, ends=ends)",
    ),
    _import(
        "what is created is enforced", IMPORT, "        if not skip_errors:\n            _enforce(created, clock)", ""
    ),
    _import(
        "what a batch creates is enforced with it",
        IMPORT,
        "                if enforce_at:\n                    _enforce(batch.created, enforce_at)",
        "",
    ),
    _import(
        "a lost deadlock is tried again",
        IMPORT,
        "if attempt == ATTEMPTS or not is_conflict(error):",
        "if True:",
        databases=POSTGRESQL,
    ),
    _import(
        "nothing is created unless asked",
        IMPORT,
        "if self._may_create(*pair)] if self.create else []",
        "if self._may_create(*pair)]",
    ),
    _import(
        "the brands are locked before campaigns are created in them",
        IMPORT,
        "        if batch.ends:\n            lock_brands(brand_id for brand_id, _ in names)\n",
        "",
        "test_import_beside_people",
        POSTGRESQL,
    ),
    _import(
        "no brand is locked while batches follow",
        IMPORT,
        "        if batch.ends:\n            lock_brands(",
        "        if True:\n            lock_brands(",
        "test_import_beside_people",
        POSTGRESQL,
    ),
    _import(
        "a name finds its row in any spelling",
        FIND,
        "        elif spelling and len(alike) == 1:",
        "        elif False:",
        "test_twins",
    ),
    _import(
        "of twins none is found by a third spelling",
        FIND,
        "        elif spelling and len(alike) == 1:",
        "        elif spelling and alike:",
        "test_twins",
    ),
    _import(
        "what can't be seen is refused in a new name",
        "campaigns/rules/names.py",
        "        if is_refused(character):\n            raise",
        "        if False:\n            raise",
        "test_twins test_names",
    ),
    _import("a row that is there is skipped", STAGING, "    ON CONFLICT (campaign_id, external_id) DO NOTHING", ""),
    _import(
        "another amount is refused",
        STAGING,
        'WHERE {micros_sql("there.amount")} <> {micros_sql("incoming.amount")}\n       OR there',
        "WHERE there",
    ),
    _import("another timestamp is refused", STAGING, "\n       OR there.timestamp <> incoming.timestamp", ""),
    _import(
        "the same instant in another form is the same",
        STAGING,
        "        if (amount, timestamp) != (row.amount, row.timestamp):\n            yield",
        "        if True:\n            yield",
        databases="sqlite",
    ),
    _import(
        "of the same row the first counts",
        STAGING,
        "    WHERE amount <> 0\n    ORDER BY place\n",
        "    WHERE amount <> 0\n    ORDER BY -place\n",
    ),
    _import(
        "rows are written in the order of their keys",
        STAGING,
        "    ordered = sorted(batch, key=_key)",
        "    ordered = list(batch)",
        tests="test_concurrency_locks",
        databases=POSTGRESQL,
    ),
    _import(
        "no character of an external id breaks a line",
        STAGING,
        '    if text.isprintable() and "\\\\" not in text:',
        "    if True:",
        databases=POSTGRESQL,
    ),
    _import(
        "a row of 0 is passed over",
        CSV,
        "        if not amount.value and external_id is None:\n            return",
        "        if False:\n            return",
        "test_spend_csv",
    ),
    _import(
        "a row of 0 that the ledger contradicts is refused",
        IMPORT,
        "write_batch(placed + zeros) if placed or zeros else (0, [])",
        "write_batch(placed) if placed else (0, [])",
        "test_spend_cases",
    ),
    _import("a row of 0 isn't written", STAGING, "    WHERE amount <> 0\n", "    WHERE true\n", "test_spend_cases"),
    _import(
        "an amount is below the limit",
        AMOUNTS,
        "    if amount.copy_abs() >= AMOUNT_LIMIT:",
        "    if amount.copy_abs() > AMOUNT_LIMIT:",
        "test_spend_csv",
    ),
    _import(
        "an amount with two readings is refused",
        AMOUNTS,
        "    if not is_known and TWO_READINGS.fullmatch(number):",
        "    if False:",
        "test_spend_csv",
    ),
    _import(
        "a timestamp lies between 2012 and 2100",
        TIMES,
        "    if not EARLIEST <= instant < LATEST:",
        "    if not EARLIEST <= instant <= LATEST:",
        "test_spend_csv",
    ),
    _import(
        "a time that clocks skip stays in its day",
        TIMES,
        "    if instant.astimezone(zone).date() != wall.date():",
        "    if False:",
        "test_spend_csv",
    ),
    _import(
        "a day is the brand's day",
        FIT,
        "if zone is None or row.is_day else zone",
        "if zone is None else zone",
    ),
    _import(
        "another currency than the brand's is refused",
        FIT,
        "    if row.currencies and brand.currency not in row.currencies:",
        "    if False:",
        "test_spend_csv",
    ),
    _import(
        "the same bytes are noticed by the command",
        "campaigns/management/commands/import_spend.py",
        "            if earlier.without_external_id or not earlier.is_over:",
        "            if False:",
    ),
    _import(
        "the same bytes have to be confirmed",
        "campaigns/services/intake/upload_confirm.py",
        "        if repeats(upload, preview) and not again:",
        "        if False:",
        "test_admin_uploads",
    ),
    _import(
        "an upload is confirmed once",
        "campaigns/services/intake/upload_confirm.py",
        "if upload is None or upload.state != State.READY or upload.preview is None:",
        "if upload is None or upload.preview is None:",
        "test_spend_preview",
    ),
    _import(
        "a line that is too long is refused",
        LINES,
        "    if len(raw) > LONGEST_LINE:",
        "    if False:",
        "test_spend_csv",
    ),
    _import("a NUL byte is refused", LINES, '    if b"\\0" in raw:', "    if False:", "test_spend_csv"),
    _import("an empty external id is none", CSV, "    return name or None", "    return name", "test_spend_csv"),
    _import(
        "an external id has at most 255 characters",
        CSV,
        "    if len(name) > EXTERNAL_ID_LENGTH:",
        "    if False:",
        "test_spend_csv",
    ),
)
