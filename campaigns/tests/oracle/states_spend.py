"""Spend as it comes: one row or many, by every way there is, late, ahead, again, corrected and taken back."""

from __future__ import annotations

import csv
import io
import sqlite3
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from campaigns.models import SpendRecord
from campaigns.tests.oracle.oracle import CampaignFacts, Record
from campaigns.tests.oracle.states_base import ZONES, States
from campaigns.tests.oracle.worlds import AMOUNTS, DAY, near, records_near
from campaigns.tests.support.stored import name_of, spend_row

Given = tuple[CampaignFacts, Record]

COLUMNS = ("brand_id", "campaign_id", "amount", "timestamp", "external_id")
INSERT = f"INSERT INTO campaigns_spendrecord ({', '.join(COLUMNS)}) VALUES (%s, %s, %s, %s, %s)"
COPY = f"COPY campaigns_spendrecord ({', '.join(COLUMNS)}) FROM STDIN"
LARGEST = Decimal("999999999.999999")

amounts = st.sampled_from([*AMOUNTS, LARGEST, -LARGEST])
long_ago_or_far_ahead = st.sampled_from([-400 * DAY, -40 * DAY, -9 * DAY, -3 * DAY, 3 * DAY, 40 * DAY])


NEW = ("one_by_the_orm", "many_by_the_orm", "one_from_outside", "many_from_outside", "a_file")
CHANGED = (
    *("again_from_outside", "correct_one", "correct_many_from_outside"),
    *("delete_one", "delete_many_from_outside"),
)


class Spending(States):
    @rule(data=st.data(), way=st.sampled_from(NEW))
    def spend_comes(self, data: st.DataObject, way: str) -> None:
        getattr(self, way)(data)

    @precondition(lambda self: self.world.events)
    @rule(data=st.data(), way=st.sampled_from(CHANGED))
    def spend_is_changed(self, data: st.DataObject, way: str) -> None:
        getattr(self, way)(data)

    def one_by_the_orm(self, data: st.DataObject) -> None:
        [(campaign, record)] = self.some_spend(data, most=1)
        self.row(campaign, record).save()
        campaign.records.append(record)

    def many_by_the_orm(self, data: st.DataObject) -> None:
        given = self.some_spend(data, most=6)
        SpendRecord.objects.bulk_create([self.row(*one) for one in given])
        self.know(given)

    def one_from_outside(self, data: st.DataObject) -> None:
        given = self.some_spend(data, most=1)
        self.run_outside(INSERT, self.values(*given[0]))
        self.know(given)

    def many_from_outside(self, data: st.DataObject) -> None:
        """By COPY on PostgreSQL, as a batch in one transaction on SQLite."""
        given = self.some_spend(data, most=8)
        rows = [self.values(*one) for one in given]
        if isinstance(self.outside, sqlite3.Connection):
            self.outside.execute("BEGIN IMMEDIATE")
            self.outside.executemany(INSERT.replace("%s", "?"), rows)
            self.outside.execute("COMMIT")
        else:
            with self.outside.cursor() as cursor, cursor.copy(COPY) as copy:
                for row in rows:
                    copy.write_row(row)
        self.know(given)

    def a_file(self, data: st.DataObject) -> None:
        """With rows that are there already, and now and then one that says something else: then nothing is taken."""
        given, again = self.some_spend(data, most=5), self.some_known(data)
        contradicts = bool(again) and data.draw(st.integers(0, 4)) == 0
        zone = ZoneInfo(data.draw(st.sampled_from(ZONES)))
        lines = [self.told(*one, zone) for one in [*given, *again, *given[:1]]]
        if contradicts:
            lines[-2][3] = f"{again[-1][1].amount + 1:f}"
        if contradicts:
            with self.same.assertRaisesMessage(CommandError, "refused"):
                self.import_file(lines)
        else:
            self.import_file(lines)
            self.know(given)

    def again_from_outside(self, data: st.DataObject) -> None:
        """R11: the same row twice counts once."""
        campaign, record = data.draw(st.sampled_from(self.world.events))
        with self.same.assertRaises((sqlite3.IntegrityError, psycopg.IntegrityError)):
            self.run_outside(INSERT, self.values(campaign, record))
        self.run_outside(f"{INSERT} ON CONFLICT DO NOTHING", self.values(campaign, record))
        with self.same.assertRaises(IntegrityError):
            self.row(campaign, record).save()

    def correct_one(self, data: st.DataObject) -> None:
        """Another amount, another time, another campaign, perhaps of another brand."""
        campaign, record = data.draw(st.sampled_from(self.world.events))
        row = self.stored_row(campaign, record)
        [(new_campaign, new)] = self.some_spend(data, most=1)
        campaign.records.remove(record)
        row.brand_id, row.campaign_id = self.world.brand_of(new_campaign).pk, new_campaign.pk
        row.amount, row.timestamp, row.external_id = new.amount, new.timestamp, new.external_id
        row.save()
        new_campaign.records.append(new)

    def correct_many_from_outside(self, data: st.DataObject) -> None:
        campaign, amount = self.campaign(data), data.draw(amounts)
        timestamp = self.world.now + data.draw(near)
        self.run_outside(
            "UPDATE campaigns_spendrecord SET amount = %s, timestamp = %s WHERE campaign_id = %s AND total_id IS NULL",
            (str(amount), self.text(timestamp), campaign.pk),
        )
        for record in events_of(campaign):
            record.amount, record.timestamp = amount, timestamp

    def delete_one(self, data: st.DataObject) -> None:
        campaign, record = data.draw(st.sampled_from(self.world.events))
        self.stored_row(campaign, record).delete()
        campaign.records.remove(record)

    def delete_many_from_outside(self, data: st.DataObject) -> None:
        campaign = self.campaign(data)
        self.run_outside(
            "DELETE FROM campaigns_spendrecord WHERE campaign_id = %s AND amount > %s AND total_id IS NULL",
            (campaign.pk, "1"),
        )
        deleted = [record for record in events_of(campaign) if record.amount > 1]
        campaign.records = [record for record in campaign.records if record not in deleted]

    def some_spend(self, data: st.DataObject, most: int) -> list[Given]:
        """Draw new records near the boundaries that the rules know, now and then from long ago or far ahead."""
        given: list[Given] = []
        for _ in range(data.draw(st.integers(1, most))):
            campaign = self.campaign(data)
            record = data.draw(records_near(self.world.brand_of(campaign), self.world.now))
            if data.draw(st.integers(0, 4)) == 0:
                record.timestamp += data.draw(long_ago_or_far_ahead)
            if data.draw(st.integers(0, 9)) == 0:
                record.amount = data.draw(amounts)
            record.external_id = self.world.new_name()
            given.append((campaign, record))
        return given

    def some_known(self, data: st.DataObject) -> list[Given]:
        known = self.world.events
        return data.draw(st.lists(st.sampled_from(known), max_size=3, unique=True)) if known else []

    def know(self, given: Sequence[Given]) -> None:
        for campaign, record in given:
            campaign.records.append(record)

    def row(self, campaign: CampaignFacts, record: Record) -> SpendRecord:
        return spend_row(self.world.brand_of(campaign), campaign, record)

    def stored_row(self, campaign: CampaignFacts, record: Record) -> SpendRecord:
        return SpendRecord.objects.get(campaign=campaign.pk, external_id=record.external_id)

    def values(self, campaign: CampaignFacts, record: Record) -> tuple[Any, ...]:
        brand = self.world.brand_of(campaign)
        return brand.pk, campaign.pk, str(record.amount), self.text(record.timestamp), record.external_id

    def text(self, instant: datetime) -> str:
        """Return an instant as a client writes it: PostgreSQL takes any offset, SQLite keeps bare UTC."""
        if isinstance(self.outside, sqlite3.Connection):
            return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
        return instant.astimezone(ZoneInfo("Asia/Kathmandu")).isoformat()

    def run_outside(self, sql: str, params: tuple[Any, ...]) -> None:
        if isinstance(self.outside, sqlite3.Connection):
            self.outside.execute(sql.replace("%s", "?"), params)
        else:
            self.outside.execute(sql.encode(), params)

    def told(self, campaign: CampaignFacts, record: Record, zone: ZoneInfo) -> list[Any]:
        """Return a record as a line of a spend file."""
        instant = record.timestamp.astimezone(zone).isoformat()
        return [instant, *name_of(campaign), f"{record.amount:f}", record.external_id]

    def import_file(self, lines: Sequence[Sequence[Any]]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows([("timestamp", "brand", "campaign", "amount", "external_id"), *lines])
        with tempfile.NamedTemporaryFile(suffix=".csv") as file, self.clock():
            Path(file.name).write_text(text.getvalue(), encoding="utf-8", newline="")
            call_command("import_spend", file.name, stdout=io.StringIO(), stderr=io.StringIO())


def events_of(campaign: CampaignFacts) -> list[Record]:
    return [record for record in campaign.records if record.external_id]
