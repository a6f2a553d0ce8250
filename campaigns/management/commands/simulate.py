"""manage.py simulate: play a spend file through the real models and services, to choose budgets."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import connection
from tqdm import tqdm

from budget_manager.simulation import is_throw_away
from campaigns.rules.amounts import DecimalMark
from campaigns.services.platform_files.dates import DateOrder
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.checks import CheckTimes, Span
from campaigns.services.simulation.downloads import ASSUMED
from campaigns.services.simulation.history import read_history, spread
from campaigns.services.simulation.options import (
    Options,
    parse_amounts,
    parse_factor,
    parse_quick_step,
    parse_spread,
    parse_step,
    parse_window,
    parse_zone,
)
from campaigns.services.simulation.plan import make_plan
from campaigns.services.simulation.report import simulate
from campaigns.services.simulation.table import report_csv, report_text

PICTURES = (".png", ".svg")

HELP = """\
Plays the spend in FILE through the real models and services, with a full check every five simulated minutes and a
quick check every ten seconds, in a temporary SQLite database: while a campaign is paused, its rows are not spent. The
same is played with full checks only, for comparison.

FILE is a CSV of spend as import_spend reads it. Lines without spend, totals and notes are skipped; a file with an
invalid line is refused. FILE may also be a report by day as downloaded from an ad platform, CSV or XLSX: each
campaign's day is spent evenly over the day, and the brand is the account or, if the report names none, the platform.

At every check the rows since the previous one are recorded (only for campaigns still active), then the job runs:
fold, close periods that have ended, enforce. Each local midnight has a full check, as the daily reset. A row is spent
at its timestamp; with --spread, in even pieces over that many minutes, one for each quick check. Checks that can't
change anything are left out.

The table, by brand and local day:
  budget       the brand's daily budget
  in file      the sum of the brand's rows of that day: spent + avoided
  spent        what the budgets allowed, as recorded in the brand's closed day
  overspend    spend above the daily budget, also in %: money spent after the budget was reached and before the next
               check
  first pause  local time of the first check of the day after which one of the brand's campaigns, or all of them, were
               paused by a budget or limit; 00:00 if from the start
  hours: …     hours of the day in which at least one of the brand's campaigns was paused for that reason; several
               reasons can apply at once
  avoided      the sum of the rows not spent because their campaign was paused

The bound, by brand: the worst overspend of a day, and the largest spend between two checks, whether allowed or not. A
budget that isn't reached at one check can't be exceeded by more than that before the next. The second line of each
brand is for full checks only.

A median day is the median of the brand's sums by local day, over the days with rows; a budget derived from it is
rounded to cents. Amounts are in the file's currency.
"""


class HelpFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keeps the line breaks of the description, and lists Django's own options last."""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=HelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        repeatable: dict[str, Any] = {"action": "append", "default": []}
        parser.add_argument("file", type=Path, metavar="FILE", help="The CSV file of spend to play.")
        parser.add_argument(
            "--daily-budget",
            metavar="[BRAND=]AMOUNT",
            help="Daily budget of a brand, or of all other brands. Repeatable.",
            **repeatable,
        )
        parser.add_argument(
            "--daily-budget-factor",
            metavar="FACTOR",
            help="Daily budget of all other brands as a share of their median day, like 0.7.",
        )
        parser.add_argument(
            "--monthly-budget",
            metavar="[BRAND=]AMOUNT",
            help="Monthly budget of a brand, or of all other brands. Repeatable.",
            **repeatable,
        )
        parser.add_argument(
            "--campaign-limit",
            metavar="[CAMPAIGN=]AMOUNT",
            help="Daily spend limit of a campaign (CAMPAIGN or BRAND/CAMPAIGN), or of all others. Repeatable.",
            **repeatable,
        )
        parser.add_argument(
            "--window",
            metavar="[BRAND=]DAYS,START,END",
            help="A dayparting window of a brand's campaigns, or of all: Mon-Fri,08:00,20:00 or "
            "Mon+Wed,22:00,02:00 or daily,06:00,00:00. Repeatable.",
            **repeatable,
        )
        parser.add_argument(
            "--time-zone",
            default=settings.TIME_ZONE,
            metavar="ZONE",
            help="Time zone of the brands, like Asia/Shanghai. Default: %(default)s.",
        )
        parser.add_argument(
            "--check-every",
            default="5",
            metavar="MINUTES",
            help="Simulated minutes between checks, or seconds with an s, like 30s. Default: %(default)s.",
        )
        parser.add_argument(
            "--quick-every",
            default="10s",
            metavar="SECONDS",
            help="Simulated time between quick checks: seconds with an s, or minutes; 0 or never for none. "
            "Default: %(default)s.",
        )
        parser.add_argument(
            "--spread",
            default="0",
            metavar="MINUTES",
            help="Spread each row over this time from its timestamp on: 5 for a file of five-minute totals. "
            "Default: %(default)s, at once.",
        )
        parser.add_argument(
            "--date-order",
            choices=[order.value for order in DateOrder],
            help="How a platform's report writes days, if that isn't clear from the file: dmy, mdy or ymd.",
        )
        parser.add_argument(
            "--decimal",
            choices=(DecimalMark.POINT.value, DecimalMark.COMMA.value),
            help="The decimal separator of a platform's report, if that isn't clear from the file.",
        )
        parser.add_argument(
            "--plot",
            type=Path,
            metavar="FILE",
            help="Draw spend against budget, with pauses shaded, into this file: .png or .svg.",
        )
        parser.add_argument(
            "--csv", type=Path, metavar="FILE", help="Write the table by brand and day into this file: .csv."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_live_database()
        try:
            self.simulate(options)
        except SimulationError as error:
            raise CommandError(str(error)) from None

    def simulate(self, options: dict[str, Any]) -> None:
        """Check all options and the file first, then play, and write files at the end."""
        choices = read_options(options)
        check_output("--plot", options["plot"], PICTURES, options["file"])
        check_output("--csv", options["csv"], (".csv",), options["file"])
        answers = replace(
            ASSUMED,
            order=DateOrder(options["date_order"]) if options["date_order"] else None,
            decimal=DecimalMark(options["decimal"]) if options["decimal"] else None,
        )
        history = spread(read_history(options["file"], choices.zone, answers), choices.spread, choices.piece)
        plan = make_plan(choices, history)
        call_command("migrate", interactive=False, verbosity=0)
        report, steps = simulate(history, plan, choices.checks, progress)
        files: list[tuple[Path, bytes]] = []
        if options["plot"]:
            from campaigns.services.simulation.plot import draw  # takes half a second, only needed for a picture

            files.append((options["plot"], draw(report, steps, options["plot"].suffix.lower())))
        if options["csv"]:
            files.append((options["csv"], report_csv(report).encode()))
        for path, content in files:
            write(path, content)
        self.stdout.write(report_text(report))
        for path, _ in files:
            self.stdout.write(f"Wrote {path}.")


def refuse_live_database() -> None:
    is_temporary = settings.SIMULATION and is_throw_away(str(connection.settings_dict["NAME"]))
    if not is_temporary or connection.vendor != "sqlite":
        raise CommandError(
            "simulate needs the temporary database that manage.py creates: run it as `python manage.py simulate"
            " FILE.csv`."
        )


def read_options(options: dict[str, Any]) -> Options:
    factor, check = options["daily_budget_factor"], parse_step("--check-every", options["check_every"])
    return Options(
        daily_budgets=parse_amounts("--daily-budget", options["daily_budget"]),
        monthly_budgets=parse_amounts("--monthly-budget", options["monthly_budget"]),
        campaign_limits=parse_amounts("--campaign-limit", options["campaign_limit"]),
        factor=None if factor is None else parse_factor("--daily-budget-factor", factor),
        windows=[parse_window("--window", text) for text in options["window"]],
        zone=parse_zone("--time-zone", options["time_zone"]),
        checks=CheckTimes(check, parse_quick_step("--quick-every", options["quick_every"], check)),
        spread=parse_spread("--spread", options["spread"]),
    )


def check_output(option: str, path: Path | None, suffixes: tuple[str, ...], source: Path) -> None:
    if path is None:
        return
    if path.suffix.lower() not in suffixes:
        raise SimulationError(f"{option} {path}: use a file name that ends in {' or '.join(suffixes)}.")
    if not path.parent.is_dir():
        raise SimulationError(
            f"{option} {path}: the directory {path.parent} doesn't exist: create it, or use another one."
        )
    if path.is_dir():
        raise SimulationError(f"{option} {path} is a directory: use a file name.")
    if path.resolve() == source.resolve():
        raise SimulationError(f"{option} {path} is the simulated file: use another one.")


def write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SimulationError(f"{path} can't be written ({error.strerror}): use another file.") from None


def progress(spans: list[Span]) -> Iterable[Span]:
    """Show a progress bar on standard error, on a terminal only."""
    bar: Iterable[Span] = tqdm(spans, desc="Simulating", unit=" checks", disable=None, leave=False)
    return bar
