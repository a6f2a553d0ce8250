"""Measures the chosen parts, keeps what they find, and writes the page."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from benchmarks import page, results
from benchmarks.bench import Bench
from benchmarks.parts import NAMES, Part
from benchmarks.results import Result, sizes_as_json
from campaigns.database.connection import is_postgresql

TEMPLATE: Path = settings.BASE_DIR / "docs" / "performance.md"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Places:
    """Where what was measured is kept, and the page written."""

    kept: Path
    page: Path


def run(parts: Iterable[Part], bench: Bench, places: Places, show: Callable[[Result, Part], None], size: str) -> None:
    """Measure parts one after the other; what a part has found is kept and shown at once."""
    for part in parts:
        bench.say(part.title)
        if part.vendor == vendor():
            results.save(measure(part, bench), places.kept)
        else:
            measure_on_sqlite(part, size, places.kept)
        found = results.load(part.name, places.kept)
        if found:
            show(found, part)


def write_page(places: Places) -> None:
    """Write the page of all that was measured so far."""
    found = {name: result for name in NAMES if (result := results.load(name, places.kept))}
    page.write(TEMPLATE, places.page, found)


def measure(part: Part, bench: Bench) -> Result:
    started = time.perf_counter()
    found = part.measure(bench)
    with bench.databases.server():
        machine = results.machine()
    return Result(
        part=part.name,
        found=found,
        sizes=sizes_as_json(bench.sizes),
        machine=machine,
        commit=results.commit(),
        at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        seconds=time.perf_counter() - started,
    )


def vendor() -> str:
    return "postgresql" if is_postgresql() else "sqlite"


def measure_on_sqlite(part: Part, size: str, kept: Path) -> None:
    """Measure a part in a process of its own, whose default database is SQLite."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "benchmarks",
                "--size",
                size,
                "--only",
                part.name,
                "--no-page",
                "--output",
                str(kept),
            ],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{directory}/unused.sqlite3"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
