"""The report of a simulation in columns and sentences, for people; and its days as CSV, for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from campaigns.rules.csv_guard import guarded
from campaigns.rules.money import format_amount
from campaigns.rules.reasons import LIMITS, PauseReason
from campaigns.services.simulation.checks import CheckTimes
from campaigns.services.simulation.report import ZERO, BrandLine, DayLine, LimitLine, Report

NONE = "–"
REASON_HEADS = {PauseReason.OUTSIDE_SCHEDULE: "schedule"} | {reason: limit.name for reason, limit in LIMITS.items()}
Row = list[str]


def report_text(report: Report) -> str:
    """Return the whole report: the table by brand and day, other limits, the brands, the bound, and the summary."""
    parts = ["\n".join(_introduction(report)), _day_table(report)]
    if report.limits:
        parts.append(_limit_table(report))
    parts += [_brand_table(report), _bound_table(report), "\n".join(_summary(report))]
    return "\n\n".join(parts)


def _introduction(report: Report) -> Iterable[str]:
    history, zone = report.history, report.history.zone
    first, last = (f"{row.timestamp.astimezone(zone):%Y-%m-%d %H:%M}" for row in (history.rows[0], history.rows[-1]))
    checks = f"a check every {_duration(report.checks.check)}"
    if report.checks.quick:
        checks += f", a quick check every {_duration(report.checks.quick)}"
    yield (
        f"{_count(history.lines, 'row')}, {_count(len(history.brands), 'brand')},"
        f" {_count(len(history.campaigns), 'campaign')}; {first} to {last} {zone.key}; {checks}."
    )
    if history.is_spread:
        yield f"The rows are spread into {len(history.rows):,} pieces; amounts are rounded."
    if history.repeated:
        yield f"Repeated lines, counted once: {history.repeated:,}."
    if history.zeros:
        yield f"Lines without spend, skipped: {history.zeros:,}."
    for plan in (line.plan for line in report.brands):
        if plan.median_day is not None:
            yield (
                f"Daily budget of {plan.name}: {format_amount(plan.daily_budget, '')}, from its median day of"
                f" {format_amount(plan.median_day, '')}."
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
        _local(line.first_pause, report, _clock_format(report)),
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
        LIMITS[line.reason].name,
        str(line.whose),
        line.period,
        money(line.limit),
        money(line.spent),
        money(line.overspend),
        _percent(line.overspend, line.limit),
        _moment(line.first_pause, report),
    ]


def _brand_table(report: Report) -> str:
    money = Money(report)
    heads = ["brand", "days\npaused", "in file", "spent", "avoided"]
    return _columns(heads, [_brand_row(line, money) for line in report.brands], left=1)


def _brand_row(line: BrandLine, money: Money) -> Row:
    paused = sum(day.first_pause is not None for day in line.days)
    return [line.plan.name, f"{paused} of {len(line.days)}", *(money(amount) for amount in _totals(line.days))]


def _bound_table(report: Report) -> str:
    """Return the worst overspend and its bound by brand, and the same with full checks only."""
    money = Money(report)
    heads = ["brand", "a check every", "worst\noverspend", "%", "on", "peak between\ntwo checks", "from"]
    rows = [
        _bound_row(each.brands[number], each.checks, money, report)
        for number in range(len(report.brands))
        for each in filter(None, (report, report.alone))
    ]
    return _columns(heads, rows, left=2)


def _bound_row(line: BrandLine, checks: CheckTimes, money: Money, report: Report) -> Row:
    worst = line.worst
    return [
        line.plan.name,
        _duration(checks.shortest),
        money(worst.overspend if worst else None),
        _percent(worst.overspend, worst.budget) if worst else NONE,
        str(worst.day) if worst else NONE,
        money(line.peak.amount),
        _moment(line.peak.span.start, report),
    ]


def _summary(report: Report) -> Iterable[str]:
    money = Money(report)
    in_file, spent, avoided = _totals(report.days)
    share = _percent(avoided, in_file)
    yield f"Spent {money(spent)} of {money(in_file)} in the file; avoided {money(avoided)} ({share} %)."
    alone = report.alone
    worst = _worst(report, money)
    if alone:
        worst += f"; with full checks only, every {_duration(alone.checks.check)}: {_worst(alone, money)}"
    yield f"Worst overspend: {worst}."
    limited = any(c.daily_limit is not None for line in report.brands for c in line.plan.campaigns)
    if limited and not any(line.reason == PauseReason.CAMPAIGN_DAILY_LIMIT for line in report.limits):
        yield "No campaign reached its daily spend limit."
    kind, peak = "quick check" if alone else "check", _peak(report, money, report)
    if alone:
        peak += f"; with full checks only: {_peak(alone, money, report)}"
    yield (
        f"With a {kind} every {_duration(report.checks.shortest)}, overspend is limited to the largest spend between "
        f"two checks: {peak}."
    )


def _worst(report: Report, money: Money) -> str:
    worst = report.worst
    if worst is None:
        return "none"
    share = _percent(worst.overspend, worst.budget)
    return f"{money(worst.overspend)}, {share} % of the budget, {worst.brand} on {worst.day}"


def _peak(report: Report, money: Money, shown_in: Report) -> str:
    brand = max(report.brands, key=lambda line: line.peak.amount)
    return f"{money(brand.peak.amount)}, {brand.plan.name} from {_moment(brand.peak.span.start, shown_in)}"


def _totals(days: list[DayLine]) -> tuple[Decimal, Decimal, Decimal]:
    """Return the sums in the file, spent and avoided."""
    return (
        sum((line.in_file for line in days), ZERO),
        sum((line.spent for line in days), ZERO),
        sum((line.avoided for line in days), ZERO),
    )


class Money:
    """Formats amounts with the decimals that the finest amount of the report needs.

    If rows are spread, with the decimals of the file's days and the limits, because pieces have six.
    """

    def __init__(self, report: Report) -> None:
        amounts = [amount for line in report.days for amount in (line.in_file, line.budget)]
        amounts += [limit.limit for limit in report.limits]
        if not report.history.is_spread:
            for each in filter(None, (report, report.alone)):
                amounts += [line.spent for line in each.days]
                amounts += [limit.spent for limit in each.limits]
                amounts += [line.peak.amount for line in each.brands]
        self.places = max(2, *(_places(amount) for amount in amounts if amount is not None))

    def __call__(self, amount: Decimal | None) -> str:
        return NONE if amount is None else f"{amount:,.{self.places}f}"


def _places(amount: Decimal) -> int:
    return -int(amount.normalize().as_tuple().exponent)


def _percent(part: Decimal | None, whole: Decimal | None) -> str:
    return f"{part / whole * 100:.2f}" if part is not None and whole else NONE


def _hours(paused: timedelta | None) -> str:
    return f"{paused / timedelta(hours=1):.2f}" if paused else NONE


def _moment(instant: datetime | None, report: Report) -> str:
    return _local(instant, report, f"%Y-%m-%d {_clock_format(report)}")


def _clock_format(report: Report) -> str:
    """Return the format of times, with seconds if checks have them."""
    return "%H:%M:%S" if report.checks.shortest % timedelta(minutes=1) else "%H:%M"


def _local(instant: datetime | None, report: Report, form: str) -> str:
    return f"{instant.astimezone(report.history.zone):{form}}" if instant else NONE


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _duration(step: timedelta) -> str:
    seconds = int(step.total_seconds())
    if seconds % 60:
        return f"{seconds} seconds" if seconds > 1 else "second"
    return f"{seconds // 60} minutes" if seconds > 60 else "minute"


def _columns(heads: Sequence[str], rows: Sequence[Row], left: int) -> str:
    """Return a text table, the first columns aligned left and the others right."""
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
    """Return the lines of multi-line column heads, aligned at the bottom."""
    parts = [head.split("\n") for head in heads]
    height = max(map(len, parts))
    return [list(row) for row in zip(*([""] * (height - len(part)) + part for part in parts), strict=True)]


def report_csv(report: Report) -> str:
    """Return the days as CSV: exact amounts, minutes paused, empty for none."""
    heads = ["brand", "day", "budget", "in_file", "spent", "overspend", "first_pause"]
    heads += [f"minutes_{code}" for reason in REASON_HEADS for code in reason.codes]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*heads, "avoided"])
    for line in report.days:
        first = line.first_pause.astimezone(report.history.zone).isoformat() if line.first_pause else ""
        minutes = [line.paused.get(reason, timedelta(0)) / timedelta(minutes=1) for reason in REASON_HEADS]
        amounts = [_plain(amount) for amount in (line.budget, line.in_file, line.spent, line.overspend)]
        named = (guarded(line.brand), line.day)
        writer.writerow([*named, *amounts, first, *(f"{m:g}" for m in minutes), _plain(line.avoided)])
    return text.getvalue()


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"
