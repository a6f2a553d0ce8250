"""A campaign whose spend was taken back goes to another brand (R14): it takes no spend with it."""

from __future__ import annotations

import time_machine

from campaigns.models import PendingSpend
from campaigns.services.ledger.verify import verify
from campaigns.tests.support.browser import FormTestCase
from campaigns.tests.support.checking import ACTIVE, campaign_spent, check_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOON = "2026-11-20 12:00"


class ACampaignThatMoves(FormTestCase):
    def test_it_is_decided_on_without_the_spend_that_was_deleted(self) -> None:
        """The record is folded, and what its deletion changed is pending still, when the campaign moves."""
        campaign, other = make_campaign(daily_spend_limit=5), make_brand()
        record = spend(campaign, 5, NOON)
        check_at(NOON)
        record.delete()
        with time_machine.travel(utc(NOON), tick=False):
            self.save(campaign, self.form(campaign) | {"brand": str(other.pk)})
        self.assertEqual(reasons_of(campaign), ACTIVE)
        self.assertEqual(campaign_spent(campaign, NOON), 0)
        self.assertEqual(PendingSpend.objects.count(), 0)
        self.assertEqual(verify(), [])
