"""Measures what the work costs at size and writes docs/performance.md: `make bench`, or `python -m benchmarks`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import OperationalError, connection

from benchmarks import alerting, backtest, booking, checks, compare, http, page, pages, quick, waits, writers
from benchmarks.databases import Bench, log, server
from benchmarks.figures import SIZES, Figure, timed


class Part(NamedTuple):
    title: str
    measure: Callable[[Bench], list[Figure]]
    vendor: str = "postgresql"


# In the order in which they run.
PARTS = {
    "quick": Part("The quick check", quick.measure),
    "check": Part("Full check with nothing to change", checks.idle),
    "midnight": Part("Half of all campaigns change", checks.half),
    "waits": Part("People and writers beside a midnight check", waits.measure),
    "shards": Part("A full check in shards", checks.shards),
    "fold": Part("Folding", quick.measure_fold),
    "writers": Part("Writers", writers.measure),
    "http": Part("Spend over HTTP", http.measure),
    "booking": Part("Reported totals", booking.measure),
    "alerts": Part("Alerts", alerting.measure),
    "years": Part("Years of spend", pages.years),
    "pages": Part("The admin at size", pages.measure),
    "sqlite": Part("SQLite", waits.sqlite, "sqlite"),
}


def main(arguments: list[str]) -> None:
    options = parser().parse_args(arguments)
    settings.DATABASE_CLOCK = False  # the benchmarks choose their own times
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that databases are dropped
    if options.command == "backtest":
        sys.stdout.write(backtest.run(options.file) + "\n")
        return
    if options.command == "compare":
        refuse_used_database()
        sys.stdout.write(compare.run(options.checkout, brands=options.brands, rounds=options.rounds) + "\n")
        return
    kept, written = places(options)
    if not options.page:
        refuse_used_database()
        measure(options, kept)
    page.write(written, page.load(PARTS, kept))
    log(f"wrote {written}")


def parser() -> ArgumentParser:
    parser = ArgumentParser("python -m benchmarks", description=__doc__, epilog=f"Parts: {', '.join(PARTS)}.")
    parser.add_argument("--size", choices=SIZES, default="full", help="results of other sizes than full go to .bench")
    parser.add_argument("--quick", action="store_const", const="quick", dest="size", help="--size quick: a few minutes")
    parser.add_argument("--only", metavar="PART,…", type=part_names, default=list(PARTS), help="only these parts")
    parser.add_argument("--output", type=Path, metavar="DIR", help="write results and page to this directory")
    parser.add_argument("--page", action="store_true", help="measure nothing; write the page from kept results")
    commands = parser.add_subparsers(dest="command")
    comparing = commands.add_parser("compare", description=compare.__doc__)
    comparing.add_argument("checkout", type=Path)
    comparing.add_argument("--brands", type=int, default=10_000, help="with ten campaigns each")
    comparing.add_argument("--rounds", type=int, default=3)
    testing = commands.add_parser("backtest", description="Compare projections with what was spent.")
    testing.add_argument("file", type=Path, nargs="?", help="a CSV file of spend with timestamp, brand and amount")
    return parser


def part_names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(PARTS):
        raise ArgumentTypeError(f"no part is called {', '.join(sorted(unknown))}")
    return names


def places(options: Namespace) -> tuple[Path, Path]:
    """Return the directory of the results, and the page."""
    if options.size == "full" and not options.output:
        return page.TEMPLATE.with_name("measured"), page.TEMPLATE
    directory = options.output or settings.BASE_DIR / ".bench" / options.size
    return directory, directory / page.TEMPLATE.name


def measure(options: Namespace, kept: Path) -> None:
    """Measure parts one after the other; each is kept and shown when it ends."""
    with ExitStack() as stack:
        bench = Bench(SIZES[options.size], stack)
        for name in options.only:
            if PARTS[name].vendor == connection.vendor:
                measure_part(name, bench, kept)
            elif connection.vendor == "postgresql":
                measure_on_sqlite(name, options.size, kept)


def measure_part(name: str, bench: Bench, kept: Path) -> None:
    part = PARTS[name]
    log(part.title)
    taken, figures = timed(lambda: part.measure(bench))
    with server():
        page.save(name, part.title, figures, taken, kept)
    sys.stdout.write(f"{part.title} ({taken:.0f} s)\n\n{page.figures_table(figures)}\n\n")


def measure_on_sqlite(name: str, size: str, kept: Path) -> None:
    """Measure a part in a process of its own, whose default database is SQLite."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            [sys.executable, "-m", "benchmarks", "--size", size, "--only", name, "--output", str(kept)],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{directory}/unused.sqlite3"},
            check=True,
        )


def refuse_used_database() -> None:
    """Exit if the database exists: the benchmarks load its server, which others may be using."""
    if connection.vendor == "sqlite":
        return
    try:
        connection.ensure_connection()
    except OperationalError as error:
        if "does not exist" not in str(error):
            raise
    else:
        sys.exit("DATABASE_URL names an existing database, and the benchmarks load the whole server: run `make bench`.")
