"""Which stored account a person or a file means by an ID or a name, and whether a report is surely of it."""

from __future__ import annotations

from collections.abc import Iterable

from campaigns.models import CampaignLink, PlatformAccount
from campaigns.rules.names import name_key
from campaigns.rules.platforms import id_by_name, platform_id
from campaigns.services.platform_files.report import Report


def accounts_named(text: str, stored: Iterable[PlatformAccount]) -> list[PlatformAccount]:
    """Return the accounts of this name, unless it is the id of one."""
    known = list(stored)
    if any(each.external_id == platform_id(text) for each in known):
        return []
    return [each for each in known if each.name and name_key(each.name) == name_key(text)]


def account_id(text: str, stored: Iterable[PlatformAccount]) -> str:
    """Return the id of the account that a person or file names, by its id or name: “123-456-7890”, “Acme”."""
    known = list(stored)
    by_name = accounts_named(text, known)
    if len(by_name) == 1:
        return by_name[0].external_id
    plain = platform_id(text)
    if any(each.external_id == plain for each in known) or any(char.isdigit() for char in plain):
        return plain
    return id_by_name(text)


def is_of_account(report: Report, account: str) -> bool:
    """Return whether the report is surely of the account: by its campaigns' ids, or by all of their names.

    Accounts often have campaigns of the same names, so none of the names may be another account's.
    """
    ids = {platform_id(total.key.campaign_id) for total in report.totals if total.key.campaign_id}
    names = {total.key.campaign for total in report.totals if not total.key.campaign_id}
    links = CampaignLink.objects.filter(account__source=report.source).order_by()
    by_id = links.filter(external_id__in=ids)
    if ids and (not by_id.filter(account__external_id=account) or by_id.exclude(account__external_id=account)):
        return False
    known = links.filter(name__in=names)
    own = set(known.filter(account__external_id=account).values_list("name", flat=True))
    return bool(ids or names) and own == names and not known.exclude(account__external_id=account)
