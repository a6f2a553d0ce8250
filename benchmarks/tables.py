"""Figures in columns: for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figures import Figure
from benchmarks.results import Result

Row = list[str]
HEADS = ["", "ours", "baseline", "ratio", "from–to", "target", ""]


def text_table(result: Result, title: str) -> str:
    """Return a part's figures for a terminal."""
    rows = [row(figure) for figure in result.found.figures]
    widths = [max(map(len, column)) for column in zip(HEADS, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) if number == 0 else cell.rjust(width) for number, (cell, width) in pairs).rstrip()
        for pairs in (enumerate(zip(cells, widths, strict=True)) for cells in [HEADS, *rows])
    ]
    return "\n".join([f"{title} ({result.seconds:.0f} s)", *lines])


def figures_markdown(figures: Sequence[Figure]) -> str:
    lines = [markdown_row(HEADS), "|---|--:|--:|--:|--:|--:|---|"]
    for figure in figures:
        first, *others = row(figure)
        note = f" ({figure.note})" if figure.note else ""
        lines.append(markdown_row([first + note, *others]))
    return "\n".join(lines)


def plain_markdown(table: Sequence[Row]) -> str:
    """Return a table, its heads first, the first column being names and the others numbers."""
    heads, *rows = table
    return "\n".join([markdown_row(heads), "|---" + "|--:" * (len(heads) - 1) + "|", *map(markdown_row, rows)])


def markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def row(figure: Figure) -> Row:
    return [
        figure.name,
        amount(figure.ours, figure.unit),
        "" if figure.baseline is None else amount(figure.baseline, figure.unit),
        "" if figure.ratio is None else f"{figure.ratio:.3g}",
        spread(figure),
        target(figure),
        verdict(figure),
    ]


def spread(figure: Figure) -> str:
    if figure.spread is None or figure.spread[0] == figure.spread[1]:
        return ""
    low, high = figure.spread
    if figure.ratio is None:
        return f"{number(low)}–{number(high)}"
    return f"{low:.3g}–{high:.3g}"


def target(figure: Figure) -> str:
    unit = "" if figure.ratio is not None else f" {figure.unit}"
    if figure.most is not None:
        return f"≤ {number(figure.most)}{unit}".rstrip()
    return f"≥ {number(figure.least)}{unit}".rstrip() if figure.least is not None else ""


def verdict(figure: Figure) -> str:
    if figure.met is None:
        return ""
    if figure.met:
        return "met"
    return "missed" if figure.missed_by is None else f"missed by {figure.missed_by:.0%}"


def amount(value: float, unit: str) -> str:
    if unit == "s" and value < 0.1:
        return f"{value * 1000:.3g} ms"
    return f"{number(value)} {unit}".rstrip()


def number(value: float) -> str:
    """Return a number with the digits that a measurement has."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
