"""The books: folding, marking, re-booking, verifying."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, Guard

FOLD = "campaigns/services/ledger/fold.py"
BATCH = "campaigns/services/ledger/fold_batch.py"
REBOOK = "campaigns/services/ledger/change_time_zone.py"
VERIFY = "campaigns/services/ledger/verify.py"
MARKS = "campaigns/services/ledger/due_brands.py"

BESIDE = "test_concurrency_locks"
LOCKED = "test_locked_rows"
CLOSING = "test_closing test_closing_by_a_save"
REBOOKING = "test_change_time_zone test_lost_time_zones"


def _book(
    name: str, file: str, before: str, after: str, tests: str, databases: str = BOTH, *, short: bool = False
) -> Guard:
    return Guard(name, file, before, after, tests, databases, short)


GUARDS = (
    _book("a fold holds the ledger", FOLD, "        take_ledger_lock()\n", "", BESIDE, POSTGRESQL),
    _book("a batch of a fold is one transaction", FOLD, "    @transaction.atomic\n", "", "test_concurrency"),
    _book(
        "a fold adds to a campaign's day",
        BATCH,
        "SET spend = campaigns_campaignday.spend + excluded.spend",
        "SET spend = excluded.spend",
        "test_folding",
    ),
    _book(
        "a fold adds to a brand's period",
        BATCH,
        "SET spend = campaigns_brandperiod.spend + excluded.spend",
        "SET spend = excluded.spend",
        "test_folding",
    ),
    _book(
        "a fold forgets deleted campaigns",
        BATCH,
        "campaign_id IN (SELECT id FROM campaigns_campaign WHERE",
        "1 = 1 OR campaign_id IN (SELECT id FROM campaigns_campaign WHERE",
        "test_folding",
    ),
    _book(
        "a fold takes only what it has segments for",
        BATCH,
        " AND {covered_day} AND",
        " AND ({covered_day} OR 1 = 1) AND",
        "test_folding_batches",
    ),
    _book(
        "spend of unknown zones stays pending",
        BATCH,
        " AND brand_id IN (SELECT brand_id FROM bookable)",
        "",
        "test_folding_batches",
    ),
    _book(
        "a fold of a brand's is no other's",
        FOLD,
        'self.in_scope = "1 = 1" if ids is None else in_list("brand_id", hashed=True)',
        'self.in_scope = "1 = 1" if ids is None else f"({in_list(\'brand_id\')} OR 1 = 1)"',
        CLOSING,
    ),
    _book(
        "a fold marks what it touches",
        BATCH,
        "SELECT DISTINCT brand_id, day_from FROM booked",
        "SELECT DISTINCT brand_id, day_from FROM booked WHERE 1 = 0",
        "test_due_brands",
    ),
    _book(
        "a mark of spend dated ahead is due when its day comes",
        BATCH,
        "SELECT DISTINCT brand_id, day_from FROM booked",
        "SELECT DISTINCT brand_id, 0 FROM booked",
        "test_due_brands",
    ),
    _book("spend that stays pending is marked", FOLD, "                mark_due([brand_id])\n", "", "test_due_brands"),
    _book(
        "only marks that were read are forgotten",
        MARKS,
        "[list_param(ids)]",
        "[list_param(range(max(ids) + 1))]",
        "test_due_brands",
    ),
    _book(
        "only days that no decision has seen are marked",
        BATCH,
        "WHERE day_from >= %s",
        "WHERE day_from >= 0 * %s",
        "test_quick",
    ),
    _book(
        "the next quarter-hour's day is marked",
        FOLD,
        "quarter_of(decided_at) + 1",
        "quarter_of(decided_at) + 2",
        "test_quick",
    ),
    _book(
        "a fold serves the others beside a brand that somebody deletes",
        FOLD,
        "            elif is_lock_timeout(error) and not self.in_caller:",
        "            elif False:",
        LOCKED,
        POSTGRESQL,
    ),
    _book(
        "a fold beside locks marks all that it moves",
        FOLD,
        "        yield from self.of_brands(pending - going - held).batches()\n",
        "        others = self.of_brands(pending - going - held)\n        others.mark_from = self.mark_from\n"
        "        yield from others.batches()\n",
        LOCKED,
        POSTGRESQL,
    ),
    _book(
        "brands that somebody deletes are told",
        FOLD,
        "        self.unfinished.locked_brands |= going\n",
        "",
        LOCKED,
        POSTGRESQL,
    ),
    _book(
        "a locked ledger ends no check",
        FOLD,
        "            if self.in_caller or not is_lock_timeout(error):\n                raise\n            self",
        "            raise\n            self",
        LOCKED,
        POSTGRESQL,
    ),
    _book(
        "brands that are too large hinder none beside a lock",
        FOLD,
        "        yield from self.of_brands(pending - going - held).batches()\n",
        "        yield from self.of_brands(pending - going - held).plain_batches()\n",
        LOCKED,
        POSTGRESQL,
    ),
    _book(
        "a brand that somebody deletes hinders none beside one that is too large",
        FOLD,
        "others.batches() if apart else others.plain_batches()",
        "others.plain_batches()",
        LOCKED,
        POSTGRESQL,
    ),
    _book(
        "a pass folds its part beside a brand that is too large",
        FOLD,
        "_Fold(brands, unfinished=self.unfinished, most_batches=self.most_batches)",
        "_Fold(brands, unfinished=self.unfinished)",
        "test_quick",
    ),
    # Re-booking
    _book(
        "a brand that is locked stops no re-booking of others",
        REBOOK,
        "            if is_lock_timeout(error):\n",
        "            if False:\n",
        BESIDE,
        POSTGRESQL,
    ),
    _book(
        "a brand that can't be re-booked stops nothing for the others",
        REBOOK,
        "                done.failed.add(change.brand_id)\n",
        "                raise\n",
        "test_rule_06_batches",
    ),
    _book(
        "a brand that can't be re-booked is left",
        REBOOK,
        "return self.locked | self.failed",
        "return set()",
        "test_rule_06_batches",
    ),
    _book(
        "what can't be re-booked is an error in the end",
        REBOOK,
        "            raise self.problem\n",
        "            pass\n",
        "test_rule_06_batches",
    ),
    _book(
        "a re-booking holds its brand",
        REBOOK,
        "        lock_brands([brand_id], by_job=not in_caller)\n",
        "        pass\n",
        BESIDE,
        POSTGRESQL,
    ),
    _book(
        "a re-booking reads again under the lock",
        REBOOK,
        "_rebook_alone(change.brand_id, clock, in_caller, wait=in_caller or waits < MOST_WAITS)",
        "_rebook(change, clock())",
        "test_concurrency",
    ),
    _book(
        "a re-booking closes in the old zone first",
        REBOOK,
        "    close_periods(now=now, brands=[change.brand_id])\n",
        "",
        "test_change_time_zone",
    ),
    _book(
        "a re-booking holds the ledger",
        REBOOK,
        "    take_ledger_lock()\n",
        "",
        f"{BESIDE} test_change_time_zone",
        POSTGRESQL,
    ),
    _book(
        "a re-booking counts anew",
        REBOOK,
        "    repair(TotalsRange((change.brand_id,), first_day, first_month))\n",
        "",
        REBOOKING,
    ),
    _book(
        "an unknown zone is left alone",
        REBOOK,
        "return [change for change in changes if find_zone(change.wanted) is not None]",
        "return list(changes)",
        "test_rule_06_bad_rows test_change_time_zone",
    ),
    _book(
        "closed periods stay as they were booked",
        REBOOK,
        "(open_day, open_month) if old else (FIRST_PERIOD, FIRST_PERIOD)",
        "(FIRST_PERIOD, FIRST_PERIOD)",
        REBOOKING,
    ),
    _book(
        "the earlier of both zones' days is open",
        REBOOK,
        "min(clock.today for clock in clocks)",
        "max(clock.today for clock in clocks)",
        "test_change_time_zone",
    ),
    _book(
        "the earlier of both zones' months is open",
        REBOOK,
        "min(clock.month for clock in clocks)",
        "max(clock.month for clock in clocks)",
        "test_change_time_zone",
    ),
    _book(
        "the old booking ends where the new begins",
        REBOOK,
        "    zones.filter(until__gt=first).update(until=first)\n",
        "",
        REBOOKING,
    ),
    _book(
        "open periods are open again",
        REBOOK,
        "        closed_at=None, spend_at_close=None, budget_at_close=None\n",
        "        kind=kind\n",
        REBOOKING,
    ),
    _book(
        "budgets count from the brand's creation on",
        REBOOK,
        "max(reopened_from, born) if opened else None",
        "reopened_from if opened else None",
        REBOOKING,
    ),
    _book("lost books are made anew", REBOOK, "(books IS NULL OR books <> 2 OR ", "(", "test_lost_time_zones"),
    _book(
        "a re-booking marks the days ahead anew",
        REBOOK,
        "    _mark_days(change.brand_id, new, open_day)\n",
        "",
        "test_due_brands",
    ),
    # Verification
    _book("a repair holds the ledger", VERIFY, "    take_ledger_lock()\n", "", f"{BESIDE} test_verify", POSTGRESQL),
    _book(
        "a repair is one transaction",
        VERIFY,
        "@transaction.atomic\n",
        "",
        "test_verify test_verify_spend_command test_concurrency",
    ),
    _book(
        "verification knows what is pending",
        VERIFY,
        "-amount FROM campaigns_pendingspend",
        "0 FROM campaigns_pendingspend",
        "test_verify",
    ),
    _book(
        "verification knows what is folded of campaigns",
        VERIFY,
        "SELECT campaign_id, day, -spend,",
        "SELECT campaign_id, day, 0,",
        "test_verify",
    ),
    _book(
        "verification knows what is folded of brands",
        VERIFY,
        "SELECT brand_id, kind, starts_on, -spend,",
        "SELECT brand_id, kind, starts_on, 0,",
        "test_verify",
    ),
    _book("verification looks two days further", VERIFY, "timedelta(days=2)", "timedelta(days=0)", "test_verify"),
)
