"""The connector's own role on PostgreSQL: INSERT on the columns it fills and nothing else (design part 7)."""

from __future__ import annotations

import os
from typing import Any

import psycopg

from campaigns.models import SpendRecord
from campaigns.tests.factories import make_campaign
from campaigns.tests.outside import POSTGRESQL, OutsideTestCase, quarter_at

if POSTGRESQL:

    class ConnectorRoleTests(OutsideTestCase):
        outside: psycopg.Connection[tuple[Any, ...]]

        def setUp(self) -> None:
            super().setUp()
            self.role = f"budget_test_connector_{os.getpid()}"
            self.run_sql(f"CREATE ROLE {self.role}")
            self.addCleanup(self.drop_role)
            self.run_sql(
                "GRANT INSERT (brand_id, campaign_id, amount, timestamp, external_id)"
                f" ON campaigns_spendrecord TO {self.role}"
            )
            self.campaign = make_campaign()

        def drop_role(self) -> None:
            self.run_sql("RESET ROLE")
            self.run_sql(f"DROP OWNED BY {self.role}")
            self.run_sql(f"DROP ROLE {self.role}")

        def act(self) -> None:
            self.run_sql(f"SET ROLE {self.role}")

        def assert_denied(self, sql: str) -> None:
            self.assert_refused("permission denied", sql)

        def test_it_inserts_and_is_counted(self) -> None:
            self.act()
            self.insert_spend(self.campaign, "5")
            self.insert_spend(self.campaign, "-1.25", timestamp="2026-11-22 10:00:00+00", external_id="row-1")
            self.run_sql("RESET ROLE")
            self.assertEqual(SpendRecord.objects.count(), 2)
            self.assertEqual(sum(self.pending().values()), 3_750_000)

        def test_it_retries_without_counting_twice(self) -> None:
            self.act()
            for _ in range(2):
                self.run_sql(
                    "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, external_id)"
                    " VALUES (%s, %s, 5, 'row-1') ON CONFLICT DO NOTHING",
                    self.campaign.brand_id,
                    self.campaign.pk,
                )
            self.run_sql("RESET ROLE")
            self.assertEqual(list(self.pending().values()), [5_000_000])

        def test_it_copies_and_is_counted(self) -> None:
            self.act()
            copy_rows(self.outside, [(self.campaign.brand_id, self.campaign.pk, "0.1")] * 10)
            self.run_sql("RESET ROLE")
            self.assertEqual(sum(self.pending().values()), 1_000_000)

        def test_it_is_refused_by_name_like_everyone(self) -> None:
            other = make_campaign()
            self.act()
            insert = "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount) VALUES (%s, %s, 5)"
            self.assert_refused("spend_brand_is_the_campaigns_brand", insert, other.brand_id, self.campaign.pk)

        def test_it_reads_changes_and_deletes_nothing(self) -> None:
            self.insert_spend(self.campaign, "5")
            self.act()
            for sql in (
                "SELECT id FROM campaigns_spendrecord",
                "UPDATE campaigns_spendrecord SET amount = 1",
                "DELETE FROM campaigns_spendrecord",
                "TRUNCATE campaigns_spendrecord",
                "INSERT INTO campaigns_spendrecord (recorded_at) VALUES (now())",
                "INSERT INTO campaigns_spendrecord (id) VALUES (1)",
            ):
                with self.subTest(sql):
                    self.assert_denied(sql)

        def test_it_touches_no_other_table(self) -> None:
            self.act()
            for table in ("pendingspend", "campaignday", "brandperiod", "bookingzone", "campaign", "brand"):
                for sql in ("SELECT 1 FROM", "DELETE FROM", "TRUNCATE"):
                    with self.subTest(table, sql=sql):
                        self.assert_denied(f"{sql} campaigns_{table}")
            self.assert_denied("INSERT INTO campaigns_pendingspend (brand_id, quarter, amount) VALUES (1, 1, 1)")

        def test_it_cannot_slip_in_a_pending_table_of_its_own(self) -> None:
            self.act()
            self.run_sql("CREATE TEMPORARY TABLE campaigns_pendingspend (LIKE pg_class)")
            self.run_sql("SET search_path = pg_temp, public")
            self.insert_spend(self.campaign, "5", timestamp="2026-11-22 10:00:00+00")
            self.run_sql("RESET ROLE")
            self.run_sql("DROP TABLE pg_temp.campaigns_pendingspend")
            self.run_sql("RESET search_path")
            self.assertEqual(self.pending(), {(self.campaign.pk, quarter_at("2026-11-22 10:00:00")): 5_000_000})

    class CopyTests(OutsideTestCase):
        outside: psycopg.Connection[tuple[Any, ...]]

        def test_it_counts_what_is_copied(self) -> None:
            campaign = make_campaign()
            sibling = make_campaign(campaign.brand)
            rows = [(campaign.brand_id, number, "0.000001") for number in (campaign.pk, sibling.pk) for _ in range(500)]
            copy_rows(self.outside, rows)
            totals = self.run_sql("SELECT campaign_id, SUM(amount) FROM campaigns_pendingspend GROUP BY 1 ORDER BY 1")
            self.assertEqual(totals, [(campaign.pk, 500), (sibling.pk, 500)])

        def test_it_takes_nothing_of_a_copy_with_one_bad_row(self) -> None:
            campaign = make_campaign()
            good, bad = (campaign.brand_id, campaign.pk, "1"), (campaign.brand_id, campaign.pk, "NaN")
            with self.assertRaisesMessage(psycopg.errors.CheckViolation, "spend_amount_in_range_and_not_zero"):
                copy_rows(self.outside, [good, bad, good])
            self.assertEqual(SpendRecord.objects.count(), 0)
            self.assertEqual(self.pending(), {})

    def copy_rows(client: psycopg.Connection[tuple[Any, ...]], rows: list[tuple[int, int, str]]) -> None:
        statement = "COPY campaigns_spendrecord (brand_id, campaign_id, amount) FROM STDIN"
        with client.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
