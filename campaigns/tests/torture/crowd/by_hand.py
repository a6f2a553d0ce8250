"""A person with psql beside a crowd."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random

import psycopg
from django.utils import timezone

from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import open_client
from campaigns.tests.torture.crowd.people import ZONES
from campaigns.tests.torture.crowd.writers import INSERT


class ByHand:
    """A person with psql who corrects and deletes rows of their own, and moves a brand to other zones in SQL."""

    def __init__(self) -> None:
        self.brand = make_brand()
        self.place = (self.brand.pk, make_campaign(self.brand, daily_spend_limit=20).pk)
        self.rows: dict[str, Decimal] = {}
        self.random, self.number = Random(7), 0
        client = open_client()
        assert isinstance(client, psycopg.Connection)
        self.client = client
        self.client.execute(b"SET application_name = 'hand'")

    def turn(self) -> None:
        self.random.choice([self.insert, self.insert, self.update, self.delete, self.move])()

    def insert(self) -> None:
        self.number += 1
        name = f"by hand {self.number}"
        amount = self.random.choice([Decimal("1.5"), Decimal("-1.5"), Decimal(7)])
        self.client.execute(INSERT.encode(), (*self.place, amount, timezone.now(), name))
        self.rows[name] = amount

    def update(self) -> None:
        amount = self.random.choice([Decimal("0.000002"), Decimal(-7), Decimal(12)])
        for name in self.some():
            self.client.execute(
                b"UPDATE campaigns_spendrecord SET amount = %s, timestamp = timestamp - interval '7 hours'"
                b" WHERE external_id = %s",
                (amount, name),
            )
            self.rows[name] = amount

    def delete(self) -> None:
        names = self.some()
        self.client.execute(b"DELETE FROM campaigns_spendrecord WHERE external_id = ANY(%s)", [names])
        for name in names:
            del self.rows[name]

    def move(self) -> None:
        zone = self.random.choice(ZONES)
        self.client.execute(b"UPDATE campaigns_brand SET timezone = %s WHERE id = %s", (zone, self.brand.pk))

    def some(self) -> list[str]:
        return self.random.sample(sorted(self.rows), min(2, len(self.rows)))

    def written(self) -> Counter[int]:
        return Counter({self.place[1]: int(sum(self.rows.values()) * 1_000_000)})
