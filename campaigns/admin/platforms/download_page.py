"""What the page of a downloaded report shows: how it is read, its money by brand and day, and what is left out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from campaigns.admin.shared.display import chip, link_to, table
from campaigns.admin.shared.preview_table import EFFECTS, effects_table, status_counts, title, zone_notes
from campaigns.rules.money import format_amount, format_money
from campaigns.rules.platforms import SOURCES
from campaigns.services.platform_files.answers import Ask
from campaigns.services.platform_files.download import UNASSIGNED, Download
from campaigns.services.platform_files.effects import MOST_LINKS, MOST_TOTALS, ReachedBudget, ReportEffects
from campaigns.services.platform_files.placing import PlacedAccount, PlacedCampaign, in_money, may_create
from campaigns.services.platform_files.read_rows import table_rows
from campaigns.services.platform_files.stored_answers import Choices

# Rows of tables on the page.
SHOWN = 100
FIRST_ROWS = 5
MAX_COLUMNS = 30
MAX_PROBLEMS = 20
SHOWN_CAMPAIGNS = 3
SHOWN_BUDGETS = 5
TOO_LARGE = (
    f"Reports with more than {MOST_TOTALS:,} totals of this month, or more than {MOST_LINKS:,} campaigns to link, have"
    " no preview of statuses."
)


def download_context(download: Download, choices: Choices, would: ReportEffects | None) -> dict[str, Any]:
    problems = download.problems
    context: dict[str, Any] = {
        "first_rows": _first_rows(download),
        "accounts": next((question.options for question in download.questions if question.ask is Ask.ACCOUNT), ()),
        "problems": problems[:MAX_PROBLEMS],
        "more_problems": max(len(problems) - MAX_PROBLEMS, 0),
        "notes": list(download.report.notes),
        "is_asking": bool(download.questions),
    }
    if download.questions:
        return context
    return context | {
        "can_import": download.may_import,
        "figures": [*_figures(download), *_effect_figures(would)],
        "notes": [*context["notes"], *_notes(download), *_effect_notes(would)],
        "effects": _effects(would),
        "days": _days(download, choices),
        "campaigns": _campaigns(download, choices),
        "unlinked": len(download.placed.unlinked),
    }


def _first_rows(download: Download) -> SafeString:
    headings = [heading or "–" for heading in download.report.table.headings[:MAX_COLUMNS]]
    rows = [
        [(*row.cells, *[""] * len(headings))[place] for place in range(len(headings))]
        for row, _ in zip(table_rows(download.report.table), range(FIRST_ROWS), strict=False)
    ]
    return table(headings, rows, empty="The table has no rows.", label="First rows of the file")


def _figures(download: Download) -> list[tuple[str, str]]:
    """Return how many totals are new, also if none is, and the other counts that aren't 0."""
    changes, new = download.changes, download.changes.get("new", 0)
    words = {"changed": "changed", "unchanged": "unchanged", "older": "older than stored"}
    others = [(changes.get(name, 0), word) for name, word in words.items()]
    others += [(count, f"{kind.counted(count)}, left out") for kind, count in download.report.left_out.items()]
    shown = [(f"{count:,}", word) for count, word in others if count]
    return [(f"{new:,}", "new total" if new == 1 else "new totals"), *shown]


def _effect_figures(would: ReportEffects | None) -> list[tuple[str, str]]:
    if would is None:
        return []
    brands = len({each.brand for each in would.reached})
    reached = [(f"{brands:,}", "brand reaches a budget" if brands == 1 else "brands reach a budget")] if brands else []
    return [*status_counts(would.effects), *reached]


def _effect_notes(would: ReportEffects | None) -> list[str]:
    """Return what the import does to statuses and budgets, in sentences."""
    if would is None:
        return []
    if would.is_too_large:
        return [TOO_LARGE]
    notes = [_reached(each) for each in would.reached[:SHOWN_BUDGETS]]
    if len(would.reached) > SHOWN_BUDGETS:
        notes.append(f"{len(would.reached) - SHOWN_BUDGETS:,} more budgets are reached.")
    if would.decreases:
        totals = "1 total falls" if would.decreases == 1 else f"{would.decreases:,} totals fall"
        notes.append(
            f"{totals} below what is booked. Decreases are booked by the full check, within five minutes, and large"
            " ones are held until someone releases them; statuses are shown without them."
        )
    if would.with_records:
        notes.append(_may_count_twice(would.with_records))
    if would.is_unassigned:
        notes.append("The spend stays unassigned, and pauses nothing, until its campaigns are linked to a brand’s.")
    elif not would.effects.changes:
        notes.append("No campaign changes its status.")
    return [*notes, *zone_notes(would.effects)]


def _may_count_twice(names: list[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:SHOWN_CAMPAIGNS])
    more = f" and {len(names) - SHOWN_CAMPAIGNS:,} more" if len(names) > SHOWN_CAMPAIGNS else ""
    have = "has" if len(names) == 1 else "have"
    return (
        f"{shown}{more} already {have} spend records of another sender. The report’s spend is added to it: if both are"
        " the same spend, it counts twice."
    )


def _reached(each: ReachedBudget) -> str:
    period = "today" if each.is_day else "this month"
    name = "daily budget" if each.is_day else "monthly budget"
    spent = f"{format_amount(each.spend, each.currency)} of {format_money(each.budget, each.currency)}"
    return f"{each.brand} reaches its {name}: {spent} {period}."


def _effects(would: ReportEffects | None) -> tuple[str, SafeString] | None:
    if would is None or not would.effects.changes:
        return None
    return title(EFFECTS, len(would.effects.changes)), effects_table(would.effects, would.created)


def _notes(download: Download) -> list[str]:
    report = download.report
    platform = SOURCES.get(report.source, "Unknown platform")
    notes = [f"{platform}, table from line {report.table.line}."]
    if report.days:
        first, last = report.days
        days = f"{first:%-d %B %Y}" if first == last else f"{first:%-d %B %Y} to {last:%-d %B %Y}"
        sums: dict[str, Decimal] = {}
        for row in download.days():
            sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.amount
        totals = " and ".join(format_money(amount, currency) for currency, amount in sums.items())
        notes.append(f"{totals} for {days}, in the account’s days.")
    else:
        notes.append("The file has no spend to import.")
    notes += [
        f"The account {account} reports {account.currency}, and the brand"
        f" {account.brand.name} is in {account.brand.currency}. Spend is never converted: choose another brand."
        for account in download.placed.accounts.values()
        if account.brand and account.currency != account.brand.currency
    ]
    notes += [note for account in download.placed.accounts.values() if (note := _zone_note(account, report.timezone))]
    if download.known:
        notes.append(f"Read as the format “{download.known}”.")
    summed = sum(total.rows > 1 for total in report.totals)
    if summed:
        notes.append(f"Rows by device, hour or ad are added up: {summed:,} totals consist of several rows.")
    return notes


def _zone_note(account: PlacedAccount, of_file: str) -> str:
    """Return how the account's days are taken, where it has no time zone of its own or the file has another."""
    name, stored = str(account), account.stored.timezone if account.stored else ""
    if stored:
        if of_file and of_file != stored:
            return f"The file’s days are in {of_file}, but those of the account {name} are taken to be in {stored}."
        return ""
    if account.said_timezone:
        says = "the file says" if of_file else "you say"
        return f"The days of the account {name} are days in {account.said_timezone}, as {says}."
    if account.brand:
        return (
            f"The time zone of the account {name} isn’t known: its days are taken as days in"
            f" {account.brand.timezone}, as the brand’s."
        )
    return (
        f"The time zone of the account {name} is unknown: its spend is imported, but waits as unassigned until the time"
        " zone is set on the account’s page, or a brand is chosen here."
    )


def _days(download: Download, choices: Choices) -> SafeString:
    days = download.days(link=choices.link, create=choices.create)
    rows: list[tuple[Any, ...]] = [
        (
            row.brand if row.brand != UNASSIGNED else chip(UNASSIGNED.lower(), "warning"),
            str(row.day),
            format_money(row.amount, row.currency),
            f"{row.campaigns:,}",
        )
        for row in days[:SHOWN]
    ]
    if len(days) > SHOWN:
        rows.append((f"and {len(days) - SHOWN:,} more", "", "", ""))
    heads = ("Brand", "Day", "Spend", "Campaigns")
    return table(heads, rows, numbers=(2, 3), empty="No spend.", label="Spend by brand and day")


def _campaigns(download: Download, choices: Choices) -> SafeString:
    found = in_money(list(download.placed.campaigns.values()))
    rows = [
        (
            str(each),
            _destination(each, choices),
            format_money(sum(each.totals.values(), Decimal(0)), each.account.currency),
            str(each.account),
        )
        for each in sorted(found, key=lambda each: each.is_linked)[:SHOWN]
    ]
    heads = ("In the report", "Counts for", "Spend", "Account")
    return table(heads, rows, numbers=(2,), empty="No campaigns.", label="Campaigns of the report")


def _destination(each: PlacedCampaign, choices: Choices) -> Any:
    """Return what the campaign's spend counts for, as the import would have it."""
    if each.link and each.link.ignored:
        return chip("ignored", "plain")
    if each.is_linked and each.campaign:
        return link_to(each.campaign, f"{each.campaign.brand} / {each.campaign}")
    if each.proposed and choices.link:
        return f"{each.proposed.brand} / {each.proposed} (same name)"
    if choices.create and may_create(each) and each.account.brand:
        return f"new campaign in {each.account.brand}"
    return chip(UNASSIGNED.lower(), "warning")
