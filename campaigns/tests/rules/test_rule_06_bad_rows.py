"""R6: one bad row (an unknown time zone, written by SQL) stops nothing for the others and is reported."""

from __future__ import annotations

import time_machine
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.database.connection import execute
from campaigns.models import Brand, BrandPeriod, Campaign, JobRun, PendingSpend
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.enforce import Change
from campaigns.services.jobs.full_check import full_check
from campaigns.services.scope import Scope
from campaigns.tasks import check_budgets
from campaigns.tests.support.checking import ACTIVE, brand_spent, campaign_spent, check_at, enforce_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOON = "2026-11-20 12:00"
NOWHERE = "Mars/Olympus"


def move_by_sql(brand: Brand, zone: str) -> None:
    execute("UPDATE campaigns_brand SET timezone = %s WHERE id = %s", [zone, brand.pk])


def make_lost_brand() -> Brand:
    """Insert a brand by SQL with an unknown time zone."""
    execute("INSERT INTO campaigns_brand (name, timezone) VALUES (%s, %s)", ["Lost", NOWHERE])
    return Brand.objects.get(name="Lost")


class AnUnknownZoneStopsNothingForTheOthers(TestCase):
    """R6."""

    def setUp(self) -> None:
        self.lost, self.good = make_campaign(daily_spend_limit=5), make_campaign(daily_spend_limit=5)
        move_by_sql(self.lost.brand, NOWHERE)
        for campaign in (self.lost, self.good):
            spend(campaign, 5, NOON)

    def test_it_enforces_the_others(self) -> None:
        result = check_at(NOON).enforcement
        self.assertEqual((result.changed, result.unknown_zones), (1, [NOWHERE]))
        self.assertEqual(reasons_of(self.good), PauseReason.CAMPAIGN_DAILY_LIMIT)

    def test_it_reports_each_zone_once_in_the_notes_of_the_run(self) -> None:
        move_by_sql(make_brand(), NOWHERE)
        move_by_sql(make_brand(), "Atlantis")
        with time_machine.travel(utc(NOON), tick=False), self.assertLogs("campaigns.tasks", "ERROR") as logged:
            check_budgets()
        self.assertIn("Unknown time zone 'Atlantis', 'Mars/Olympus'", logged.output[0])
        self.assertEqual(
            JobRun.objects.get().problem,
            "Unknown time zone 'Atlantis', 'Mars/Olympus': of the brands that have it, what is switched off"
            " pauses and nothing resumes until the brand's time zone is corrected in the admin.",
        )

    def test_it_reports_nothing_of_brands_outside_the_scope(self) -> None:
        self.assertEqual(enforce_at(NOON, Scope.of_campaigns([self.good.pk])).unknown_zones, [])
        self.assertEqual(enforce_at(NOON, Scope.of_brands([self.lost.brand_id])).unknown_zones, [NOWHERE])

    def test_it_closes_the_periods_of_the_others(self) -> None:
        check_at("2026-11-21 12:00")
        closed = BrandPeriod.objects.filter(closed_at__isnull=False, brand=self.good.brand_id)
        self.assertEqual([(row.kind, row.spend_at_close) for row in closed], [("day", 5)])

    def test_it_is_right_at_the_check_after_the_zone_is_corrected(self) -> None:
        check_at(NOON)
        move_by_sql(self.lost.brand, "America/New_York")
        self.assertEqual(check_at(NOON).enforcement.unknown_zones, [])
        self.assertEqual(reasons_of(self.lost), PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertEqual(campaign_spent(self.lost, NOON), 5)

    def test_it_annotates_no_spend_where_there_is_no_day(self) -> None:
        self.assertEqual(campaign_spent(self.lost, NOON), 0)
        self.assertEqual(brand_spent(self.good.brand, NOON), (5, 5))


class WithoutAKnownZoneTheSwitchesStillHold(TestCase):
    """R1 and R8: what people switch off is paused, whatever the zone; only dates, windows and spend need a calendar."""

    def setUp(self) -> None:
        self.lost = make_campaign(daily_spend_limit=5)
        spend(self.lost, 5, NOON)
        check_at(NOON)
        move_by_sql(self.lost.brand, NOWHERE)

    def test_it_pauses_what_people_switch_off(self) -> None:
        campaign = make_campaign(self.lost.brand, enabled=False)
        check_at(NOON)
        self.assertEqual(reasons_of(campaign), PauseReason.CAMPAIGN_DISABLED)
        Brand.objects.update(enabled=False)
        check_at(NOON)
        self.assertEqual(reasons_of(campaign), PauseReason.CAMPAIGN_DISABLED | PauseReason.BRAND_DISABLED)

    def test_it_keeps_the_other_reasons_as_they_were(self) -> None:
        check_at("2026-11-21 12:00")
        self.assertEqual(reasons_of(self.lost), PauseReason.CAMPAIGN_DAILY_LIMIT)


class ABrandThatNeverHadAKnownZone(TestCase):
    """R6: its spend waits, and nothing else waits for it."""

    def setUp(self) -> None:
        self.brand = make_lost_brand()
        self.lost, self.good = make_campaign(self.brand, daily_spend_limit=5), make_campaign(daily_spend_limit=5)
        spend(self.lost, 5, NOON)
        spend(self.good, 5, NOON)

    def test_it_folds_what_can_be_booked_and_leaves_the_rest_pending(self) -> None:
        self.assertEqual(check_at(NOON).folded, 1)
        self.assertEqual(PendingSpend.objects.get().campaign_id, self.lost.pk)
        self.assertEqual(reasons_of(self.good), PauseReason.CAMPAIGN_DAILY_LIMIT)

    def test_it_counts_what_waited_once_the_zone_is_known(self) -> None:
        check_at(NOON)
        move_by_sql(self.brand, "Asia/Kathmandu")
        check_at(NOON)
        self.assertEqual(reasons_of(self.lost), PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertEqual(brand_spent(self.brand, NOON), (5, 5))
        self.assertEqual(PendingSpend.objects.count(), 0)


class OddNamesOfZones(TestCase):
    """R6: names that are no zone, in every way that a name can be wrong."""

    def test_it_reports_them_all_and_goes_on(self) -> None:
        names = ["", " UTC", "../../etc/passwd", "Europe", "utc+1", "Europe/Atlantis", "Zürich", "localtime", "Factory"]
        for name in names:
            campaign = make_campaign()
            move_by_sql(campaign.brand, name)
        good = make_campaign(enabled=False)
        self.assertEqual(check_at(NOON).enforcement.unknown_zones, sorted(names))
        self.assertEqual(reasons_of(good), PauseReason.CAMPAIGN_DISABLED)
        self.assertEqual(Campaign.objects.filter(pause_reasons=int(ACTIVE)).count(), len(names))


class TextsThatAreNoText(TestCase):
    """R6: bytes that are no UTF-8. SQLite takes them, PostgreSQL refuses them."""

    def setUp(self) -> None:
        self.good = make_campaign(enabled=False)
        self.campaigns = {column: make_campaign(name=f"{column}") for column in ("timezone", "currency", "name")}
        self.campaigns["campaign"] = make_campaign(enabled=False)

    def break_them(self) -> None:
        for column in ("timezone", "currency", "name"):
            brand = self.campaigns[column].brand_id
            execute(f"UPDATE campaigns_brand SET {column} = CAST(x'ff41fe' AS text) WHERE id = %s", [brand])
        campaign = self.campaigns["campaign"].pk
        execute("UPDATE campaigns_campaign SET name = CAST(x'ff41fe' AS text) WHERE id = %s", [campaign])

    def test_a_check_goes_on(self) -> None:
        if connection.vendor == "postgresql":
            with self.assertRaises(DatabaseError), transaction.atomic():
                self.break_them()
            return
        self.break_them()
        changes: list[Change] = []
        check = full_check("test", clock=lambda: utc(NOON), on_changes=changes.extend)
        self.assertEqual(check.enforcement.unknown_zones, ["�A�"])
        self.assertEqual({change.campaign_id for change in changes}, {self.good.pk, self.campaigns["campaign"].pk})
        self.assertIn("�A�", {change.campaign for change in changes})
        self.assertEqual([str(brand) for brand in Brand.objects.filter(name="name")], [])

    def test_pages_show_them(self) -> None:
        if connection.vendor == "sqlite":
            self.break_them()
        self.client.force_login(User.objects.create_superuser("amara"))
        for model in ("brand", "campaign"):
            response = self.client.get(reverse(f"admin:campaigns_{model}_changelist"))
            self.assertContains(response, "�A�" if connection.vendor == "sqlite" else self.good.brand.name)


class ChecksWithNothingToDo(TestCase):
    """R6: one statement decides for all campaigns."""

    def test_it_takes_as_many_statements_for_300_campaigns_as_for_3(self) -> None:
        self.make_brands(1)
        few = self.statements()
        self.make_brands(99)
        with self.assertNumQueries(few):
            check_at(NOON)
        self.assertLess(few, 15)

    def make_brands(self, count: int) -> None:
        for _ in range(count):
            brand = make_brand(daily_budget=10, timezone="Europe/London")
            for campaign in (make_campaign(brand), make_campaign(brand, daily_spend_limit=1), make_campaign(brand)):
                spend(campaign, 1, NOON)
        check_at(NOON)

    def statements(self) -> int:
        with CaptureQueriesContext(connection) as captured:
            check_at(NOON)
        return len(captured)
