"""Whose spend a report is: its accounts, and the campaigns that they are linked to.

Campaigns are matched by the platform's id; in files without ids by the exact name of a link. Without a link, the
campaign of the same name in the chosen brand is proposed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet

from campaigns.models import Brand, Campaign, CampaignLink, PlatformAccount, SpendTotal
from campaigns.rules.currencies import codes_in_words
from campaigns.rules.names import normal_name
from campaigns.rules.platforms import LONGEST_ID, id_by_name, platform_id, shown_id
from campaigns.rules.text import quote
from campaigns.services.naming.find_names import find_brands, find_campaigns
from campaigns.services.platform_files.accounts import account_id, accounts_named
from campaigns.services.platform_files.report import DayTotal, Report

NAME_LENGTH = 200


@dataclass
class PlacedAccount:
    """An account of a report. stored is what we know of it, if anything."""

    external_id: str
    name: str
    currency: str
    stored: PlatformAccount | None
    # The brand for its campaigns without a link: chosen, stored, or of the account's name.
    brand: Brand | None = None
    # What the file or a person says of the time zone of its days, if the account has none.
    said_timezone: str = ""

    def __str__(self) -> str:
        return self.name or shown_id(self.external_id)

    @property
    def timezone(self) -> str:
        """Return the time zone of its days; the brand's where nothing else says it. Empty if it is unknown."""
        stored = self.stored.timezone if self.stored else ""
        return stored or self.said_timezone or (self.brand.timezone if self.brand else "")


@dataclass
class PlacedCampaign:
    """A campaign of a report: linked, or proposed for a campaign of ours, or neither."""

    account: PlacedAccount
    external_id: str
    name: str
    link: CampaignLink | None = None
    proposed: Campaign | None = None
    totals: dict[date, Decimal] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name or shown_id(self.external_id)

    @property
    def campaign(self) -> Campaign | None:
        return self.link.campaign if self.link and self.link.campaign else self.proposed

    @property
    def is_linked(self) -> bool:
        return bool(self.link and (self.link.campaign_id or self.link.ignored))


@dataclass
class Placed:
    accounts: dict[str, PlacedAccount] = field(default_factory=dict)
    campaigns: dict[tuple[str, str], PlacedCampaign] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def unlinked(self) -> list[PlacedCampaign]:
        return [campaign for campaign in self.campaigns.values() if not campaign.is_linked]


def place(
    report: Report,
    *,
    account: str,
    currency: str,
    timezone: str,
    chosen: Mapping[str, int],
    visible: QuerySet[Brand] | None,
) -> Placed:
    """Return the report's accounts and campaigns. visible limits the brands to those that a person sees.

    account, currency and timezone are of the whole file: for rows without the first two, and accounts without a zone.
    """
    placed = Placed()
    stored = _stored_accounts(report.source)
    for total in report.totals:
        found = _account(total, stored, account, timezone, placed)
        if found is not None:
            _note_currency(found, total.currency or currency, total.line, placed)
            _add(total, found, placed)
            _check_sign(total, found, placed)
    _find_links(report.source, placed)
    _choose_brands(placed, chosen, visible)
    _propose(placed, visible)
    _check_twice(report, placed)
    if visible is not None:
        _check_visible(placed, visible)
    return placed


def _stored_accounts(source: str) -> dict[str, PlatformAccount]:
    rows = PlatformAccount.objects.filter(source=source).select_related("brand").order_by()
    return {account.external_id: account for account in rows}


def _account(
    total: DayTotal, stored: Mapping[str, PlatformAccount], chosen: str, timezone: str, placed: Placed
) -> PlacedAccount | None:
    written, name = total.key.account_id, total.key.account
    external_id = platform_id(written) if written else account_id(name or chosen, stored.values())
    if not written and name and len(accounts_named(name, stored.values())) > 1:
        sentence = f"Several accounts are named {quote(name)}: download the report with the account ID."
        if sentence not in placed.problems:
            placed.problems.append(sentence)
        return None
    if len(external_id) > LONGEST_ID or not external_id:
        placed.problems.append(f"Line {total.line}: {quote(written or name)} isn’t a valid account.")
        return None
    if external_id not in placed.accounts:
        shown = name or ("" if platform_id(chosen) == external_id else chosen)
        row = stored.get(external_id)
        known = row.name if row and not name else shown
        placed.accounts[external_id] = PlacedAccount(external_id, known[:NAME_LENGTH], "", row, said_timezone=timezone)
    return placed.accounts[external_id]


def _note_currency(account: PlacedAccount, currency: str, line: int, placed: Placed) -> None:
    """Note the account's currency; several in a file, or another than the stored one, are problems."""
    known = account.currency or (account.stored.currency if account.stored else "")
    if currency and known and currency != known:
        sentence = f"The account {quote(str(account))} is in {known}, line {line} in {currency}."
        placed.problems.append(f"{sentence} Spend is never converted.")
    account.currency = known or currency


def _check_sign(total: DayTotal, account: PlacedAccount, placed: Placed) -> None:
    """Refuse an amount whose sign can't mean the account's currency."""
    if not total.currency and total.possible and account.currency not in total.possible:
        placed.problems.append(
            f"Line {total.line}: by its sign, the amount is in {codes_in_words(total.possible)}, but the account"
            f" {quote(str(account))} is in {account.currency}. Spend is never converted."
        )


def _add(total: DayTotal, account: PlacedAccount, placed: Placed) -> None:
    name = total.key.campaign
    external_id = platform_id(total.key.campaign_id) or id_by_name(name)
    if len(external_id) > LONGEST_ID:
        placed.problems.append(f"Line {total.line}: the campaign {quote(name)} is longer than {LONGEST_ID} characters.")
        return
    key = (account.external_id, external_id)
    found = placed.campaigns.setdefault(key, PlacedCampaign(account, external_id, name[:NAME_LENGTH]))
    if not total.key.campaign_id and found.name != name[:NAME_LENGTH]:
        placed.problems.append(
            f"The campaigns {quote(found.name)} and {quote(name)} can’t be told apart by their names: download the"
            " report with the campaign ID."
        )
        return
    found.totals[total.day] = found.totals.get(total.day, Decimal(0)) + total.total


def _find_links(source: str, placed: Placed) -> None:
    links = (
        CampaignLink.objects.filter(account__source=source, account__external_id__in=list(placed.accounts))
        .select_related("account", "campaign__brand")
        .order_by("pk")
    )
    by_id: dict[tuple[str, str], CampaignLink] = {}
    by_name: dict[tuple[str, str], list[CampaignLink]] = defaultdict(list)
    for link in links:
        by_id[link.account.external_id, link.external_id] = link
        by_name[link.account.external_id, link.name].append(link)
    for key, campaign in list(placed.campaigns.items()):
        campaign.link = by_id.get(key)
        if campaign.link is None and campaign.external_id == id_by_name(campaign.name):
            named = by_name[campaign.account.external_id, campaign.name]
            if len(named) == 1:
                campaign.link, campaign.external_id = named[0], named[0].external_id
            elif named:
                placed.problems.append(
                    f"The account has {len(named)} campaigns {quote(campaign.name)}: download the report with the"
                    " campaign ID."
                )


def _choose_brands(placed: Placed, chosen: Mapping[str, int], visible: QuerySet[Brand] | None) -> None:
    brands = Brand.objects.all() if visible is None else visible
    rows = {brand.pk: brand for brand in brands.filter(pk__in=list(chosen.values())).order_by()}
    named = find_brands({account.name for account in placed.accounts.values() if account.name}, visible)
    by_name = {brand.pk: brand for brand in brands.filter(pk__in=list(named.ids.values())).order_by()}
    for account in placed.accounts.values():
        key = account.external_id if account.external_id in chosen else ""
        if key in chosen and (key or len(placed.accounts) == 1):
            account.brand = rows.get(chosen[key])
        elif account.stored and account.stored.brand:
            account.brand = account.stored.brand
        elif account.name in named.ids:
            account.brand = by_name.get(named.ids[account.name])


def _propose(placed: Placed, visible: QuerySet[Brand] | None) -> None:
    """Propose the campaign of the same name in the account's brand for each that has no link yet."""
    wanted = {
        (each.account.brand.pk, each.name): each
        for each in placed.unlinked
        if each.account.brand and each.name and _may_book(each.account)
    }
    found = find_campaigns(set(wanted))
    rows = {row.pk: row for row in Campaign.objects.filter(pk__in=set(found.ids.values())).select_related("brand")}
    for (brand, name), pk in found.ids.items():
        for each in placed.unlinked:
            if each.account.brand and (each.account.brand.pk, each.name) == (brand, name) and _may_book(each.account):
                each.proposed = rows.get(pk)


def _may_book(account: PlacedAccount) -> bool:
    """Return whether the account's spend is in the brand's currency; it is never converted."""
    return account.brand is not None and account.currency == account.brand.currency


def may_create(campaign: PlacedCampaign) -> bool:
    """Return whether a campaign of ours can be created for one of the platform's."""
    try:
        return bool(normal_name(campaign.name)) and campaign.campaign is None and _may_book(campaign.account)
    except ValueError:
        return False


def brand_of(campaign: PlacedCampaign, *, link: bool, create: bool) -> Brand | None:
    """Return the brand that a campaign's spend counts for after an import that links by name and creates, or not."""
    if campaign.is_linked:
        return campaign.campaign.brand if campaign.campaign else None
    if link and campaign.proposed:
        return campaign.proposed.brand
    return campaign.account.brand if create and may_create(campaign) else None


def _check_twice(report: Report, placed: Placed) -> None:
    """Refuse spend that was imported by the campaign's name before: by its id it would count twice."""
    by_id = {
        (each.account.external_id, id_by_name(each.name)): each
        for each in placed.campaigns.values()
        if each.name and each.external_id != id_by_name(each.name)
    }
    if not by_id or report.days is None:
        return
    first, last = report.days
    earlier = SpendTotal.objects.filter(
        source=report.source,
        account__in=list(placed.accounts),
        campaign__in={campaign for _, campaign in by_id},
        day__range=(first, last),
    ).exclude(total=0)
    for total in earlier.order_by("account", "campaign", "day"):
        each = by_id.get((total.account, total.campaign))
        if each and each.totals.get(total.day):
            placed.problems.append(
                f"{quote(each.name)} was imported by its name for {total.day:%-d %B %Y}, and would count twice by its"
                " ID: use a file without IDs for these days."
            )
            return


def _check_visible(placed: Placed, visible: QuerySet[Brand]) -> None:
    brands = {each.link.campaign.brand_id for each in placed.campaigns.values() if each.link and each.link.campaign}
    seen = set(visible.filter(pk__in=brands).values_list("pk", flat=True))
    if brands - seen:
        placed.problems.append("The file holds spend of brands that you don’t have access to. Ask an administrator.")


def in_money(campaigns: Sequence[PlacedCampaign]) -> list[PlacedCampaign]:
    """Return the campaigns by their spend, the most first."""
    return sorted(campaigns, key=lambda each: (-sum(each.totals.values(), Decimal(0)), each.name, each.external_id))
