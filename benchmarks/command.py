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
from benchmarks.sizes import SIZES, Sizes
from benchmarks.tables import text_table
from budget_manager.launcher.processes import exit_on_signals

DOCS: Path = settings.BASE_DIR / "docs"
PAGE = "performance.md"

HELP = f"""Measures what the work costs at size, as ratios to baselines in the same run, and writes docs/performance.md.

Parts: {", ".join(NAMES)}.
Results are kept by part in docs/measured, and the page is written from all of them, so that a part can be measured
again alone.
"""


class Command(BaseCommand):
    help = HELP
    requires_migrations_checks = False
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--quick",
            action="store_const",
            const="quick",
            default="full",
            dest="size",
            help="small sizes, under two minutes; results and page go to .bench/quick",
        )
        parser.add_argument("--size", choices=SIZES, help="other sizes than full need --output")
        parser.add_argument("--only", metavar="PART,…", help="measure only these parts")
        parser.add_argument(
            "--years", type=int, metavar="ROWS", help="spend records of the old ledger (10,000,000; 100,000,000: 20 GB)"
        )
        parser.add_argument("--output", type=Path, metavar="DIR", help="write results and page to this directory")
        parser.add_argument("--no-page", action="store_true", help="write results only")
        parser.add_argument("--page", action="store_true", help="measure nothing; write the page from kept results")

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATABASE_CLOCK = False  # the benchmarks choose their own times
        sizes, places = sizes_of(options), places_of(options)
        parts = parts_of(options["only"])
        if not options["page"]:
            refuse_used_database()
            exit_on_signals()
            with Databases() as databases:
                self.measure(parts, Bench(sizes, databases), places, options["size"])
        if not options["no_page"]:
            run.write_page(places)
            self.stdout.write(f"Wrote {places.page}.")

    def measure(self, parts: list[Part], bench: Bench, places: run.Places, size: str) -> None:
        bar = tqdm(parts, desc="Measuring", unit=" parts", disable=None, leave=False)
        bench.say = lambda text: bar.set_postfix_str(text[:60])

        def show(result: Result, part: Part) -> None:
            bar.clear()
            self.stdout.write(text_table(result, part.title) + "\n")

        try:
            run.run(bar, bench, places, show, size)
        except PgbenchFailed as error:
            raise CommandError(str(error)) from None


def sizes_of(options: dict[str, Any]) -> Sizes:
    sizes = SIZES[options["size"]]
    if options["years"] is not None:
        sizes = replace(sizes, years_rows=(sizes.years_rows[0], options["years"]))
    return sizes


def places_of(options: dict[str, Any]) -> run.Places:
    if directory := options["output"]:
        return run.Places(directory, directory / PAGE)
    if options["size"] == "full":
        return run.Places(DOCS / "measured", DOCS / PAGE)
    directory = settings.BASE_DIR / ".bench" / options["size"]
    return run.Places(directory, directory / PAGE)


def parts_of(only: str | None) -> list[Part]:
    names = only.split(",") if only else list(NAMES)
    unknown = set(names) - set(NAMES)
    if unknown:
        raise CommandError(f"--only {only}: no part is called {', '.join(sorted(unknown))}. Parts: {', '.join(NAMES)}.")
    wanted = [part for part in PARTS if part.name in names]
    possible = [part for part in wanted if part.vendor == run.vendor() or run.vendor() == "postgresql"]
    if not possible:
        raise CommandError("On SQLite only the part sqlite can be measured. `make bench` starts a PostgreSQL server.")
    return possible


def refuse_used_database() -> None:
    """Raise CommandError if the database exists: the benchmarks load its server, which others may be using."""
    if connection.vendor == "sqlite":
        exists = Path(str(connection.settings_dict["NAME"])).exists()
    else:
        try:
            connection.ensure_connection()
            exists = True
        except OperationalError as error:
            if "does not exist" not in str(error):
                raise
            exists = False
        connection.close()
    if exists:
        raise CommandError(
            "DATABASE_URL names an existing database, and the benchmarks load the whole server. Run `make bench`, which"
            " starts its own server."
        )
