"""The templates of docs/connect, as they stand, over what each pipeline leaves in the database."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from campaigns.models import CampaignLink, PlatformAccount, SpendTotal
from campaigns.tests.connect.warehouses import ACCOUNT, WAREHOUSES, Warehouse
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase

TEMPLATES = settings.BASE_DIR / "docs" / "connect"
SEND = (TEMPLATES / "send.sql").read_text()

SEARCH, VIDEO = 111, 222

if POSTGRESQL:

    class TemplatesTestCase(OutsideTestCase):
        """Each test runs over the tables of each pipeline."""

        def setUp(self) -> None:
            super().setUp()
            self.now = timezone.now().replace(microsecond=0)
            self.day = self.now.date() - timedelta(days=1)
            self.role = f"budget_test_{os.getpid()}"
            call_command("connector_role", self.role, "--totals", "--apply", stdout=StringIO())
            self.addCleanup(self.run_sql, f"DROP OWNED BY {self.role}; DROP ROLE {self.role}")

        def over_each(self, test: Callable[[Warehouse], None]) -> None:
            for kind in WAREHOUSES:
                with self.subTest(kind=kind.__name__):
                    PlatformAccount.objects.all().delete()
                    SpendTotal.objects.all().delete()
                    warehouse = kind(self.run_sql)
                    try:
                        self.set_up(warehouse)
                        test(warehouse)
                    finally:
                        self.run_sql(f"DROP SCHEMA {kind.schema} CASCADE")
                        self.run_sql("SET search_path = public")

        def set_up(self, warehouse: Warehouse) -> None:
            """Let a first sync bring one account and two campaigns, each with two segments of yesterday."""
            at = self.at(-60)
            warehouse.account(name="Acme", currency="USD", zone="America/New_York", at=at)
            warehouse.campaign(SEARCH, "Search", at)
            warehouse.campaign(VIDEO, "Video", at)
            one, other = warehouse.segments
            warehouse.spend(SEARCH, self.day, one, Decimal("10.10"), at)
            warehouse.spend(SEARCH, self.day, other, Decimal("0.2"), at)
            warehouse.spend(VIDEO, self.day, one, Decimal("3.333333"), at)
            template = (TEMPLATES / warehouse.template).read_text()
            self.run_script(template.replace("TO connector;", f"TO {self.role};"))
            self.send(warehouse)

        def at(self, minutes: int) -> datetime:
            return self.now + timedelta(minutes=minutes)

        def run_script(self, sql: str) -> None:
            """Run a file as psql does with --single-transaction."""
            self.run_sql("BEGIN")
            try:
                self.run_sql(sql)
            except BaseException:
                self.run_sql("ROLLBACK")
                raise
            self.run_sql("COMMIT")

        def send(self, warehouse: Warehouse) -> None:
            """Run send.sql as the connector's role, which may do nothing else."""
            self.run_sql(f"SET search_path = {warehouse.schema}, public; SET ROLE {self.role}")
            try:
                self.run_script(SEND)
            finally:
                self.run_sql("RESET ROLE; SET search_path = public")

        def totals(self) -> dict[tuple[str, date], Decimal]:
            return {(each.campaign, each.day): each.total for each in SpendTotal.objects.order_by("campaign", "day")}

        def rows(self) -> list[Any]:
            """Return the place of each row: one that is written again gets another."""
            return self.run_sql("SELECT ctid, xmin FROM campaigns_spendtotal ORDER BY id")

    class TemplateTests(TemplatesTestCase):
        def test_segments_are_summed_and_accounts_and_campaigns_named(self) -> None:
            def test(warehouse: Warehouse) -> None:
                wanted = {
                    (str(SEARCH), self.day): Decimal("10.3"),
                    (str(VIDEO), self.day): Decimal("3.333333"),
                }
                self.assertEqual(self.totals(), wanted)
                account = PlatformAccount.objects.get()
                self.assertEqual((account.source, account.external_id), (warehouse.source, ACCOUNT))
                self.assertEqual(
                    (account.name, account.currency, account.timezone), ("Acme", "USD", "America/New_York")
                )
                self.assertEqual(account.reported_until, self.at(-60))
                names = set(CampaignLink.objects.values_list("external_id", "name"))
                self.assertEqual(names, {(str(SEARCH), "Search"), (str(VIDEO), "Video")})

            self.over_each(test)

        def test_a_second_run_writes_nothing(self) -> None:
            def test(warehouse: Warehouse) -> None:
                before = self.rows()
                self.send(warehouse)
                self.assertEqual(self.rows(), before)

            self.over_each(test)

        def test_a_restated_segment_changes_its_day_only(self) -> None:
            def test(warehouse: Warehouse) -> None:
                warehouse.spend(SEARCH, self.day, warehouse.segments[0], Decimal("9.10"), self.at(-10))
                self.send(warehouse)
                self.assertEqual(self.totals()[str(SEARCH), self.day], Decimal("9.3"))
                self.assertEqual(self.totals()[str(VIDEO), self.day], Decimal("3.333333"))
                self.assertEqual(PlatformAccount.objects.get().reported_until, self.at(-10))
                self.assertEqual(SpendTotal.objects.get(campaign=SEARCH).as_of, self.at(-10))

            self.over_each(test)

        def test_a_campaign_that_vanishes_is_0_after_a_sync_that_brought_others(self) -> None:
            def test(warehouse: Warehouse) -> None:
                warehouse.vanish(VIDEO, self.day)
                self.send(warehouse)
                self.assertEqual(self.totals()[str(VIDEO), self.day], Decimal("3.333333"))
                warehouse.spend(SEARCH, self.day, warehouse.segments[0], Decimal("10.10"), self.at(-10))
                self.send(warehouse)
                self.assertEqual(self.totals()[str(VIDEO), self.day], 0)
                self.assertEqual(self.totals()[str(SEARCH), self.day], Decimal("10.3"))

            self.over_each(test)

        def test_an_empty_sync_takes_nothing_back(self) -> None:
            def test(warehouse: Warehouse) -> None:
                before = self.totals()
                for campaign in (SEARCH, VIDEO):
                    warehouse.vanish(campaign, self.day)
                self.send(warehouse)
                self.assertEqual(self.totals(), before)
                self.assertEqual(PlatformAccount.objects.get().reported_until, self.at(-60))

            self.over_each(test)

        def test_days_before_those_that_are_read_stay(self) -> None:
            def test(warehouse: Warehouse) -> None:
                old = self.day - timedelta(days=40)
                SpendTotal.objects.create(
                    source=warehouse.source, account=ACCOUNT, campaign=str(VIDEO), day=old, total=5, as_of=self.at(-90)
                )
                warehouse.spend(SEARCH, old, warehouse.segments[0], Decimal(7), self.at(-10))
                self.send(warehouse)
                self.assertEqual(self.totals()[str(VIDEO), old], 5)
                self.assertNotIn((str(SEARCH), old), self.totals())

            self.over_each(test)

        def test_a_renamed_campaign_keeps_its_link(self) -> None:
            def test(warehouse: Warehouse) -> None:
                (link,) = CampaignLink.objects.filter(external_id=str(SEARCH))
                warehouse.campaign(SEARCH, "Search, renamed", self.at(-10))
                warehouse.spend(SEARCH, self.day, warehouse.segments[0], Decimal(11), self.at(-10))
                self.send(warehouse)
                renamed = CampaignLink.objects.get(external_id=str(SEARCH))
                self.assertEqual((renamed.pk, renamed.name), (link.pk, "Search, renamed"))

            self.over_each(test)

        def test_another_currency_and_zone_are_the_accounts(self) -> None:
            def test(warehouse: Warehouse) -> None:
                if not warehouse.has_accounts:
                    return
                warehouse.account(name="Kyoto Tea", currency="JPY", zone="Asia/Tokyo", at=self.at(-10))
                warehouse.spend(SEARCH, self.day, warehouse.segments[0], Decimal(11), self.at(-10))
                self.send(warehouse)
                account = PlatformAccount.objects.get()
                self.assertEqual((account.name, account.currency, account.timezone), ("Kyoto Tea", "JPY", "Asia/Tokyo"))

            self.over_each(test)

        def test_what_people_entered_stays_where_the_report_is_silent(self) -> None:
            def test(warehouse: Warehouse) -> None:
                if warehouse.source != "microsoft_ads":
                    return
                warehouse.account(name="Acme", currency="USD", zone="Unheard/Of", at=self.at(-10))
                self.send(warehouse)
                self.assertEqual(PlatformAccount.objects.get().timezone, "America/New_York")

            self.over_each(test)
