"""Measures what the work costs at size and writes docs/performance.md: `make bench`, or `python -m benchmarks`."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection
from tqdm import tqdm

from benchmarks import run
from benchmarks.bench import Bench
from benchmarks.databases import Databases
from benchmarks.parts import NAMES, PARTS, Part
from benchmarks.pgbench import PgbenchFailed
from benchmarks.results import Result
from benchmarks.sizes import FULL, QUICK, SizeError, Sizes, changed
from benchmarks.tables import text_table
from budget_manager.processes import exit_on_signals

QUICK_RUN: Path = settings.BASE_DIR / ".bench" / "quick"
KEPT: Path = settings.BASE_DIR / "docs" / "measured"
PAGE: Path = settings.BASE_DIR / "docs" / "performance.md"

HELP = f"""Measures what the work costs at size, as ratios to baselines in the same run, and writes
docs/performance.md. Run it as `make bench [ARGS="…"]`: that starts a PostgreSQL server for it.

Parts: {", ".join(NAMES)}.
What each part has found is kept in docs/measured/; the page is made of all that is there, so that a part can be
measured again alone.
"""


class Command(BaseCommand):
    help = HELP
    requires_migrations_checks = False
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--quick", action="store_true", help="small sizes, under two minutes; the page goes to .bench/quick"
        )
        parser.add_argument("--only", metavar="PART,…", help="measure these parts only")
        parser.add_argument(
            "--years",
            type=int,
            metavar="ROWS",
            help="spend records of the old ledger (10,000,000; 100,000,000 take 20 GB)",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="another size; see benchmarks/sizes.py. Needs --output",
        )
        parser.add_argument("--output", type=Path, metavar="DIR", help="keep what is found, and the page, there")
        parser.add_argument("--no-page", action="store_true", help="measure only")
        parser.add_argument("--page", action="store_true", help="measure nothing: write the page of what is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATABASE_CLOCK = False  # a bench lives at noons of its own
        try:
            sizes, places = read_sizes(options), read_places(options)
        except SizeError as error:
            raise CommandError(str(error)) from None
        parts = read_parts(options["only"])
        if not options["page"]:
            refuse_used_database()
            exit_on_signals()
            with Databases() as databases:
                self.measure(parts, Bench(sizes, databases), places)
        if not options["no_page"]:
            run.write_page(places)
            self.stdout.write(f"Wrote {places.page}.")

    def measure(self, parts: list[Part], bench: Bench, places: run.Places) -> None:
        bar = tqdm(parts, desc="Measuring", unit=" parts", disable=None, leave=False)
        bench.say = lambda text: bar.set_postfix_str(text[:60])

        def tell(result: Result, part: Part) -> None:
            bar.clear()
            self.stdout.write(text_table(result, part.title) + "\n")

        try:
            run.run(bar, bench, places, tell)
        except PgbenchFailed as error:
            raise CommandError(str(error)) from None


def read_sizes(options: dict[str, Any]) -> Sizes:
    sizes = QUICK if options["quick"] else FULL
    if options["years"] is not None:
        sizes = replace(sizes, years_rows=(sizes.years_rows[0], options["years"]))
    if options["set"] and not options["output"]:
        raise SizeError("--set needs --output DIR: the page in docs/ tells of the full sizes.")
    return changed(sizes, options["set"])


def read_places(options: dict[str, Any]) -> run.Places:
    given: Path | None = options["output"]
    if given:
        return run.Places(given, given / PAGE.name)
    if options["quick"]:
        return run.Places(QUICK_RUN, QUICK_RUN / PAGE.name)
    return run.Places(KEPT, PAGE)


def read_parts(only: str | None) -> list[Part]:
    names = only.split(",") if only else list(NAMES)
    unknown = set(names) - set(NAMES)
    if unknown:
        raise CommandError(
            f"--only {only}: there is no part {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}."
        )
    wanted = [part for part in PARTS if part.name in names]
    possible = [part for part in wanted if part.vendor == run.vendor() or run.vendor() == "postgresql"]
    if not possible:
        raise CommandError(
            "On SQLite only the part sqlite can be measured: run `make bench`, which starts a PostgreSQL."
        )
    return possible


def refuse_used_database() -> None:
    """A server whose database is there already is somebody's: what the bench does to it would be felt."""
    if connection.vendor == "sqlite":
        is_there = Path(str(connection.settings_dict["NAME"])).exists()
    else:
        try:
            connection.ensure_connection()
            is_there = True
        except OperationalError as error:
            if "does not exist" not in str(error):
                raise
            is_there = False
        connection.close()
    if is_there:
        raise CommandError(
            "The bench loads the server that it runs on, and DATABASE_URL names a database that is there: run"
            " `make bench`, which starts a server of its own."
        )
