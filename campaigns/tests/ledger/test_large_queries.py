"""A large query reads one snapshot with memory of its own, and leaves the connection as it was."""

from __future__ import annotations

from django.db import DatabaseError, transaction

from campaigns.database.connection import analytic_query, execute, fetch_all
from campaigns.models import CampaignDay, PendingSpend
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.factories import make_campaign, spend
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase


class LargeQueryTests(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.before = settings()

    def assert_as_before(self) -> None:
        """Assert that nothing is left of it, and that each statement is committed by itself again."""
        self.assertEqual(settings(), self.before)
        campaign = make_campaign()
        self.assertEqual(self.value("SELECT COUNT(*) FROM campaigns_campaign WHERE id = %s", campaign.pk), 1)

    def test_it_sees_what_was_there_at_its_first_statement(self) -> None:
        campaign = make_campaign()
        with analytic_query():
            self.assertEqual(PendingSpend.objects.count(), 0)
            self.insert_spend(campaign, "5")
            self.assertEqual(PendingSpend.objects.count(), 0)
        self.assertEqual(PendingSpend.objects.get().campaign_id, campaign.pk)
        self.assert_as_before()

    def test_it_has_memory_for_as_long_as_it_lasts(self) -> None:
        with analytic_query(megabytes=100):
            during = settings()
        if POSTGRESQL:
            self.assertEqual(during, ["100MB", "off"])
        self.assert_as_before()

    def test_it_ends_with_an_error_inside(self) -> None:
        with self.assertRaises(DatabaseError), analytic_query():
            fetch_all("SELECT nothing FROM nowhere")
        self.assert_as_before()

    def test_a_fold_leaves_nothing_of_it(self) -> None:
        spend(make_campaign(), 5)
        self.assertEqual(fold(), 1)
        self.assertEqual(CampaignDay.objects.count(), 1)
        self.assert_as_before()

    def test_a_transaction_of_the_callers_goes_on(self) -> None:
        campaign = make_campaign()
        with transaction.atomic():
            execute("UPDATE campaigns_campaign SET name = 'inside' WHERE id = %s", [campaign.pk])
            with analytic_query():
                self.assertEqual(fetch_all("SELECT name FROM campaigns_campaign"), [("inside",)])
        self.assertEqual(self.value("SELECT name FROM campaigns_campaign"), "inside")
        self.assert_as_before()


def settings() -> list[str]:
    if not POSTGRESQL:
        return []
    return [fetch_all(f"SHOW {name}")[0][0] for name in ("work_mem", "jit")]
