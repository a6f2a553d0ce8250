"""examples/connector.py against the web server and a platform on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import skipUnless

from campaigns.models import AppliedStatus, Campaign, CampaignLink, FeedBatch
from campaigns.models.platforms.api_keys import Scope
from campaigns.tests.api.requests import make_key
from campaigns.tests.feed.fake_platform import running_platform
from campaigns.tests.feed.links import key_of, make_link
from campaigns.tests.project.test_web_server import WebServerTestCase
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.factories import make_campaign, utc
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.support.processes import BASE_DIR
from campaigns.tests.support.services_running import database_url
from examples import connector
from examples.connector import Connector, Platform

NOON = utc("2026-11-20 12:00")


def switch(campaign: Campaign, *, on: bool) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(enabled=on)
    enforce_at(NOON)


def name_of(link: CampaignLink) -> str:
    """Return the campaign's name on the platform of these tests."""
    return f"{link.account.external_id}/{link.external_id}"


class OverHttp(WebServerTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.links = [make_link(make_campaign()) for _ in range(3)]
        self.start()
        self.platform = self.enterContext(running_platform())
        self.state = Path(self.enterContext(TemporaryDirectory()), "state.json")
        self.key = make_key(Scope.STATUS_READ, Scope.STATUS_ACK)
        self.connector = self.connect()

    def connect(self) -> Connector:
        api = "http://{}:{}/api/v1".format(*self.address)
        return Connector(api, self.key, Platform(self.platform.address), self.state)

    def switch(self, number: int, *, on: bool) -> None:
        campaign = self.links[number].campaign
        assert campaign
        switch(campaign, on=on)

    def assert_applied(self, *paused: int) -> None:
        """Assert that the platform has these paused, and that all is acknowledged."""
        expected = {name_of(link): "paused" if n in paused else "active" for n, link in enumerate(self.links)}
        self.assertEqual(self.platform.statuses, expected)
        rows = AppliedStatus.objects.order_by("link").values_list("applied_status", flat=True)
        self.assertEqual(list(rows), list(expected.values()))

    def test_it_lists_follows_applies_and_acknowledges(self) -> None:
        self.switch(0, on=False)
        self.connector.turn()
        self.assert_applied(0)
        self.switch(0, on=True)
        self.switch(2, on=False)
        self.connector.turn()
        self.assert_applied(2)
        self.assertEqual(len(self.platform.changes), 5)
        seen = AppliedStatus.objects.order_by("link").values_list("seen_status", flat=True)
        self.assertEqual(list(seen), ["paused", "active", "active"])  # it looked once, in its first turn
        self.connector.turn()
        self.assertEqual(len(self.platform.changes), 5)

    def test_a_restart_goes_on_where_it_was(self) -> None:
        self.connector.turn()
        self.switch(1, on=False)
        self.connect().turn()
        self.assert_applied(1)
        self.assertEqual(len(self.platform.changes), 4)

    def test_a_pruned_position_makes_it_list_again(self) -> None:
        self.connector.turn()
        self.switch(1, on=False)
        FeedBatch.objects.all().delete()
        self.connector.turn()
        self.assert_applied(1)

    def test_what_the_platform_refuses_is_reported_and_tried_again(self) -> None:
        self.connector.turn()
        self.switch(1, on=False)
        self.platform.broken.add(name_of(self.links[1]))
        self.connector.turn()
        row = AppliedStatus.objects.get(link=self.links[1])
        self.assertEqual((row.applied_status, row.problem), ("active", "HTTP Error 403: Forbidden"))
        self.platform.broken.clear()
        self.connect().turn()
        self.assert_applied(1)
        row.refresh_from_db()
        self.assertEqual(row.problem, "")


@skipUnless(POSTGRESQL, "SQLite has no LISTEN")
class BySql(OutsideTestCase):
    def test_it_is_woken_by_a_change(self) -> None:
        campaign = make_campaign()
        link = make_link(campaign)
        with running_platform() as platform, TemporaryDirectory() as directory:
            links = Path(directory, "links.json")
            links.write_text(json.dumps({campaign.pk: key_of(link)}))
            options = ["sql", "--database", database_url(), "--links", str(links), "--platform", platform.address]
            with subprocess.Popen([sys.executable, "examples/connector.py", *options], cwd=BASE_DIR) as process:
                try:
                    self.assertTrue(platform.changed.wait(20))
                    for on, status in ((False, "paused"), (True, "active")):
                        platform.changed.clear()
                        begin = time.monotonic()
                        switch(campaign, on=on)
                        self.assertTrue(platform.changed.wait(connector.POLL_SECONDS))
                        # Well before it would look by itself.
                        self.assertLess(time.monotonic() - begin, connector.POLL_SECONDS / 2)
                        self.assertEqual(platform.statuses, {name_of(link): status})
                finally:
                    process.terminate()
