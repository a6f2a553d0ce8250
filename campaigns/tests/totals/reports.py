"""Reports of ad platforms, as their connectors write them, and what is booked of them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.test import TestCase

from campaigns.database.connection import fetch_all
from campaigns.models import Campaign, CampaignLink, PlatformAccount, SpendRecord, SpendTotal
from campaigns.rules.money import from_micros
from campaigns.services.ledger.unfinished import Unfinished
from campaigns.services.totals.checks import book_in_full_check, book_in_quick_check
from campaigns.tests.support.factories import make_campaign, utc

# What a connector runs, on either database.
UPSERT = """
    INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, as_of) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (source, account, campaign, day) DO UPDATE SET total = EXCLUDED.total, as_of = EXCLUDED.as_of
"""
SOURCE, ACCOUNT = "google_ads", "1234567890"
# A Wednesday long past: the database takes no report from the future.
DAY, NOON = "2024-11-27", "2024-11-27 12:00"
YESTERDAY = "2024-11-26"


def make_account(**fields: Any) -> PlatformAccount:
    given = {"source": SOURCE, "external_id": ACCOUNT, "currency": "USD", "timezone": "UTC"} | fields
    return PlatformAccount.objects.create(**given)


def make_link(campaign: Campaign | None = None, external_id: str = "1", **fields: Any) -> CampaignLink:
    """Link a platform's campaign of the account that there is, or of a new one."""
    account = fields.pop("account", None) or PlatformAccount.objects.first() or make_account()
    return CampaignLink.objects.create(account=account, external_id=external_id, campaign=campaign, **fields)


def linked_campaign(external_id: str = "1", **fields: Any) -> Campaign:
    campaign = make_campaign(**fields)
    make_link(campaign, external_id)
    return campaign


def report(total: Any, campaign: str = "1", day: str = DAY, as_of: str = NOON, account: str = ACCOUNT) -> None:
    """Upsert one total, at an instant in UTC."""
    instant = str(connection.ops.adapt_datetimefield_value(utc(as_of)))
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [SOURCE, account, campaign, day, str(total), instant])


def quick_booking(at: str = NOON) -> Unfinished:
    unfinished = Unfinished()
    book_in_quick_check(clock=lambda: utc(at), unfinished=unfinished)
    return unfinished


def full_booking(at: str = NOON) -> Unfinished:
    unfinished = Unfinished()
    book_in_full_check(clock=lambda: utc(at), unfinished=unfinished)
    return unfinished


def amounts(campaign: Campaign | None = None) -> list[Decimal]:
    """Return the amounts of the records of totals, in the order of their totals and revisions."""
    records = SpendRecord.objects.filter(total__isnull=False).order_by("total_id", "revision")
    if campaign is not None:
        records = records.filter(campaign=campaign)
    return [record.amount.normalize() + 0 for record in records]


def total_of(campaign: str = "1", day: str = DAY) -> SpendTotal:
    return SpendTotal.objects.get(campaign=campaign, day=date.fromisoformat(day))


def unbalanced() -> list[tuple[Any, ...]]:
    """Return the totals whose records, over all campaigns, don't sum up to what is booked; reckoned on its own."""
    records: dict[int, Decimal] = {}
    for total, amount in SpendRecord.objects.filter(total__isnull=False).values_list("total_id", "amount"):
        records[total or 0] = records.get(total or 0, Decimal(0)) + round(amount, 6)
    booked = dict(fetch_all("SELECT id, booked FROM campaigns_spendtotal"))
    return [
        (total, from_micros(micros), records.get(total))
        for total, micros in booked.items()
        if records.get(total, Decimal(0)) != from_micros(micros)
    ] + [(total, None, amount) for total, amount in records.items() if total not in booked]


class LinkedDaysCase(TestCase):
    """Three days of a link are booked for a campaign; another campaign is there."""

    def setUp(self) -> None:
        make_account()
        self.old = linked_campaign()
        self.new = make_campaign()
        self.link = CampaignLink.objects.get()
        for day, total in (("2024-11-20", 10), (YESTERDAY, 20), (DAY, 30)):
            report(total, day=day)
        quick_booking()


def store_ahead(account: PlatformAccount, until: datetime) -> None:
    """Store a reported_until that the triggers refuse, as an installation before them may have one."""
    change = "UPDATE campaigns_platformaccount SET reported_until = %s WHERE id = %s"
    params = [connection.ops.adapt_datetimefield_value(until), account.pk]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(change, params)
            cursor.execute("SET LOCAL session_replication_role = origin")
            return
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'campaigns_account_update_guard'")
        ((trigger,),) = cursor.fetchall()
        cursor.execute("DROP TRIGGER campaigns_account_update_guard")
        cursor.execute(change, params)
        cursor.execute(trigger)
