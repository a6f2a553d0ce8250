"""SQLite has one writer at a time, and readers of the feed don't wait for it."""

from __future__ import annotations

from unittest import skipUnless

from campaigns.models.platforms.api_keys import Scope
from campaigns.services.feed.publish import last_position, publish
from campaigns.tests.api.requests import make_key
from campaigns.tests.api.test_status import CAMPAIGNS, CHANGES, NOON, get
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.support.outside import SQLITE, OutsideTestCase


@skipUnless(SQLITE, "PostgreSQL has many writers")
class ReadersBesideAWriter(OutsideTestCase):
    def test_they_read_what_is_published_while_a_transaction_is_open(self) -> None:
        """The writer doesn't end before they have read: waiting for it would end in a problem after 20 seconds."""
        key = make_key(Scope.STATUS_READ)
        start = last_position()
        campaign = make_campaign(enabled=False)
        enforce_at(NOON)
        self.run_sql("BEGIN IMMEDIATE")
        page = get(CHANGES, key, after=start)
        self.assertEqual((page.status_code, page.json()["changes"]), (200, []))
        listed = get(CAMPAIGNS, key)
        self.assertEqual((listed.status_code, listed.json()["position"]), (200, start))
        self.run_sql("ROLLBACK")
        self.assertEqual(publish(), 1)
        (change,) = get(CHANGES, key, after=start).json()["changes"]
        self.assertEqual((change["campaign"], change["status"]), (campaign.pk, "paused"))

    def test_they_publish_where_nobody_writes(self) -> None:
        key = make_key(Scope.STATUS_READ)
        start = last_position()
        make_campaign(enabled=False)
        enforce_at(NOON)
        self.assertEqual(len(get(CHANGES, key, after=start).json()["changes"]), 1)
