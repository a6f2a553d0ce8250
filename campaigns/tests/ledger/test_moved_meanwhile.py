"""A campaign that moves to another brand while a save waits for the lock of the first (R5, R8)."""

from __future__ import annotations

from django.db import transaction
from psycopg.errors import LockNotAvailable

from campaigns.models import Campaign
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.scope import Scope
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase

NOON = utc("2026-11-20 12:00")

if POSTGRESQL:  # on SQLite the transaction itself is the lock

    class ACampaignThatMovedMeanwhile(OutsideTestCase):
        def test_its_new_brand_is_locked_too_before_the_save_takes_effect(self) -> None:
            """A check that decides on the new brand meanwhile would write over what the save has decided."""
            old, campaign = make_brand(), make_campaign()
            with transaction.atomic():
                begin_change([old.pk], clock=lambda: NOON)
                Campaign.objects.update(enabled=False)
                finish_change(Scope.of_campaigns([campaign.pk]), clock=lambda: NOON, actor="amara")
                with self.assertRaises(LockNotAvailable):
                    self.run_sql(
                        "SELECT FROM campaigns_brand WHERE id = %s FOR NO KEY UPDATE NOWAIT", campaign.brand_id
                    )
