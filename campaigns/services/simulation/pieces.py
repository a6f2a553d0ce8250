"""Spreading: a row that is the total of some minutes, spent evenly in pieces over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from campaigns.rules.money import from_micros, to_micros
from campaigns.rules.periods import LATEST
from campaigns.services.intake.csv_reader import Row
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.history import History

# They take a gigabyte of memory and about ten minutes.
MOST_PIECES = 2_000_000


def spread(history: History, over: timedelta, piece: timedelta) -> History:
    """Return the history with each row cut into pieces, from its timestamp on; over 0 leaves it as it is.

    The pieces of a row add up to it exactly. They have no external ids: the file's repetitions are out already.
    """
    if not over:
        return history
    pieces = len(history.rows) * -(-over // piece)
    if pieces > MOST_PIECES:
        raise SimulationError(
            f"--spread cuts the file's {len(history.rows):,} rows into {pieces:,} pieces, more than {MOST_PIECES:,}: "
            "spread over less, give a longer --quick-every, or a shorter file."
        )
    if history.rows[-1].timestamp + over > LATEST:
        raise SimulationError(f"--spread goes past {LATEST:%Y-%m-%d}: correct a wrong year in the file.")
    rows = [part for row in history.rows for part in _pieces(row, over, piece)]
    rows.sort(key=lambda row: row.timestamp)
    return replace(history, rows=rows)


def _pieces(row: Row, over: timedelta, piece: timedelta) -> Iterator[Row]:
    """Yield what is spent up to the end of each piece less what was spent before it, in whole millionths."""
    total, spent, begun = to_micros(row.amount), 0, timedelta(0)
    while begun < over:
        until = min(begun + piece, over)
        due = total * (until // timedelta.resolution) // (over // timedelta.resolution)
        if due != spent:
            yield Row(row.line, row.timestamp + begun, row.brand, row.campaign, from_micros(due - spent), None)
        spent, begun = due, until
