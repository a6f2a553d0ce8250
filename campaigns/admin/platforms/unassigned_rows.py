"""The rows of unassigned spend by account: why each waits, and where the account is set up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from campaigns.admin.shared.display import change_address
from campaigns.models import PlatformAccount
from campaigns.models.platforms.totals import Waiting
from campaigns.rules.money import format_money
from campaigns.rules.platforms import SOURCES, shown_id
from campaigns.services.totals.unassigned import UnassignedSpend

# Accounts that a sentence names.
SHOWN_ACCOUNTS = 3

WHY = {
    Waiting.UNLINKED: "not linked to a campaign",
    Waiting.IGNORED: "ignored",
    Waiting.CURRENCY: "the account’s currency isn’t the brand’s",
    Waiting.ZONE: "the account’s time zone is unknown",
    Waiting.FAILED: "couldn’t be booked",
}


def account_name(spend: UnassignedSpend) -> str:
    return spend.account_name or shown_id(spend.account)


def campaign_name(spend: UnassignedSpend) -> str:
    return spend.name or shown_id(spend.campaign)


def groups(spend: Sequence[UnassignedSpend]) -> Iterable[dict[str, Any]]:
    """Yield the accounts, in order of their first row, with their rows."""
    accounts: dict[tuple[str, str], list[UnassignedSpend]] = {}
    for each in spend:
        accounts.setdefault((each.source, each.account), []).append(each)
    for (source, account), rows in accounts.items():
        yield {
            "title": f"{SOURCES[source]}: {account_name(rows[0])}",
            "id": shown_id(account) if rows[0].account_name else "",
            "settings": _account_to_set(rows),
            "money": format_money(sum((each.amount for each in rows), Decimal(0)), rows[0].currency or "–"),
            "rows": [
                {
                    "key": each.key,
                    "name": campaign_name(each),
                    "id": shown_id(each.campaign) if each.name else "",
                    "amount": format_money(each.amount, each.currency or "–"),
                    "since": each.first_day,
                    "until": each.last_day,
                    "days": each.days,
                    "why": WHY[each.waiting] + (f": {each.problem}" if each.problem else ""),
                    "note": each.note,
                }
                for each in rows
            ],
        }


def _account_to_set(rows: Sequence[UnassignedSpend]) -> dict[str, str] | None:
    """Return where the account's time zone or currency is set, if its spend waits for one."""
    missing = [each for each in rows if each.account_id and each.waiting in (Waiting.ZONE, Waiting.CURRENCY)]
    if not missing:
        return None
    what = "time zone" if missing[0].waiting == Waiting.ZONE else "currency"
    return {"address": change_address(PlatformAccount(pk=missing[0].account_id)), "label": f"Set the account’s {what}"}


def without_zone(spend: Iterable[UnassignedSpend]) -> list[str]:
    """Return the accounts whose spend can't be booked, as their time zone is unknown."""
    return sorted({account_name(each) for each in spend if not each.timezone})


def when_booked(spend: Iterable[UnassignedSpend]) -> str:
    names = without_zone(spend)
    return waits_for_zone(names, "here") if names else "The spend is booked by the next check, within 10 seconds."


def waits_for_zone(names: Sequence[str], where: str) -> str:
    """Return the sentence about accounts whose spend can't be booked, as their time zone is unknown."""
    shown = ", ".join(f"“{name}”" for name in names[:SHOWN_ACCOUNTS])
    more = f" and {len(names) - SHOWN_ACCOUNTS:,} more" if len(names) > SHOWN_ACCOUNTS else ""
    until = "the account’s time zone is set on its page"
    if len(names) > 1:
        until = "the accounts’ time zones are set on their pages"
    return f"The spend of {shown}{more} waits {where} until {until}."
