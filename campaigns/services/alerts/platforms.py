"""Alerts about spend that platforms report: unassigned, held, and sources that are silent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from campaigns.rules.alerts import State
from campaigns.rules.money import format_money
from campaigns.rules.platforms import SOURCES
from campaigns.services.alerts.look import Look
from campaigns.services.totals.held import held_decreases
from campaigns.services.totals.silence import silent_accounts
from campaigns.services.totals.unassigned import unassigned_spend

# Alerts are evaluated for all, and sent to those who may see them.
ALL_BRANDS = None


def unassigned(look: Look) -> Iterator[State]:
    """Yield the accounts with spend that waits; once a month and account."""
    sums: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    campaigns: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for each in unassigned_spend(ALL_BRANDS).open:
        key = each.source, each.account, each.account_name or each.account, each.currency
        sums[key] += each.amount
        campaigns[key] += 1
    for key, amount in sorted(sums.items()):
        source, account, name, currency = key
        yield State(
            f"account {source} {account}",
            f"{format_money(amount, currency or '–')} of {SOURCES[source]} account {name} aren’t assigned:"
            f" {campaigns[key]} campaign{'' if campaigns[key] == 1 else 's'}",
            period=f"{look.now:%Y-%m}",
            meaning="This spend counts for no budget until its campaigns are linked.",
            is_bad=True,
            figures={"amount": str(amount), "currency": currency, "campaigns": campaigns[key]},
        )


def held(look: Look) -> Iterator[State]:
    for each in held_decreases(ALL_BRANDS):
        if each.is_rejected:
            continue
        less = format_money(each.booked - each.reported, each.currency or "–")
        yield State(
            f"account {each.source} {each.account}",
            f"{SOURCES[each.source]} account {each.account_name or each.account} reports {less} less for {each.day}",
            period=f"{each.day}",
            meaning="The decrease is held: what is booked counts until a person releases or rejects it.",
            is_bad=True,
            figures={"reported": str(each.reported), "booked": str(each.booked), "currency": each.currency},
        )


def silent(look: Look) -> Iterator[State]:
    """Yield the accounts that should have reported; a source that reports and falls silent again is a new alert."""
    for each in silent_accounts(now=look.now):
        if each.reported_until is None:
            continue
        until = each.reported_until
        yield State(
            f"account {each.source} {each.external_id}",
            f"{each.get_source_display()} account {each} has reported no spend since {until:%Y-%m-%d %H:%M} UTC",
            period=f"{until:%Y-%m-%dT%H:%M:%S}",
            meaning="Budgets don’t see what it spends. Look at the connector and at the account’s access.",
            is_bad=True,
            figures={"reported_until": until.isoformat()},
        )
