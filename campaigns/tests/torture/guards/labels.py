"""Guards in the .sql files, found by their labels, so that the SQL can change without this list.

A comment `-- guard: LABEL` labels the line below. TheListIsWhole fails for a label
without an entry in LABELS and for an entry without a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, SQLITE, Change, Guard, replace_once

LABEL = re.compile(r"-- guard: (\S+)$", re.MULTILINE)


class Labelled(NamedTuple):
    """How a labelled line is changed: by default it is taken out, with `before` only that part of it is replaced."""

    label: str
    tests: str
    before: str = ""
    after: str = ""
    short: bool = False

    def __str__(self) -> str:
        return f"{self.label}: {self.before} → {self.after}" if self.before else self.label


AGAIN, PERIODS = "test_rule_06_idempotent test_rule_13_history", "test_rule_03_period_of_spend test_rule_04_new_period"
BAD_ROWS, CLOSING, QUICK = "test_rule_06_bad_rows", "test_closing test_closing_by_a_save", "test_quick_check"
DRIFT = "test_drift"
HISTORY = "test_guards_history"
PENDING = "test_guards_pending test_rule_12_exact_money"
REPORTED, BOOKING = "test_guards_totals", "test_booking"
RULE_16, RULE_17 = "test_rule_16_reported_totals", "test_rule_17_unassigned_spend"
SPEND = "test_guards_spend"
TOTALS = "test_guards_periods"
ZONES = "test_change_time_zone test_lost_time_zones"

LABELS = (
    # feed/drift.sql
    Labelled("drift-only-acknowledged", DRIFT, "applied.applied_status <> '' AND "),
    Labelled("drift-paused-again", DRIFT, "EXISTS", "NOT EXISTS"),
    Labelled("drift-applied-this-pause", DRIFT, " AND applied_position >= position"),
    Labelled("drift-late", DRIFT, " AND (paused_at IS NULL OR paused_at < %(late)s)"),
    Labelled("drift-seen-twice", DRIFT, " AND seen_before_status = 'active'"),
    Labelled("drift-seen-after-acknowledgement", DRIFT),
    Labelled("drift-seen-in-this-pause", DRIFT),
    # sqlite.sql. brand_id changes with campaign_id only, or the record's brand wouldn't be its campaign's.
    *(Labelled("spend-update-is-counted", PENDING, f", {name}") for name in ("campaign_id", "amount", "timestamp")),
    Labelled("quarter-of-an-hour", PENDING, "900", "901"),
    *(
        Labelled(f"{which}-amount-is-rounded", PENDING, "ROUND(", "(")
        for which in ("inserted", "updated", "earlier", "deleted")
    ),
    Labelled("campaign-with-spend-stays", HISTORY, "NEW.id <> OLD.id OR "),
    Labelled("campaign-with-spend-stays", HISTORY, " OR NEW.brand_id <> OLD.brand_id"),
    Labelled("campaign-without-spend-moves", HISTORY),
    *(
        Labelled(f"{what}-deleted-with-{whose}", HISTORY)
        for what, whose in (
            ("days", "campaign"),
            ("windows", "campaign"),
            ("history", "campaign"),
            ("zones", "brand"),
            ("periods", "brand"),
        )
    ),
    # postgresql.sql
    Labelled("insert-is-grouped", PENDING, "EXISTS (SELECT FROM added OFFSET 1)", "false"),
    Labelled("last-microsecond", PENDING, "date_part('epoch', timestamp)", "ROUND(date_part('epoch', timestamp))"),
    Labelled("deleted-amount-is-subtracted", PENDING, "-amount", "amount"),
    Labelled("earlier-amount-is-subtracted", PENDING, "-amount", "amount"),
    Labelled("nothing-pending-of-no-change", PENDING, after=";"),
    Labelled("truncate-waits-for-folds", "test_concurrency_locks"),
    *(Labelled(f"truncate-empties-{what}", TOTALS) for what in ("pending", "days", "periods")),
    Labelled("brand-of-spend-is-its-campaigns", SPEND, "NOT "),
    Labelled("brand-of-spend-is-checked-at-once", SPEND, ";", " DEFERRABLE INITIALLY DEFERRED;"),
    # totals/ (R16, R17)
    *(
        Labelled(label + of, REPORTED, before, after)
        for of in ("", "-on-sqlite")
        for label, before, after in (
            ("older-and-unchanged-totals-are-skipped", "NEW.as_of < OLD.as_of OR ", ""),
            ("booked-changes-with-its-revision", "NEW.revision < OLD.revision OR ", ""),
        )
    ),
    Labelled("older-and-unchanged-totals-are-skipped", REPORTED, " OR NEW.total = OLD.total"),
    Labelled(
        "older-and-unchanged-totals-are-skipped-on-sqlite",
        REPORTED,
        " OR ROUND(NEW.total * 1000000) = ROUND(OLD.total * 1000000)",
    ),
    *(
        Labelled("booked-changes-with-its-revision" + of, REPORTED, "NEW.booked <> OLD.booked", "1 = 0")
        for of in ("", "-on-sqlite")
    ),
    *(Labelled(f"known-until-that-is-stored-ahead-can-stay{of}", REPORTED) for of in ("", "-on-sqlite")),
    *(
        Labelled("booked-of-a-deleted-campaign-is-0" + of, REPORTED, "booked = 0,", "booked = booked,")
        for of in ("", "-on-sqlite")
    ),
    *(
        Labelled(f"{label}{of}", REPORTED)
        for of in ("", "-on-sqlite")
        for label in ("links-of-a-deleted-campaign-are-free", "links-of-a-deleted-campaign-are-forgotten")
    ),
    *(
        Labelled("earlier-links-of-an-account-are-kept" + of, REPORTED, "earlier.link_id = link.id", "1 = 0")
        for of in ("", "-on-sqlite")
    ),
    *(
        Labelled("totals-to-book-are-noted" + of, "test_days_to_book", f"{new}waiting = 0 AND ")
        for of, new in (("", ""), ("-on-sqlite", "NEW."))
    ),
    Labelled("days-with-totals-to-book-keep-their-flag", "test_booking_beside_others", "NOT EXISTS", "1 = 1 OR EXISTS"),
    Labelled("newest-day-first", BOOKING, "DESC", "ASC"),
    Labelled("the-rest-of-the-day", BOOKING, "day = %(day)s", "1 = 0"),
    Labelled("currency-of-its-own-brand", BOOKING, "campaign.brand_id = total.usual_brand_id", "1 = 1"),
    Labelled("as-of-within-the-day", RULE_16, ">=", ">"),
    Labelled("as-of-within-the-day", RULE_16, "<", "<="),
    Labelled("booked-for-its-own-campaign", RULE_17, "{its_campaign}", "link.campaign_id"),
    Labelled("decreases-of-finished-days-wait-for-the-full-check", RULE_16, "total.finished = 1 OR "),
    Labelled("decreases-of-finished-days-wait-for-the-full-check", RULE_16, " OR total.reported = 0"),
    Labelled("decreases-of-finished-days-wait-for-the-full-check", RULE_16, " AND %(decreases)s = 0"),
    Labelled("much-less-on-a-finished-day-is-held", RULE_16, "booked * %(percent)s", "booked * %(percent)s + 1"),
    Labelled("much-less-on-a-finished-day-is-held", RULE_16, " AND booked - reported > %(amount)s"),
    Labelled("links-that-are-saved-are-left-alone", "test_booking_beside_others"),
    Labelled("half-to-0-today-is-held", RULE_16, ">= totals", "> totals"),
    Labelled("a-rejected-figure-stays-rejected", RULE_16),
    # ledger/: closing (R9)
    Labelled("closed-once-and-when-ended", CLOSING, "period.closed_at IS NULL AND ", short=True),
    Labelled("closed-once-and-when-ended", CLOSING, "starts_on <", "starts_on <="),
    Labelled("late-spend-has-no-budget", CLOSING),
    Labelled("late-spend-has-no-budget", CLOSING, "period.starts_on >= zone.opened AND "),
    Labelled("budget-of-the-period", CLOSING, "'day'", "'month'"),
    Labelled("kept-at-closing", CLOSING, "= ended.spend", "= 0"),
    Labelled("kept-at-closing", CLOSING, "= ended.budget", "= NULL"),
    Labelled("known-until-at-closing", "test_closing_of_totals", "ended.reported_until", "NULL"),
    Labelled("corrections-are-no-second-source", "test_verify_totals"),
    Labelled("period-without-budget-and-spend", CLOSING),
    Labelled("budgeted-periods-that-ended", CLOSING, ">=", ">"),
    # ledger/: folding (R3, R10, R15) and verifying
    Labelled("time-zone-of-the-period", f"{ZONES} test_verify", "segment.starts_on >= zone.first AND "),
    Labelled("time-zone-of-the-period", f"{ZONES} test_verify", "< zone.until", "<= zone.until"),
    Labelled("quarters-of-the-period", "test_folding", ">=", ">"),
    Labelled("quarters-of-the-period", "test_folding", "spent.quarter < ", "spent.quarter <= "),
    Labelled("added-to-campaign-day", "test_folding", "campaigns_campaignday.spend + "),
    Labelled("added-to-brand-period", "test_folding", "campaigns_brandperiod.spend + "),
    Labelled("unknown-zones-stay-pending", "test_folding_batches", " AND brand_id IN (SELECT brand_id FROM foldable)"),
    Labelled("due-when-the-day-begins", "test_due_brands", "day_from FROM", "0 FROM"),
    *(
        Labelled(f"verified-{what}", "test_verify", before, "0")
        for what, before in (("without-pending", "-amount"), ("campaign-days", "-spend"), ("brand-periods", "-spend"))
    ),
    Labelled("lost-time-zones", "test_lost_time_zones", "kinds IS NULL OR kinds <> 2 OR "),
    # current_spend.sql (R3, R4, R8)
    Labelled("dated-ahead", PERIODS, "> clock.today", ">= clock.today"),
    Labelled("dated-ahead", PERIODS, "< clock.next_month", "<= clock.next_month"),
    Labelled("brand-spend-today", PERIODS, " + COALESCE({brand_today}, 0)"),
    Labelled("brand-spend-today", PERIODS, "COALESCE(brand_day.spend, 0)", "0"),
    Labelled("brand-spend-this-month", PERIODS, " + COALESCE({brand_this_month}, 0)"),
    Labelled("brand-spend-this-month", PERIODS, "COALESCE(brand_month.spend, 0)", "0"),
    Labelled("brand-spend-this-month", PERIODS, " - COALESCE(ahead.amount, 0)"),
    Labelled("day-of-the-brand", PERIODS, " AND brand_day.starts_on = clock.today"),
    Labelled("month-of-the-brand", PERIODS, " AND brand_month.starts_on = clock.this_month"),
    Labelled("campaign-spend-today", PERIODS, " + COALESCE({campaign_today}, 0)"),
    Labelled("campaign-spend-today", PERIODS, "COALESCE(own_day.spend, 0)", "0"),
    Labelled("day-of-the-campaign", PERIODS, " AND own_day.day = b.today"),
    Labelled("campaigns-in-scope", "test_rule_08_at_once", "{campaign_in_scope}", "1 = 1"),
    # decide.sql (R6)
    Labelled("unknown-time-zone", BAD_ROWS, "reasons_before | "),
    Labelled("unknown-time-zone", BAD_ROWS, " | ({switches})"),
    Labelled("only-differences", AGAIN, " WHERE reasons_after <> reasons_before", short=True),
    # next_change.sql, campaign_updates.sql
    Labelled("next-boundary", QUICK, "COALESCE(next_dst_change, {never})", "{never}"),
    Labelled("next-start", QUICK, "starts_on > today", "1 = 0"),
    Labelled("next-end", QUICK, "ends_on >= today", "1 = 0"),
    Labelled("next-day", QUICK, "<> 0", "< 0"),
    Labelled("next-month", QUICK, "<> 0", "< 0"),
    Labelled("only-changed-campaigns", "test_upcoming", " OR c.next_change_minute <> next_change.minute"),
)

# On SQLite nobody books while links are saved or a total is locked: the transaction is the lock.
ONLY_ON_POSTGRESQL = {"links-that-are-saved-are-left-alone", "days-with-totals-to-book-keep-their-flag"}


def labels_by_file() -> dict[str, list[str]]:
    """Return the labels of each .sql file, by its path in the project."""
    paths = sorted(settings.BASE_DIR.glob("campaigns/sql/**/*.sql"))
    return {str(path.relative_to(settings.BASE_DIR)): LABEL.findall(path.read_text()) for path in paths}


def labelled_guards() -> Iterator[Guard]:
    for file, labels in labels_by_file().items():
        databases = SQLITE if "sqlite" in file else POSTGRESQL if "postgresql" in file else BOTH
        for row in LABELS:
            if row.label in labels:
                where = POSTGRESQL if row.label in ONLY_ON_POSTGRESQL else databases
                yield Guard(f"{row} in {file}", file, _change_line(row), row.tests, where, row.short)


def _change_line(row: Labelled) -> Change:
    def change(text: str) -> str:
        lines = text.splitlines()
        (number,) = (number for number, line in enumerate(lines) if line.endswith(f"-- guard: {row.label}"))
        number += 1
        lines[number] = replace_once(row.before, row.after)(lines[number]) if row.before else row.after
        return "\n".join(lines) + "\n"

    return change
