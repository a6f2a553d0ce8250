"""The picture: seconds against the number of campaigns, both on logarithmic axes."""

from __future__ import annotations

import io
import logging

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from benchmarks.bench import Points

STYLES = {
    "the usual loop": ("#c0262d", "o", "-"),
    "ours, half changes": ("#1f4e9c", "s", "-"),
    "bare UPDATE and INSERT": ("#8fa8d0", "s", "--"),
    "ours, nothing changes": ("#1d7a3e", "^", "-"),
    "bare join": ("#93c4a4", "^", "--"),
    "ours, quick check over 100 touched brands": ("#8a4fa0", "D", "-"),
}
"""Colour, mark and line of each curve, in the order of the legend."""
EVERY_FIVE_MINUTES = 300


def draw(points: Points) -> bytes:
    """Return the picture as a PNG file."""
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 5.5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_yscale("log")
        for name, (colour, mark, line) in STYLES.items():
            curve = sorted(points.get(name, {}).items())
            if curve:
                sizes, taken = zip(*curve, strict=True)
                axes.plot(sizes, taken, color=colour, marker=mark, linestyle=line, label=name)
        axes.axhline(EVERY_FIVE_MINUTES, color="#7d838c", linewidth=0.8, linestyle=":")
        axes.annotate("five minutes", (0.005, EVERY_FIVE_MINUTES), (0, 3), ("axes fraction", "data"), "offset points")
        axes.set_xlabel("campaigns")
        axes.set_ylabel("seconds")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.grid(which="major", color="#000000", alpha=0.1, linewidth=0.6)
        if axes.lines[1:]:
            axes.legend(frameon=False, loc="lower right")
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=110)
    return picture.getvalue()


def together(found: list[Points]) -> Points:
    """Return the curves of several parts as one."""
    points: Points = {}
    for curves in found:
        for name, curve in curves.items():
            points.setdefault(name, {}).update(curve)
    return points
