"""R6: jobs, people and writers at the same moment end in the state that one run after all of them gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from unittest.mock import patch

from django.db import transaction

from campaigns.database.connection import take_ledger_lock
from campaigns.models import AccountingTimeZone, Brand, BrandPeriod, Campaign, SpendRecord, StatusChange
from campaigns.models.periods import LAST_PERIOD
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement import enforce as enforcement
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.enforcement.status_changes import ChangeCounts
from campaigns.services.jobs.full_check import full_check, run_full_check
from campaigns.services.ledger import change_time_zone as rebook
from campaigns.services.ledger.close_periods import _Closing, close_periods
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import verify
from campaigns.services.scope import Scope
from campaigns.tests.support.checking import ACTIVE, check_at, enforce_at, history, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import change_brand
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase
from campaigns.tests.support.together import ConcurrencyTestCase, Crew, at_once, let_in, pause

NOON = utc("2026-11-20 12:00")


def write_spend(campaigns: list[Campaign], seed: int, statements: int = 80) -> None:
    """Insert, update and delete at random, a few rows in each statement."""
    random = Random(seed)
    for _ in range(statements):
        what = random.random()
        mine = SpendRecord.objects.filter(external_id__startswith=f"{seed}-")
        if what < 0.7:
            SpendRecord.objects.bulk_create(make_record(random, seed, random.choice(campaigns)) for _ in range(5))
        elif what < 0.85:
            mine.filter(pk__in=list(mine.values_list("pk", flat=True)[:3])).update(
                timestamp=NOON + timedelta(minutes=random.randint(-3000, 3000))
            )
        else:
            mine.filter(pk__in=list(mine.values_list("pk", flat=True)[:2])).delete()


def make_record(random: Random, seed: int, campaign: Campaign) -> SpendRecord:
    return SpendRecord(
        brand_id=campaign.brand_id,
        campaign=campaign,
        amount=random.choice([-1, 1, 3, 10]),
        timestamp=NOON + timedelta(minutes=random.randint(-3000, 3000)),
        external_id=f"{seed}-{random.getrandbits(60)}",
    )


class WritersBesideJobs(ConcurrencyTestCase):
    def setUp(self) -> None:
        super().setUp()
        zones = ("UTC", "Pacific/Kiritimati", "America/New_York")
        self.brands = [make_brand(timezone=zone, daily_budget=40, created_at=NOON) for zone in zones]
        self.campaigns = [make_campaign(brand, daily_spend_limit=20) for brand in self.brands for _ in range(2)]

    def run_beside_writers(self, *jobs: Callable[[], object], writers: int = 2) -> None:
        """Run writers, and the jobs again and again until the writers are done."""
        crew = Crew()
        writing = [crew.start(lambda n=n: write_spend(self.campaigns, n)) for n in range(writers)]  # type: ignore[misc]

        def until_written(job: Callable[[], object]) -> None:
            job()
            while any(thread.is_alive() for thread in writing):
                pause(0.03)  # SQLite has no queue: who asks again and again would leave the writers out
                job()

        for job in jobs:
            crew.start(lambda job=job: until_written(job))  # type: ignore[misc]
        crew.finish()
        self.assertGreater(SpendRecord.objects.count(), 100)
        self.assert_exact()

    def test_it_counts_exactly_beside_folds_and_checks(self) -> None:
        self.run_beside_writers(fold, lambda: run_full_check("check_budgets", clock=lambda: NOON))
        enforce_at(NOON)
        lines = StatusChange.objects.count()
        check_at(NOON)
        self.assertEqual(StatusChange.objects.count(), lines)

    def test_it_counts_exactly_beside_two_checks_whose_clocks_differ(self) -> None:
        later = NOON + timedelta(days=1)
        self.run_beside_writers(
            lambda: full_check("one", clock=lambda: NOON), lambda: full_check("two", clock=lambda: later)
        )

    def test_it_finds_no_difference_beside_folds(self) -> None:
        for day in range(-4, 5):  # no day is new to the totals, see the next class
            spend(self.campaigns[0], 1, NOON + timedelta(days=day))
        self.run_beside_writers(fold, lambda: self.assertEqual(verify(), []))

    def test_it_counts_exactly_beside_people_who_change_zones_and_budgets(self) -> None:
        random = Random(1)

        def change() -> None:
            zone = random.choice(["UTC", "Pacific/Pago_Pago", "Asia/Kathmandu"])
            budget = random.randint(0, 60)
            change_brand(random.choice(self.brands), NOON, timezone=zone, daily_budget=budget)

        self.run_beside_writers(change, lambda: full_check("test", clock=lambda: NOON))
        lines = StatusChange.objects.count()
        check_at(NOON)
        check_at(NOON)
        self.assertLessEqual(StatusChange.objects.count(), lines + len(self.campaigns))
        self.assert_history_is_unbroken()

    def assert_history_is_unbroken(self) -> None:
        """R13: each line begins where the one before it ended."""
        for campaign in self.campaigns:
            before = ACTIVE
            for line in history(campaign):
                self.assertEqual(line[0], before)
                before = line[1]
            self.assertEqual(reasons_of(campaign), before)


class TwoJobsAtOnce(ConcurrencyTestCase):
    def test_it_writes_one_line_for_a_change(self) -> None:
        """R13, though two workers decided the same."""
        brands = [make_brand(enabled=False) for _ in range(10)]
        campaigns = [make_campaign(brand) for brand in brands for _ in range(2)]
        changed: list[int] = []
        with patch.object(enforcement, "BATCH_CAMPAIGNS", 4):
            at_once(*[lambda: changed.append(enforce_at(NOON).changed)] * 3)
        self.assertEqual(sum(changed), len(campaigns))
        self.assertEqual(StatusChange.objects.count(), len(campaigns))
        for campaign in campaigns:
            self.assertEqual(history(campaign), [(ACTIVE, PauseReason.BRAND_DISABLED)])

    def test_it_writes_one_line_though_both_had_decided(self) -> None:
        campaign = make_campaign(enabled=False)
        with let_in(enforcement, "brands_to_write", lambda: enforce_at(NOON), after=True):
            self.assertEqual(enforce_at(NOON).changed, 0)
        self.assertEqual(history(campaign), [(ACTIVE, PauseReason.CAMPAIGN_DISABLED)])

    def test_it_closes_each_period_once(self) -> None:
        brands = [make_brand(daily_budget=5, monthly_budget=50, created_at=utc("2026-11-11")) for _ in range(5)]
        for brand in brands:
            spend(make_campaign(brand), 7, "2026-11-12 12:00")
        closed: list[int] = []
        at_once(*[lambda: closed.append(close_periods(now=NOON))] * 3)
        self.assertEqual(sorted(closed), [0, 0, 9 * len(brands)])
        rows = BrandPeriod.objects.exclude(closed_at=None)
        self.assertEqual((rows.count(), rows.filter(spend_at_close=7).count()), (9 * len(brands), len(brands)))

    def test_it_closes_once_though_a_person_closes_meanwhile(self) -> None:
        brand = make_brand(daily_budget=5, created_at=utc("2026-11-19"))
        with let_in(_Closing, "due", lambda: change_brand(brand, NOON, daily_budget=9), after=True):
            self.assertEqual(close_periods(now=NOON), 0)
        self.assertEqual(BrandPeriod.objects.get().budget_at_close, 5)

    def test_it_re_books_into_the_zone_that_a_person_chose_meanwhile(self) -> None:
        brand = make_brand(created_at=NOON)
        Brand.objects.update(timezone="Asia/Tokyo")
        moves = let_in(rebook, "_changed_zones", lambda: change_brand(brand, NOON, timezone="Europe/Paris"), after=True)
        with moves:
            self.assertEqual(rebook.apply_zone_changes(clock=lambda: NOON).count, 0)
        current = AccountingTimeZone.objects.filter(until=LAST_PERIOD).values_list("timezone", flat=True)
        self.assertEqual(list(current), ["Europe/Paris"] * 2)

    def test_it_folds_each_row_once(self) -> None:
        campaign = make_campaign()
        for number in range(30):
            spend(campaign, number + 1, NOON - timedelta(hours=number))
        folded: list[int] = []
        at_once(*[lambda: folded.append(fold())] * 3)
        self.assertEqual(sum(folded), 30)
        self.assert_exact()


class ABatchIsOneTransaction(ConcurrencyTestCase):
    def test_it_leaves_neither_status_nor_history_where_a_batch_breaks_off(self) -> None:
        campaign = make_campaign(enabled=False)
        with (
            patch.object(enforcement, "count_changes", side_effect=InterruptedError),
            self.assertRaises(InterruptedError),
        ):
            enforce_at(NOON)
        self.assertEqual((reasons_of(campaign), history(campaign)), (ACTIVE, []))
        self.assertEqual(enforce_at(NOON).changed, 1)

    def test_it_keeps_the_batches_before_it(self) -> None:
        for _ in range(2):
            make_campaign(make_brand(enabled=False))
        counted = [ChangeCounts(1, 1, 0), InterruptedError()]
        with (
            patch.object(enforcement, "BATCH_CAMPAIGNS", 1),
            patch.object(enforcement, "count_changes", side_effect=counted),
            self.assertRaises(InterruptedError),
        ):
            enforce_at(NOON)
        self.assertEqual(
            [reasons_of(each) for each in Campaign.objects.order_by("brand")], [PauseReason.BRAND_DISABLED, ACTIVE]
        )

    def test_it_takes_the_ledger_lock_in_a_transaction_only(self) -> None:
        """Outside of one it would be let go of at once."""
        with self.assertRaisesMessage(RuntimeError, "the ledger lock needs a transaction"):
            take_ledger_lock()


class APersonInTheMiddleOfACheck(ConcurrencyTestCase):
    """The check has decided to resume; then a person switches off. It ends off and paused (R5, R6)."""

    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(daily_budget=10)
        self.campaign = make_campaign(self.brand)
        spend(self.campaign, 10, NOON)
        enforce_at(NOON)
        Brand.objects.update(daily_budget=20)
        self.assertEqual(reasons_of(self.campaign), PauseReason.BRAND_DAILY_BUDGET)

    def switch_off_campaign(self) -> None:
        with transaction.atomic():
            begin_change([self.brand.pk], clock=lambda: NOON)
            Campaign.objects.filter(pk=self.campaign.pk).update(enabled=False)
            finish_change(Scope.of_campaigns([self.campaign.pk]), clock=lambda: NOON, actor="amara")

    def switch_off_brand(self) -> None:
        change_brand(self.brand, NOON, enabled=False)

    def lower_budget(self) -> None:
        change_brand(self.brand, NOON, daily_budget=10)

    def assert_ends(self, reasons: PauseReason) -> None:
        self.assertEqual(reasons_of(self.campaign), reasons)
        self.assertEqual(enforce_at(NOON).changed, 0)
        self.assertEqual(Campaign.objects.get().enabled, PauseReason.CAMPAIGN_DISABLED not in reasons)
        self.assertEqual(Brand.objects.get().enabled, PauseReason.BRAND_DISABLED not in reasons)

    def check(self, person: Callable[[], object]) -> None:
        with let_in(enforcement, "brands_to_write", person, after=True):
            enforce_at(NOON)

    def test_it_ends_off_when_a_person_switches_the_campaign_off(self) -> None:
        self.check(self.switch_off_campaign)
        self.assert_ends(PauseReason.CAMPAIGN_DISABLED)

    def test_it_ends_off_when_a_person_switches_the_brand_off(self) -> None:
        self.check(self.switch_off_brand)
        self.assert_ends(PauseReason.BRAND_DISABLED)

    def test_it_ends_paused_when_a_person_lowers_the_budget_again(self) -> None:
        self.check(self.lower_budget)
        self.assert_ends(PauseReason.BRAND_DAILY_BUDGET)

    def test_it_ends_on_when_a_person_switches_on_what_the_check_pauses(self) -> None:
        Campaign.objects.update(enabled=False)
        enforce_at(NOON)
        Brand.objects.update(enabled=False)

        def switch_on() -> None:
            Campaign.objects.update(enabled=True)
            change_brand(self.brand, NOON, enabled=True)

        self.check(switch_on)
        self.assert_ends(ACTIVE)

    def test_it_counts_spend_that_arrives_between_deciding_and_writing(self) -> None:
        self.check(lambda: spend(self.campaign, 10, NOON))
        self.assert_ends(PauseReason.BRAND_DAILY_BUDGET)
        self.assertEqual(len(history(self.campaign)), 1)

    def test_it_has_its_own_line_of_history_for_each(self) -> None:
        self.check(self.switch_off_campaign)
        actors = StatusChange.objects.order_by("id").values_list("actor", flat=True)
        self.assertEqual(list(actors), ["test", "amara"])

    if POSTGRESQL:

        def test_it_ends_off_when_the_person_commits_just_before_the_check_locks(self) -> None:
            for person, reason in (
                (self.switch_off_campaign, PauseReason.CAMPAIGN_DISABLED),
                (self.switch_off_brand, PauseReason.CAMPAIGN_DISABLED | PauseReason.BRAND_DISABLED),
            ):
                Campaign.objects.update(pause_reasons=PauseReason.ENDED)  # so that the check has something to write
                with let_in(enforcement, "lock_free_brands", person):
                    enforce_at(NOON)
                self.assert_ends(reason)


if SQLITE:

    class AReader(OutsideTestCase):
        def test_it_keeps_no_writer_from_committing(self) -> None:
            campaign = make_campaign()
            self.run_sql("BEGIN")
            self.run_sql("SELECT COUNT(*) FROM campaigns_spendrecord")
            spend(campaign, 1, NOON)
            self.assertEqual(self.value("SELECT COUNT(*) FROM campaigns_spendrecord"), 0)
            self.run_sql("COMMIT")
            self.assertEqual(self.value("SELECT COUNT(*) FROM campaigns_spendrecord"), 1)


class APersonWhileRowsAreWritten(ConcurrencyTestCase):
    def test_it_never_fails_with_two_writers_a_check_and_a_person(self) -> None:
        """On SQLite this is "database is locked" where a transaction begins by reading."""
        campaigns = [make_campaign(make_brand(daily_budget=30)) for _ in range(2)]
        brand = campaigns[0].brand

        def person() -> None:
            for number in range(12):
                change_brand(brand, NOON, enabled=number % 2 == 0, daily_budget=number)

        def checks() -> None:
            for _ in range(6):
                full_check("test", clock=lambda: NOON)

        at_once(lambda: write_spend(campaigns, 1), lambda: write_spend(campaigns, 2), checks, person)
        self.assert_exact()
        check_at(NOON)
        self.assertIn(PauseReason.BRAND_DISABLED, reasons_of(campaigns[0]))
        self.assertFalse(Brand.objects.get(pk=brand.pk).enabled)
