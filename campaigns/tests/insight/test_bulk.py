"""Changing many rows at once: what each value becomes, what a preview says, and what a confirmation does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import SimpleTestCase, TestCase
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Brand, BrandAssignment, Campaign, DaypartingSchedule, SettingChange, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.bulk.change_many import Applied, Preview, apply_bulk, preview_bulk
from campaigns.services.bulk.operations import (
    Adjustment,
    ApplySchedule,
    ChangeLimit,
    Operation,
    OperationRefused,
    Owner,
    SwitchTo,
    fingerprint,
    operation_of,
)
from campaigns.services.bulk.schedules import (
    ALWAYS,
    BUSINESS_HOURS,
    EVENINGS,
    WEEKENDS,
    WindowValue,
    format_schedule,
    schedule_of,
)
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.scope import Scope
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, recorded_changes, spend, utc
from campaigns.tests.support.outside import POSTGRESQL

NOON = utc("2026-11-20 12:00")  # a Friday
LIMIT = "daily_spend_limit"


def at_noon() -> datetime:
    return NOON


def limit(how: Adjustment, amount: str = "0") -> ChangeLimit:
    return ChangeLimit(LIMIT, how, Decimal(amount))


class WhatBecomesOfAnAmount(SimpleTestCase):
    def assert_becomes(self, how: Adjustment, amount: str, before: str | None, after: str | None) -> None:
        become = limit(how, amount).after(None if before is None else Decimal(before), "EUR")
        self.assertEqual(become, None if after is None else Decimal(after))

    def assert_refused(self, how: Adjustment, amount: str, before: str | None, sentence: str) -> None:
        with self.assertRaises(OperationRefused) as caught:
            limit(how, amount).after(None if before is None else Decimal(before), "EUR")
        self.assertEqual(str(caught.exception), sentence)

    def test_it_is_set_raised_lowered_or_removed(self) -> None:
        self.assert_becomes(Adjustment.SET, "12.5", None, "12.5")
        self.assert_becomes(Adjustment.SET, "0", "7", "0")
        self.assert_becomes(Adjustment.RAISE, "0.000001", "10", "10.000001")
        self.assert_becomes(Adjustment.LOWER, "10", "10", "0")
        self.assert_becomes(Adjustment.RAISE_PERCENT, "10", "200", "220")
        self.assert_becomes(Adjustment.LOWER_PERCENT, "100", "33.33", "0")
        self.assert_becomes(Adjustment.REMOVE, "0", "5", None)
        self.assert_becomes(Adjustment.REMOVE, "0", None, None)

    def test_percents_are_exact_and_rounded_to_six_places(self) -> None:
        self.assert_becomes(Adjustment.RAISE_PERCENT, "10", "33.33", "36.663")
        self.assert_becomes(Adjustment.RAISE_PERCENT, "33.333333", "0.000003", "0.000004")
        self.assert_becomes(Adjustment.LOWER_PERCENT, "50", "0.000003", "0.000002")
        self.assert_becomes(Adjustment.RAISE_PERCENT, "0.000001", "99999998", "99999999")
        self.assert_becomes(Adjustment.LOWER_PERCENT, "0.000001", "123456789.123456", "123456787.888888")

    def test_what_has_no_limit_has_nothing_to_raise_or_lower(self) -> None:
        for how in (Adjustment.RAISE, Adjustment.RAISE_PERCENT):
            self.assert_refused(how, "10", None, "No daily spend limit to raise.")
        self.assert_refused(Adjustment.LOWER, "10", None, "No daily spend limit to lower.")

    def test_it_stays_in_range_on_both_sides(self) -> None:
        sentence = "100.00 − 100.000001 EUR is below 0, the minimum of a budget or limit."
        self.assert_refused(Adjustment.LOWER, "100.000001", "100", sentence)
        self.assert_becomes(Adjustment.RAISE, "0.999999", "999999999", "999999999.999999")
        sentence = "999,999,999.00 + 1.00 EUR is too large: a budget or limit must be below 1,000,000,000."
        self.assert_refused(Adjustment.RAISE, "1", "999999999", sentence)
        sentence = "500,000,000.00 + 500,000,000.00 EUR is too large: a budget or limit must be below 1,000,000,000."
        self.assert_refused(Adjustment.RAISE_PERCENT, "100", "500000000", sentence)

    @given(st.sampled_from(Adjustment), st.decimals(0, 999_999_999, places=6), st.decimals(0, 999_999_999, places=6))
    def test_it_is_refused_or_has_six_places_and_is_in_range(
        self, how: Adjustment, amount: Decimal, before: Decimal
    ) -> None:
        try:
            after = ChangeLimit(LIMIT, how, amount).after(before, "EUR")
        except OperationRefused:
            return
        if after is not None:
            self.assertEqual(after, round(after, 6))
            self.assertTrue(0 <= after < 10**9)

    def test_an_operation_survives_being_posted(self) -> None:
        operations: list[Operation] = [
            SwitchTo(True),
            SwitchTo(False),
            limit(Adjustment.RAISE_PERCENT, "12.5"),
            ApplySchedule(ALWAYS),
            ApplySchedule(BUSINESS_HOURS + EVENINGS),
        ]
        for operation in operations:
            self.assertEqual(operation_of(operation.as_data()), operation)

    def test_a_fingerprint_knows_an_amount_whatever_its_zeros(self) -> None:
        self.assertEqual(fingerprint(Decimal("12.5")), fingerprint(Decimal("12.500000")))
        different = {fingerprint(value) for value in (None, Decimal(0), Decimal("0.000001"), True, False, ALWAYS)}
        self.assertEqual(len(different), 6)


class BulkTestCase(TestCase):
    person: User

    def setUp(self) -> None:
        self.person = User.objects.create(username="amara", is_superuser=True)

    def preview(self, operation: Operation, *rows: Any, model: Owner = Campaign) -> Preview:
        return preview_bulk(operation, model, [row.pk for row in rows], person=self.person, clock=at_noon)

    def apply(self, operation: Operation, shown: Preview, model: Owner = Campaign) -> Applied:
        return apply_bulk(operation, model, shown.fingerprints, person=self.person, clock=at_noon)

    def reasons(self, rows: Iterable[Campaign]) -> list[PauseReason]:
        return [Campaign.objects.get(pk=row.pk).reasons for row in rows]


class Previews(BulkTestCase):
    def test_it_says_what_becomes_of_each_row_and_writes_nothing(self) -> None:
        brand = make_brand(name="Alpine")
        rows = [make_campaign(brand, name=str(n), daily_spend_limit=n or None) for n in range(3)]
        preview = self.preview(limit(Adjustment.LOWER, "1.5"), *rows)
        self.assertEqual([(row.name, row.after) for row in preview.changing], [("2", Decimal("0.5"))])
        self.assertEqual([row.name for row in preview.refused], ["0", "1"])
        self.assertEqual([c.daily_spend_limit for c in Campaign.objects.order_by("pk")], [None, 1, 2])
        self.assertEqual((StatusChange.objects.count(), SettingChange.objects.count()), (0, 0))

    def test_it_says_what_then_happens_to_statuses(self) -> None:
        brand = make_brand(timezone="Europe/Paris")
        busy, idle, waiting = (make_campaign(brand, daily_spend_limit=100) for _ in range(3))
        spend(busy, 60, NOON)
        spend(waiting, 100, NOON)
        enforce(Scope.everything(), clock=at_noon, actor="test")
        for operation in (
            limit(Adjustment.LOWER_PERCENT, "50"),
            limit(Adjustment.RAISE, "1"),
            limit(Adjustment.SET, "0"),
            SwitchTo(False),
            ApplySchedule(WEEKENDS),
            ApplySchedule(BUSINESS_HOURS),
        ):
            with self.subTest(operation):
                shown = self.preview(operation, busy, idle, waiting)
                expected = {change.campaign_id: change.after for change in shown.effects.changes}
                before = dict(Campaign.objects.values_list("pk", "pause_reasons"))
                applied = self.apply(operation, shown)
                after = dict(Campaign.objects.values_list("pk", "pause_reasons"))
                self.assertEqual({pk: after[pk] for pk in after if after[pk] != before[pk]}, expected)
                message = (applied.enforced.paused, applied.enforced.resumed)
                self.assertEqual(message, (shown.effects.paused, shown.effects.resumed))

    def test_it_covers_the_campaigns_of_a_brand(self) -> None:
        brand = make_brand(daily_budget=100)
        spend(make_campaign(brand), 60, NOON)
        make_campaign(brand)
        shown = self.preview(ChangeLimit("daily_budget", Adjustment.SET, Decimal(60)), brand, model=Brand)
        self.assertEqual((shown.effects.paused, shown.effects.resumed), (2, 0))
        applied = self.apply(ChangeLimit("daily_budget", Adjustment.SET, Decimal(60)), shown, model=Brand)
        self.assertEqual(applied.enforced.paused, 2)

    def test_it_names_a_zone_that_nobody_knows(self) -> None:
        shown = self.preview(SwitchTo(False), make_campaign(make_brand(timezone="Mars/Olympus")))
        self.assertEqual(shown.effects.unknown_zones, ["Mars/Olympus"])


class Confirmations(BulkTestCase):
    def test_it_writes_the_one_column_and_an_entry_in_the_log_a_row(self) -> None:
        one, two = make_campaign(daily_spend_limit=100), make_campaign(daily_spend_limit="33.33")
        operation = limit(Adjustment.RAISE_PERCENT, "10")
        shown = self.preview(operation, one, two)
        Campaign.objects.filter(pk=one.pk).update(name="Renamed", starts_on="2026-01-01")
        self.apply(operation, shown)
        one.refresh_from_db()
        two.refresh_from_db()
        self.assertEqual((one.daily_spend_limit, two.daily_spend_limit), (Decimal(110), Decimal("36.663")))
        self.assertEqual((one.name, str(one.starts_on)), ("Renamed", "2026-01-01"))
        changes = recorded_changes(actor=self.person.get_username(), channel="bulk")
        self.assertCountEqual(
            changes,
            [
                "Renamed: daily spend limit, 100.00 USD → 110.00 USD",
                f"{two.name}: daily spend limit, 33.33 USD → 36.663 USD",
            ],
        )
        self.assertEqual(SettingChange.objects.values("operation").distinct().count(), 1)

    def test_what_somebody_else_changed_meanwhile_is_refused_in_a_sentence(self) -> None:
        one, two = make_campaign(daily_spend_limit=100), make_campaign(name="Search", daily_spend_limit=100)
        operation = limit(Adjustment.RAISE_PERCENT, "10")
        shown = self.preview(operation, one, two)
        Campaign.objects.filter(pk=two.pk).update(daily_spend_limit=500)
        applied = self.apply(operation, shown)
        self.assertEqual([row.pk for row in applied.changed], [one.pk])
        sentence = "Skipped “Search”: someone changed its daily spend limit to “500.00 USD” after the preview."
        self.assertEqual(applied.refused, [sentence])
        two.refresh_from_db()
        self.assertEqual(two.daily_spend_limit, 500)

    def test_what_somebody_else_made_so_meanwhile_is_so_already(self) -> None:
        campaign = make_campaign()
        shown = self.preview(SwitchTo(False), campaign)
        Campaign.objects.update(enabled=False)
        applied = self.apply(SwitchTo(False), shown)
        self.assertEqual((applied.changed, applied.unchanged, applied.refused), ([], 1, []))
        self.assertEqual(SettingChange.objects.count(), 0)

    def test_what_was_not_shown_as_changing_is_not_changed(self) -> None:
        campaign = make_campaign(enabled=False)
        shown = self.preview(SwitchTo(False), campaign)
        Campaign.objects.update(enabled=True)
        self.apply(SwitchTo(False), shown)
        self.assertTrue(Campaign.objects.get().enabled)

    def test_what_was_deleted_meanwhile_is_counted(self) -> None:
        shown = self.preview(SwitchTo(False), make_campaign(), make_campaign())
        Campaign.objects.all()[0].delete()
        applied = self.apply(SwitchTo(False), shown)
        self.assertEqual(applied.refused, ["1 previewed row no longer exists."])
        self.assertEqual(len(applied.changed), 1)

    def test_a_schedule_keeps_the_windows_that_stay(self) -> None:
        campaign = make_campaign()
        kept = make_window(campaign, 31, "09:00", "18:00")
        make_window(campaign, 96, "10:00", "12:00")
        schedule = (*BUSINESS_HOURS, WindowValue(64, "22:00", "02:00"))
        operation = ApplySchedule(tuple(sorted(schedule)))
        self.apply(operation, self.preview(operation, campaign))
        windows = DaypartingSchedule.objects.all()
        self.assertEqual(schedule_of(windows), operation.schedule)
        self.assertIn(kept.pk, [window.pk for window in windows])
        self.assertEqual(self.preview(operation, campaign).changing, [])
        (said,) = recorded_changes()
        self.assertIn("→ Mon–Fri 09:00–18:00, Sun 22:00–02:00", said)
        self.apply(ApplySchedule(ALWAYS), self.preview(ApplySchedule(ALWAYS), campaign))
        self.assertFalse(DaypartingSchedule.objects.exists())

    def test_a_whole_day_is_told_as_one(self) -> None:
        weekend = make_window(make_campaign(), 96, "00:00", "00:00")
        self.assertEqual((str(weekend), format_schedule(WEEKENDS)), ("Sat, Sun all day", "Sat, Sun all day"))
        self.assertEqual(format_schedule((WindowValue(1, "18:00", "00:00"),)), "Mon 18:00–00:00")

    def test_a_schedule_that_changed_meanwhile_is_left(self) -> None:
        campaign = make_campaign()
        shown = self.preview(ApplySchedule(WEEKENDS), campaign)
        make_window(campaign, 1, "09:00", "10:00")
        applied = self.apply(ApplySchedule(WEEKENDS), shown)
        self.assertIn("changed its schedule to “Mon 09:00–10:00”", applied.refused[0])


class SomebodyWhoSeesOnlyGivenBrands(BulkTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.own, self.other = make_campaign(make_brand(name="Own")), make_campaign(make_brand(name="Other"))
        self.person = User.objects.create(username="limited")
        self.person.user_permissions.add(Permission.objects.get(codename="only_assigned_brands"))
        BrandAssignment.objects.create(user=self.person, brand=self.own.brand)

    def test_other_rows_are_neither_shown_nor_changed(self) -> None:
        shown = self.preview(SwitchTo(False), self.own, self.other)
        self.assertEqual([row.pk for row in shown.rows], [self.own.pk])
        forged = {self.other.pk: fingerprint(True)}
        applied = apply_bulk(SwitchTo(False), Campaign, forged, person=self.person, clock=at_noon)
        self.assertEqual((applied.changed, applied.refused), ([], ["1 previewed row no longer exists."]))
        brands = self.preview(SwitchTo(False), self.own.brand, self.other.brand, model=Brand)
        self.assertEqual([row.name for row in brands.rows], ["Own"])
        self.assertTrue(Campaign.objects.get(pk=self.other.pk).enabled)


class AThousandRows(BulkTestCase):
    """What it costs doesn't grow with each row."""

    def statements(self, count: int, operation: Operation) -> tuple[int, int]:
        brand = make_brand()
        Campaign.objects.bulk_create(Campaign(brand=brand, name=str(n), daily_spend_limit=n + 1) for n in range(count))
        rows = list(brand.campaigns.all())
        with CaptureQueriesContext(connection) as previewing:
            shown = self.preview(operation, *rows)
        with CaptureQueriesContext(connection) as applying:
            self.assertEqual(len(self.apply(operation, shown).changed), count)
        return len(previewing), len(applying)

    def test_it_takes_as_many_statements_for_a_thousand_rows_as_for_ten(self) -> None:
        for operation in (SwitchTo(False), limit(Adjustment.RAISE_PERCENT, "10"), ApplySchedule(BUSINESS_HOURS)):
            with self.subTest(operation):
                self.statements(10, operation)  # what is looked up once and remembered
                few, many = self.statements(10, operation), self.statements(1_000, operation)
                # SQLite takes fewer parameters in a statement, so it gets windows and log in several.
                allowed = 0 if POSTGRESQL else 20
                self.assertLessEqual(many[0] - few[0], allowed)
                self.assertLessEqual(many[1] - few[1], allowed)
