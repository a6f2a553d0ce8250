"""Everything that there can be about reported totals: for tests of dumps and restores."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from campaigns.models import Campaign, EarlierLink, ReportImport, RestatedTotal, SpendTotal, Waiting
from campaigns.services.totals.holds import reject
from campaigns.services.totals.links import assign, ignore
from campaigns.services.totals.report import ReportedTotal, report_totals
from campaigns.services.totals.report_imports import ReportFile, lock_totals, note_import
from campaigns.tests.support.factories import make_campaign, utc
from campaigns.tests.totals.reports import (
    ACCOUNT,
    DAY,
    SOURCE,
    YESTERDAY,
    full_booking,
    make_account,
    make_link,
    report,
)

RESTATED = [("1", YESTERDAY, "150.25"), ("1", DAY, "45.000001"), ("3", DAY, "9")]


def make_reported_world(campaign: Campaign) -> None:
    """Make totals that are booked, restated by a file, moved to another campaign, unlinked, ignored and rejected."""
    account = make_account(brand=campaign.brand, reported_until=utc("2024-11-27 12:00"))
    link = make_link(campaign, "1", account=account, name="Search")
    make_link(None, "2", account=account)
    ignored = make_link(None, "3", account=account)
    ignore([ignored.pk], "a test account")
    for platform_campaign, day, total in (("1", YESTERDAY, 150), ("1", DAY, "40.5"), ("2", DAY, "7.1")):
        report(total, platform_campaign, day)
    report(500, "1", "2024-11-20")
    full_booking()
    totals = [
        ReportedTotal(SOURCE, ACCOUNT, key, date.fromisoformat(day), Decimal(total), utc("2024-11-27 13:00"))
        for key, day, total in RESTATED
    ]
    before = lock_totals(totals)
    report_totals(totals)
    note_import(before, ReportFile("report.csv", "maja", None, "Google"), now=utc("2024-11-27 13:00"))
    assign({link.pk: make_campaign(campaign.brand).pk}, first_day=date.fromisoformat(DAY))
    report(0, "1", "2024-11-20", as_of="2024-11-27 14:00")
    full_booking("2024-11-27 14:00")
    reject(SOURCE, ACCOUNT, date(2024, 11, 20))
    states = set(SpendTotal.objects.values_list("waiting", flat=True))
    assert states == {Waiting.NO, Waiting.UNLINKED, Waiting.IGNORED, Waiting.HELD}, states
    counts = [model._base_manager.count() for model in (EarlierLink, ReportImport, RestatedTotal)]
    assert counts == [1, 1, len(RESTATED)], counts
