"""Simulations in a test's own database, from lines of text."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from campaigns.management.commands.simulate import read_options
from campaigns.services.simulation.history import History, read_history, spread
from campaigns.services.simulation.options import Options
from campaigns.services.simulation.plan import make_plan
from campaigns.services.simulation.report import DayLine, Report
from campaigns.services.simulation.report import simulate as compare

HEAD = "timestamp,brand,campaign,amount,external_id\n"
CHECK_ALONE: dict[str, object] = {
    "daily_budget": [],
    "daily_budget_factor": None,
    "monthly_budget": [],
    "campaign_limit": [],
    "window": [],
    "time_zone": "UTC",
    "check_every": "5",
    "quick_every": "never",
    "spread": "0",
}


def simulate(rows: str, **given_options: object) -> Report:
    """Play lines of "timestamp brand/campaign amount" in the test's own database, which is empty."""
    return simulate_file(as_csv(rows), **given_options)


def simulate_file(text: str, **given_options: object) -> Report:
    history, options = read(text, **given_options)
    return compare(history, make_plan(options, history), options.checks)[0]


def as_csv(rows: str) -> str:
    lines = [line.split() for line in rows.strip().splitlines()]
    return HEAD + "".join(f"{at},{who.replace('/', ',')},{amount},\n" for at, who, amount in lines)


def read(text: str, **given_options: object) -> tuple[History, Options]:
    options = read_options(CHECK_ALONE | given_options)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "spend.csv"
        path.write_text(text)
        return spread(read_history(path, options.zone), options.spread, options.piece), options


def money(line: DayLine) -> tuple[str, str, str]:
    """What was spent, overspent and avoided."""
    return str(line.spent), str(line.overspend), str(line.avoided)


def clock(instant: datetime | None, zone: str = "UTC", form: str = "%H:%M") -> str:
    return instant.astimezone(ZoneInfo(zone)).strftime(form) if instant else "never"
