"""Writing a downloaded report: its totals, the accounts and links that they need, and campaigns if a person asks.

Everything is one transaction. The quick check books the totals within seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from campaigns.models import Campaign, CampaignLink, FileFormat
from campaigns.models.platforms.accounts import NEVER_SILENT
from campaigns.rules.clock import Clock
from campaigns.rules.names import normal_name
from campaigns.rules.periods import find_zone
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.history.record import Source, differences, record_changes
from campaigns.services.history.settings import read_settings
from campaigns.services.platform_files.download import Download
from campaigns.services.platform_files.placing import PlacedAccount, PlacedCampaign, may_create
from campaigns.services.platform_files.stored_answers import remember
from campaigns.services.scope import Scope
from campaigns.services.totals.links import assign_waiting
from campaigns.services.totals.report import (
    ReportedAccount,
    ReportedCampaign,
    ReportedTotal,
    report_totals,
)
from campaigns.services.totals.report_imports import ReportFile, lock_totals, note_import


@dataclass(frozen=True)
class ImportedReport:
    """What an import has done."""

    written: int
    left: int
    linked: int
    created: int
    unassigned: int
    # The brands that the spend is booked for.
    brands: frozenset[int]
    format: FileFormat
    # The campaigns that were created.
    campaigns: frozenset[int]
    # Accounts whose time zone is unknown: their spend waits.
    without_zone: tuple[str, ...] = ()


class NotReady(Exception):
    """The file can't be imported; the message says why."""


@transaction.atomic
def import_download(
    download: Download,
    *,
    link: bool,
    create: bool,
    source: Source,
    clock: Clock,
    file: str = "",
    user_id: int | None = None,
    since: date | None = None,
) -> ImportedReport:
    """Write the report's totals. link assigns campaigns of the same name; create adds those that are missing.

    file and user_id are for the list of imports. since limits a preview to totals from a day on. Raises NotReady if
    there are questions or problems.
    """
    if not download.may_import:
        raise NotReady("The file has questions or problems: nothing was imported.")
    placed, report = download.placed, download.report
    now = clock()
    as_of = min(report.as_of or now, now)
    to_link = [each for each in placed.unlinked if link and each.proposed]
    to_create = [each for each in placed.unlinked if create and may_create(each)]
    brands = {each.account.brand.pk for each in (*to_link, *to_create) if each.account.brand}
    begin_change(brands, clock=clock)
    made = _create_campaigns(to_create, source, clock) if to_create else {}
    created = frozenset(made.values())
    report_totals(
        [],
        accounts=[_account(report.source, account, download, as_of) for account in placed.accounts.values()],
        campaigns=[
            ReportedCampaign(report.source, each.account.external_id, each.external_id, each.name)
            for each in placed.campaigns.values()
        ],
    )
    made |= {(each.account.external_id, each.external_id): each.proposed.pk for each in to_link if each.proposed}
    # Links before totals, as in every transaction that locks both.
    assign_waiting(_links(report.source, made))
    totals = [total for total in _totals(download, as_of) if since is None or total.day >= since]
    # A preview is taken back, so nothing is noted of it.
    before = lock_totals(totals) if since is None else None
    reported = report_totals(totals)
    if brands:
        finish_change(Scope.of_brands(sorted(brands)), clock=clock, actor=source.actor)
    unassigned = sum((each.account.external_id, each.external_id) not in made for each in placed.unlinked)
    known = remember(report, download.answers, who=source.actor, now=now)
    if before is not None:
        note_import(before, ReportFile(file, source.actor, user_id, known.name, _money(download)), now=now)
    linked = {each.campaign.brand_id for each in placed.campaigns.values() if each.is_linked and each.campaign}
    return ImportedReport(
        reported.written,
        reported.left,
        len(to_link),
        len(to_create),
        unassigned,
        frozenset(linked | brands),
        known,
        created,
        tuple(str(account) for account in placed.accounts.values() if not account.timezone),
    )


def _money(download: Download) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in download.days():
        sums[row.currency] += row.amount
    return sums


def _create_campaigns(wanted: Iterable[PlacedCampaign], source: Source, clock: Clock) -> dict[tuple[str, str], int]:
    """Create a campaign for each of the platform's; two of one name in a brand share it."""
    by_name: dict[tuple[int, str], list[PlacedCampaign]] = defaultdict(list)
    for each in wanted:
        if each.account.brand:
            by_name[each.account.brand.pk, normal_name(each.name)].append(each)
    rows = [Campaign(brand_id=brand, name=name) for brand, name in by_name]
    Campaign.objects.bulk_create(rows)
    created = read_settings(Campaign, [row.pk for row in rows])
    record_changes(differences({}, created), source, at=clock())
    pks = {(row.brand_id, row.name): row.pk for row in rows}
    return {(each.account.external_id, each.external_id): pks[key] for key, group in by_name.items() for each in group}


def _account(source: str, account: PlacedAccount, download: Download, as_of: datetime) -> ReportedAccount:
    return ReportedAccount(
        source,
        account.external_id,
        name=account.name,
        currency=account.currency,
        timezone=account.timezone,
        reported_until=_known_until(download, account.timezone, as_of),
        brand_id=account.brand.pk if account.brand else None,
        # An account that is new comes from a file, so it isn't expected to report by itself.
        interval_hours=NEVER_SILENT,
    )


def _known_until(download: Download, zone: str, as_of: datetime) -> datetime:
    """Return up to when the account's spend is known: the end of the report's last day, or the report's time."""
    days = download.report.days
    last = days[1] if days else as_of.date()
    midnight = datetime.combine(last + timedelta(days=1), datetime.min.time(), find_zone(zone) or UTC)
    return min(as_of, midnight.astimezone(UTC))


def _links(source: str, made: Mapping[tuple[str, str], int]) -> dict[int, int]:
    """Return the ids of the links and of the campaigns that they get."""
    links = CampaignLink.objects.filter(account__source=source, account__external_id__in={key[0] for key in made})
    keys = links.order_by().values_list("pk", "account__external_id", "external_id")
    return {pk: made[account, campaign] for pk, account, campaign in keys if (account, campaign) in made}


def _totals(download: Download, as_of: datetime) -> list[ReportedTotal]:
    """Return the totals to report; several rows of the file for one campaign and day are added up."""
    sums: dict[tuple[str, str, str, object], Decimal] = defaultdict(Decimal)
    totals: list[ReportedTotal] = []
    for each in download.placed.campaigns.values():
        for day, amount in each.totals.items():
            sums[download.report.source, each.account.external_id, each.external_id, day] += amount
    for each in download.placed.campaigns.values():
        for day in each.totals:
            key = (download.report.source, each.account.external_id, each.external_id, day)
            if key in sums:
                totals.append(ReportedTotal(key[0], key[1], key[2], day, sums.pop(key), as_of))
    return totals
