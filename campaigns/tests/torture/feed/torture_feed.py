"""A follower beside writers that are killed, beside pruning, and beside a stranger's transaction, for longer."""

from __future__ import annotations

import psycopg
from django.db import connection

from campaigns.tests.feed import test_follow
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.torture.extent import extent


class ManyWritersForLong(test_follow.ManyWriters):
    seconds = extent(short=15, full=300)

    def setUp(self) -> None:
        """On PostgreSQL, a stranger's transaction stays open in another database of the cluster, with an id."""
        super().setUp()
        if POSTGRESQL:
            settings = connection.settings_dict
            stranger = psycopg.connect(
                dbname="postgres", user=settings["USER"], host=settings["HOST"], port=settings["PORT"]
            )
            self.addCleanup(stranger.close)
            stranger.execute("SELECT pg_current_xact_id()")
