"""Clients that cost little: PostgreSQL's own pgbench, which comes with the server."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import url_of

TRANSACTIONS = re.compile(r"number of transactions actually processed: (\d+)")
PER_SECOND = re.compile(r"tps = ([\d.]+) \(without initial")


class PgbenchFailed(Exception):
    """pgbench isn't there, or one of its clients failed."""


@dataclass(frozen=True)
class Load:
    """What the clients did: transactions a second, and the share of one core that they took themselves."""

    per_second: float
    core: float


def run(scripts: Sequence[str], *, clients: int, transactions: int) -> Load:
    """Let each client do so many transactions, each one of the scripts at random, prepared."""
    with tempfile.TemporaryDirectory() as directory:
        files: list[str] = []
        for number, script in enumerate(scripts):
            path = Path(directory) / f"{number}.sql"
            path.write_text(script)
            files += ["--file", str(path)]
        counts = ["--client", str(clients), "--jobs", str(min(clients, 2)), "--transactions", str(transactions)]
        before, started = _processor_seconds(), time.perf_counter()
        done = subprocess.run(
            [find(), "--no-vacuum", "--protocol", "prepared", *counts, *files, url_of()],
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C"},
        )
        core = (_processor_seconds() - before) / (time.perf_counter() - started)
    processed, rate = TRANSACTIONS.search(done.stdout), PER_SECOND.search(done.stdout)
    if done.returncode or not processed or not rate or int(processed[1]) != clients * transactions:
        raise PgbenchFailed(f"pgbench failed: {done.stderr.strip() or done.stdout.strip()}")
    return Load(float(rate[1]), core)


def find() -> str:
    """Return pgbench's path: on the PATH, or where Debian keeps the newest server's programs."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), key=lambda path: float(path.parts[4]))
    path = shutil.which("pgbench") or (str(versions[-1]) if versions else None)
    if path is None:
        raise PgbenchFailed("There is no pgbench here: install PostgreSQL's server package, which brings it.")
    return path


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
