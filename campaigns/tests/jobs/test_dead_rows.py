"""A transaction that stays open slows every check down; health says so, on PostgreSQL."""

from __future__ import annotations

from unittest.mock import patch

from campaigns.database.connection import fetch_all
from campaigns.models import PendingSpend
from campaigns.services.jobs import dead_rows
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.factories import make_campaign, spend, utc
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase

NOON = utc("2026-11-20 12:00")

if POSTGRESQL:

    class DeadRows(OutsideTestCase):
        def test_a_transaction_that_stays_open_is_a_warning(self) -> None:
            fetch_all("SELECT pg_stat_reset_single_table_counters(%s::regclass)", [PendingSpend._meta.db_table])
            self.run_sql("BEGIN ISOLATION LEVEL REPEATABLE READ")
            self.run_sql("SELECT 1")
            campaign = make_campaign()
            for _ in range(3):
                spend(campaign, 1, NOON)
            fold()
            fetch_all("SELECT pg_stat_force_next_flush()")
            with patch.object(dead_rows, "MANY_DEAD_ROWS", 4):
                self.assertEqual(dead_rows.dead_rows_warning(), "")
            with patch.object(dead_rows, "MANY_DEAD_ROWS", 3):
                self.assertIn("keeps 3 deleted rows", dead_rows.dead_rows_warning())
                warnings = self.client.get("/health/jobs").json()["warnings"]
            self.assertIn("PostgreSQL keeps 3 deleted rows of pending spend", " ".join(warnings))
