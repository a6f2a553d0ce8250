"""The chart of a simulation: each brand's daily spend against its budget, with pauses shaded."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import groupby

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from campaigns.rules.reasons import LABELS, PauseReason
from campaigns.services.intake.csv_reader import Row
from campaigns.services.simulation.play import Step
from campaigns.services.simulation.report import ZERO, BrandLine, Report
from campaigns.services.simulation.tally import brand_reasons

SUFFIXES = (".png", ".svg")
SPENT, UNLIMITED, BUDGET, FAINT = "#1f4e9c", "#7d838c", "#c0262d", "#5c6068"
SHADES = {
    PauseReason.OUTSIDE_SCHEDULE: "#d9dce1",
    PauseReason.CAMPAIGN_DAILY_LIMIT: "#bfe3cb",
    PauseReason.BRAND_DAILY_BUDGET: "#ffe0ae",
    PauseReason.BRAND_MONTHLY_BUDGET: "#e6c4ea",
}
WIDTH, PANEL_HEIGHT, FRAME_HEIGHT = 13.0, 2.7, 1.3
MAX_PANELS = 20
LEGEND_COLUMNS = 4
# Tick labels for years, months, days, hours, minutes and seconds.
TIME_FORMATS = ["%Y", "%b %Y", "%a %d %b", "%H:%M", "%H:%M", "%H:%M:%S"]
# Labels at the end of the axis, for the same ticks.
OFFSET_FORMATS = ["", "", "%Y", "%Y", "%Y", "%Y"]


def draw(report: Report, steps: list[Step], suffix: str) -> bytes:
    """Return the picture as a file of one of SUFFIXES; the same simulation gives the same bytes.

    One panel per brand, for the brands with the highest spend. Amounts become floats for drawing only.
    """
    brands = sorted(report.brands, key=lambda line: -sum((day.in_file for day in line.days), ZERO))[:MAX_PANELS]
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # or it logs its font cache
    with mpl.rc_context(
        {
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.parse_math": False,  # two $ in a brand's name are no formula
            "svg.hashsalt": "simulation",  # or every run names the elements of an SVG differently
        }
    ):
        figure = Figure(figsize=(WIDTH, PANEL_HEIGHT * len(brands) + FRAME_HEIGHT), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(brands), 1, sharex=True, squeeze=False)[:, 0]
        for panel, brand in zip(panels, sorted(brands, key=lambda line: line.plan.name), strict=True):
            _draw_brand(panel, brand, steps)
        _draw_time_axis(panels[-1], report, steps)
        _draw_legend(figure, report)
        picture = io.BytesIO()
        undated = {"Date": None} if suffix == ".svg" else {}
        figure.savefig(picture, format=suffix.removeprefix("."), dpi=110, metadata=undated)
    return picture.getvalue()


def _draw_brand(panel: Axes, brand: BrandLine, steps: list[Step]) -> None:
    name, budget = brand.plan.name, brand.plan.daily_budget
    for start, end, reasons in _pauses(name, steps):
        for number, reason in enumerate(reasons):
            low, high = number / len(reasons), (number + 1) / len(reasons)
            panel.axvspan(_days(start), _days(end), low, high, color=SHADES.get(reason), linewidth=0, zorder=0)
    panel.plot(*_saws(name, steps, lambda step: (*step.spent, *step.avoided)), color=UNLIMITED, linewidth=0.8)
    instants, spent = _saws(name, steps, lambda step: step.spent)
    panel.plot(instants, spent, color=SPENT, linewidth=1.7)
    panel.fill_between(instants, spent, color=SPENT, alpha=0.08, linewidth=0, zorder=-1)
    if budget is not None:
        panel.axhline(float(budget), color=BUDGET, linewidth=1.1, linestyle=(0, (5, 3)))
    panel.set_title(name, loc="left", fontweight="bold")
    panel.set_title(_caption(brand), loc="right", color=FAINT, fontsize=9)
    panel.set_ylabel("spend of the day")
    if min(spent) >= 0:
        panel.set_ylim(bottom=0)
    panel.yaxis.set_major_locator(MaxNLocator(5))
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    panel.grid(axis="y", color="#000000", alpha=0.08, linewidth=0.6)


def _caption(brand: BrandLine) -> str:
    spent = sum((day.spent for day in brand.days), ZERO)
    avoided = sum((day.avoided for day in brand.days), ZERO)
    text = f"spent {spent:,.2f}, avoided {avoided:,.2f}"
    if brand.plan.daily_budget is not None:
        text = f"daily budget {brand.plan.daily_budget:,.2f}, {text}"
    if brand.worst is not None:
        text += f", worst overspend {brand.worst.overspend:,.2f}"
    return text


def _pauses(brand: str, steps: list[Step]) -> Iterator[tuple[datetime, datetime, list[PauseReason]]]:
    """Yield the stretches in which at least one campaign of the brand is paused, each with its reasons."""
    for reasons, group in groupby(steps, key=lambda step: brand_reasons(step)[brand]):
        stretch = list(group)
        if reasons:
            yield stretch[0].start, stretch[-1].end, list(reasons)


def _saws(brand: str, steps: list[Step], rows_of: Callable[[Step], Iterable[Row]]) -> tuple[list[float], list[float]]:
    """Return the points of the day's sum so far, back at 0 at each local midnight."""
    instants, sums = [], []
    for _, group in groupby(steps, key=lambda step: step.day):
        total = ZERO
        for number, step in enumerate(group):
            if number == 0:
                instants.append(_days(step.start))
                sums.append(0.0)
            total += sum((row.amount for row in rows_of(step) if row.brand == brand), ZERO)
            instants.append(_days(step.end))
            sums.append(float(total))
    return instants, sums


def _days(instant: datetime) -> float:
    """Return the instant as matplotlib counts time: in days since 1970 in UTC."""
    return instant.timestamp() / 86_400


def _draw_time_axis(panel: Axes, report: Report, steps: list[Step]) -> None:
    zone = report.history.zone
    locator = AutoDateLocator(tz=zone, minticks=4, maxticks=14)
    panel.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, tz=zone, formats=TIME_FORMATS, offset_formats=OFFSET_FORMATS)
    panel.xaxis.set_major_formatter(formatter)
    panel.set_xlim(_days(steps[0].start), _days(steps[-1].end))
    panel.set_xlabel(f"local time, {zone.key}")


def _draw_legend(figure: Figure, report: Report) -> None:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=SPENT, linewidth=1.7, label="spent"),
        Line2D([], [], color=UNLIMITED, linewidth=0.8, label="without budgets (the file)"),
    ]
    if any(line.plan.daily_budget is not None for line in report.brands):
        handles.append(Line2D([], [], color=BUDGET, linewidth=1.1, linestyle=(0, (5, 3)), label="daily budget"))
    handles += [Patch(color=SHADES.get(reason), label=f"paused: {LABELS[reason]}") for reason in report.reasons]
    figure.legend(handles=handles, loc="outside upper center", ncols=LEGEND_COLUMNS, frameon=False)
    if len(report.brands) > MAX_PANELS:
        figure.supxlabel(f"The {MAX_PANELS} brands with the highest spend, of {len(report.brands)}.", color=FAINT)
