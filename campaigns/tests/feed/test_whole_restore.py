"""pg_dump of a whole database into a new one: a follower finds out, lists again, and ends with the table's state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import skipUnless

from django.db import connection

from campaigns.services.feed.publish import last_position
from campaigns.tests.feed.client import Client
from campaigns.tests.feed.test_follow import FollowTestCase, switch
from campaigns.tests.jobs.test_health_probes import database_settings
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.support.outside import POSTGRESQL


@skipUnless(POSTGRESQL, "the file of SQLite is copied in test_follow")
class WholeDatabases(FollowTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.copy = f"{connection.settings_dict['NAME']}_feed"
        self.run_sql(f"DROP DATABASE IF EXISTS {self.copy}")
        self.run_sql(f"CREATE DATABASE {self.copy}")
        self.addCleanup(self.run_sql, f"DROP DATABASE IF EXISTS {self.copy} WITH (FORCE)")

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Everything inside is about the new database."""
        with database_settings(NAME=self.copy):
            connection.close()
            try:
                yield
            finally:
                connection.close()

    def test_a_follower_of_what_the_dump_lacks_lists_again_and_others_go_on(self) -> None:
        first, second = make_campaign(), make_campaign()
        ahead, behind = self.client_of_feed, Client()
        switch(first, on=False)
        behind.follow()
        switch(second, on=False)  # not published yet when the dump is made
        dump = self.run_tool("pg_dump")
        switch(second, on=True)
        switch(first, on=True)
        ahead.follow()
        lost = last_position()
        self.run_tool("psql", "--quiet", "--set=ON_ERROR_STOP=1", database=self.copy, given=dump)
        with self.restored():
            for client in (ahead, behind):
                client.follow()
                self.assertEqual((client.differences(), client.paused), ({}, {first.pk: True, second.pk: True}))
            self.assertEqual((ahead.lists, behind.lists), (2, 1))
            switch(second, on=True)
            for client in (ahead, behind):
                client.follow()
                self.assertEqual((client.differences(), client.paused), ({}, {first.pk: True, second.pk: False}))
            self.assertEqual((ahead.lists, behind.lists), (2, 1))
            # No position of the original is given to another change.
            self.assertGreater(last_position(), lost)
