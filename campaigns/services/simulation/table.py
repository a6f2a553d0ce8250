"""The report of a simulation in columns and sentences, for people; and its days as CSV, for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from campaigns.money import format_money
from campaigns.reasons import PauseReason
from campaigns.services.simulation.report import ZERO, BrandLine, DayLine, LimitLine, Report

NONE = "–"
REASON_HEADS = {
    PauseReason.OUTSIDE_SCHEDULE: "schedule",
    PauseReason.CAMPAIGN_DAILY_LIMIT: "campaign limit",
    PauseReason.BRAND_DAILY_BUDGET: "daily budget",
    PauseReason.BRAND_MONTHLY_BUDGET: "monthly budget",
}
LIMIT_NAMES = {
    PauseReason.CAMPAIGN_DAILY_LIMIT: "daily spend limit",
    PauseReason.BRAND_MONTHLY_BUDGET: "monthly budget",
}
Row = list[str]


def report_text(report: Report) -> str:
    """Return the whole report: the table by brand and day, other limits, the brands, and the summary."""
    parts = ["\n".join(_introduction(report)), _day_table(report)]
    if report.limits:
        parts.append(_limit_table(report))
    parts += [_brand_table(report), "\n".join(_summary(report))]
    return "\n\n".join(parts)


def _introduction(report: Report) -> Iterable[str]:
    history, zone = report.history, report.history.zone
    first, last = (f"{row.timestamp.astimezone(zone):%Y-%m-%d %H:%M}" for row in (history.rows[0], history.rows[-1]))
    yield (
        f"{_count(len(history.rows), 'row')}, {_count(len(history.brands), 'brand')}, "
        f"{_count(len(history.campaigns), 'campaign')}; {first} to {last} {zone.key}; "
        f"a check every {_duration(report.step)}."
    )
    if history.repeated:
        yield f"Lines that repeat an earlier one, and count once: {history.repeated:,}."
    if history.zeros:
        yield f"Lines with an amount of 0, which are left out: {history.zeros:,}."
    for plan in (line.plan for line in report.brands):
        if plan.median_day is not None:
            yield (
                f"Daily budget of {plan.name}: {format_money(plan.daily_budget)}, "
                f"from its median day of {format_money(plan.median_day)}."
            )


def _day_table(report: Report) -> str:
    money = Money(report)
    heads = ["brand", "day", "budget", "in file", "spent", "overspend", "%", "first\npause"]
    heads += [f"hours: {REASON_HEADS[reason]}".replace(" ", "\n", 1) for reason in report.reasons]
    rows = [_day_row(line, report, money) for line in report.days]
    return _columns([*heads, "avoided"], rows, left=2)


def _day_row(line: DayLine, report: Report, money: Money) -> Row:
    return [
        line.brand,
        str(line.day),
        money(line.budget),
        money(line.in_file),
        money(line.spent),
        money(line.overspend),
        _percent(line.overspend, line.budget),
        f"{line.first_pause.astimezone(report.history.zone):%H:%M}" if line.first_pause else NONE,
        *(_hours(line.paused.get(reason)) for reason in report.reasons),
        money(line.avoided),
    ]


def _limit_table(report: Report) -> str:
    money = Money(report)
    heads = ["other limits", "of", "in", "limit", "spent", "overspend", "%", "first pause"]
    rows = [_limit_row(line, report, money) for line in report.limits]
    return _columns(heads, rows, left=3)


def _limit_row(line: LimitLine, report: Report, money: Money) -> Row:
    return [
        LIMIT_NAMES[line.reason],
        str(line.whose),
        line.period,
        money(line.limit),
        money(line.spent),
        money(line.overspend),
        _percent(line.overspend, line.limit),
        _minute(line.first_pause, report),
    ]


def _brand_table(report: Report) -> str:
    money = Money(report)
    heads = ["brand", "days\npaused", "in file", "spent", "avoided", "worst\noverspend", "on"]
    heads += ["most between\ntwo checks", "from"]
    return _columns(heads, [_brand_row(line, report, money) for line in report.brands], left=1)


def _brand_row(line: BrandLine, report: Report, money: Money) -> Row:
    worst = line.worst
    return [
        line.plan.name,
        f"{sum(day.first_pause is not None for day in line.days)} of {len(line.days)}",
        *(money(amount) for amount in _totals(line.days)),
        money(worst.overspend if worst else None),
        str(worst.day) if worst else NONE,
        money(line.most.amount),
        _minute(line.most.span[0], report),
    ]


def _summary(report: Report) -> Iterable[str]:
    money = Money(report)
    in_file, spent, avoided = _totals(report.days)
    share = _percent(avoided, in_file)
    yield f"Spent {money(spent)} of {money(in_file)} in the file; avoided {money(avoided)} ({share} %)."
    worst = max(
        (line.worst for line in report.brands if line.worst),
        key=lambda day: day.overspend or ZERO,
        default=None,
    )
    if worst is None:
        yield "No daily budget was overspent."
    else:
        yield (
            f"Worst overspend: {money(worst.overspend)}, {_percent(worst.overspend, worst.budget)} % of the "
            f"budget, {worst.brand} on {worst.day}."
        )
    limited = any(c.daily_limit is not None for line in report.brands for c in line.plan.campaigns)
    if limited and not any(line.reason == PauseReason.CAMPAIGN_DAILY_LIMIT for line in report.limits):
        yield "No campaign reached its daily spend limit."
    brand = max(report.brands, key=lambda line: line.most.amount)
    yield (
        f"With a check every {_duration(report.step)}, no budget is passed by more than the most money "
        f"between two checks: {money(brand.most.amount)}, "
        f"{brand.plan.name} from {_minute(brand.most.span[0], report)}."
    )


def _totals(days: list[DayLine]) -> tuple[Decimal, Decimal, Decimal]:
    """Return what the file has, what was spent and what was avoided."""
    return (
        sum((line.in_file for line in days), ZERO),
        sum((line.spent for line in days), ZERO),
        sum((line.avoided for line in days), ZERO),
    )


class Money:
    """Writes amounts with the decimals that the finest of the report needs: exact, and in line."""

    def __init__(self, report: Report) -> None:
        amounts = [amount for line in report.days for amount in (line.in_file, line.spent, line.budget)]
        amounts += [amount for limit in report.limits for amount in (limit.limit, limit.spent)]
        amounts += [line.most.amount for line in report.brands]
        self.places = max(2, *(_places(amount) for amount in amounts if amount is not None))

    def __call__(self, amount: Decimal | None) -> str:
        return NONE if amount is None else f"{amount:,.{self.places}f}"


def _places(amount: Decimal) -> int:
    return -int(amount.normalize().as_tuple().exponent)


def _percent(part: Decimal | None, whole: Decimal | None) -> str:
    return f"{part / whole * 100:.2f}" if part is not None and whole else NONE


def _hours(paused: timedelta | None) -> str:
    return f"{paused / timedelta(hours=1):.2f}" if paused else NONE


def _minute(instant: datetime | None, report: Report) -> str:
    return f"{instant.astimezone(report.history.zone):%Y-%m-%d %H:%M}" if instant else NONE


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _duration(step: timedelta) -> str:
    seconds = int(step.total_seconds())
    if seconds % 60:
        return f"{seconds} seconds"
    return f"{seconds // 60} minutes" if seconds > 60 else "minute"


def _columns(heads: Sequence[str], rows: Sequence[Row], left: int) -> str:
    """Return the rows under their heads, the first columns to the left and the others to the right."""
    head_rows = _head_rows(heads)
    widths = [max(map(len, column)) for column in zip(*head_rows, *rows, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if number < left else text.rjust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [*head_rows, *rows]
    ]
    lines.insert(len(head_rows), "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def _head_rows(heads: Sequence[str]) -> list[Row]:
    """Return the lines of heads that may have several, the last ones on a level."""
    parts = [head.split("\n") for head in heads]
    height = max(map(len, parts))
    return [list(row) for row in zip(*([""] * (height - len(part)) + part for part in parts), strict=True)]


def report_csv(report: Report) -> str:
    """Return the lines by brand and day as CSV: exact amounts, minutes paused, empty for none."""
    heads = ["brand", "day", "budget", "in_file", "spent", "overspend", "first_pause"]
    heads += [f"minutes_{code}" for reason in REASON_HEADS for code in reason.codes]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*heads, "avoided"])
    for line in report.days:
        first = line.first_pause.astimezone(report.history.zone).isoformat() if line.first_pause else ""
        minutes = [line.paused.get(reason, timedelta(0)) / timedelta(minutes=1) for reason in REASON_HEADS]
        amounts = [_plain(amount) for amount in (line.budget, line.in_file, line.spent, line.overspend)]
        writer.writerow([line.brand, line.day, *amounts, first, *(f"{m:g}" for m in minutes), _plain(line.avoided)])
    return text.getvalue()


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"
