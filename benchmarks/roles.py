"""The roles of workers: `python -m benchmarks.roles ROLE OPTIONS`, see benchmarks.workers.

Nothing of the application is imported at the top: `compare` chooses its checkout first, and writers do without it.
"""

from __future__ import annotations

import json
import os
import random
import select
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import django
import psycopg

Answer = dict[str, Any]
# Seconds between two saves or inserts, so that workers don't take all cores.
REST = 0.001
INSERT = "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount) VALUES (%s, %s, 0.000001)"

# Without a buffer, so that select() sees every line that isn't read yet.
commands = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115


def main(role: str, options: dict[str, Any]) -> None:
    act = ROLES[role](**options)
    answer: object = "ready"
    while True:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        line = commands.readline()
        if not line:
            return
        answer = act(**json.loads(line))
        commands.readline()  # stop


def set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.DATABASE_CLOCK = False  # the benchmarks choose their own times
    connection.ensure_connection()


def check(*, at: str) -> Callable[[], Answer]:
    """One full check."""
    set_up()
    from campaigns.services.jobs.full_check import full_check

    def act() -> Answer:
        started = time.perf_counter()
        full_check("bench", clock=lambda: datetime.fromisoformat(at))
        return {"seconds": time.perf_counter() - started, "megabytes": peak_megabytes()}

    return act


def peak_megabytes() -> float:
    """Return the most memory that this process has had; Linux's getrusage includes its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        (kilobytes,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) / 2**10
    return getrusage(RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def shard() -> Callable[..., Answer]:
    """One shard of a check, without parallel query."""
    set_up()
    from campaigns.database.connection import execute
    from campaigns.services.jobs.shards import run_shard

    execute("SET max_parallel_workers_per_gather = 0")

    def act(check: str, number: int, at: str) -> Answer:
        ended = run_shard(UUID(check), number, clock=lambda: datetime.fromisoformat(at))
        return {"changed": ended.enforcement.changed if ended else None}

    return act


def person(*, at: str, brands: int, campaigns_per_brand: int, rest: float = REST) -> Callable[[], Answer]:
    """Saves campaigns as the admin does, of brands with even ids: those that a check changes."""
    set_up()
    from django.db import transaction

    from campaigns.models import Campaign
    from campaigns.services.enforcement.saving import begin_change, finish_change
    from campaigns.services.scope import Scope

    def clock() -> datetime:
        return datetime.fromisoformat(at)

    def save() -> None:
        brand = 2 * random.randint(1, brands // 2)
        campaign = brand * campaigns_per_brand - random.randrange(campaigns_per_brand)
        with transaction.atomic():
            begin_change([brand], clock=clock)
            Campaign.objects.filter(pk=campaign).update(daily_spend_limit=random.randint(900_000, 999_999))
            finish_change(Scope.of_campaigns([campaign]), clock=clock, actor="bench")

    return lambda: repeat(save, rest)


def writer(*, brands: int, campaigns_per_brand: int) -> Callable[[], Answer]:
    """Inserts one row after the other with the database's own client, as a connector does."""
    url = os.environ["DATABASE_URL"]
    if url.startswith("sqlite"):
        file = sqlite3.connect(unquote(url.removeprefix("sqlite:///")), timeout=20, isolation_level=None)
    else:
        client = psycopg.connect(url, autocommit=True)

    def write() -> None:
        brand = random.randint(1, brands)
        row = (brand, brand * campaigns_per_brand - random.randrange(campaigns_per_brand))
        if url.startswith("sqlite"):
            file.execute(INSERT.replace("%s", "?"), row)
        else:
            client.execute(INSERT, row, prepare=True)

    return lambda: repeat(write, REST)


def repeat(work: Callable[[], object], rest: float) -> Answer:
    """Work until stop() is called; the longest wait is from the beginning of a save or an insert to its commit."""
    longest, count = 0.0, 0
    while not count or not select.select([commands], [], [], rest)[0]:
        started = time.perf_counter()
        work()
        longest = max(longest, time.perf_counter() - started)
        count += 1
    return {"count": count, "longest": longest}


def checkout(*, path: str, brands: int) -> Callable[..., Answer]:
    """Does the tasks of `compare` with the application of a checkout."""
    sys.path.insert(0, path)
    set_up()
    import campaigns
    from benchmarks.compare import tasks

    if not Path(str(campaigns.__file__)).is_relative_to(path):
        raise ImportError(f"{path} has no package campaigns")
    by_name = tasks(brands)
    return lambda task: {"seconds": by_name[task]()}


ROLES: dict[str, Callable[..., Callable[..., Answer]]] = {
    "check": check,
    "checkout": checkout,
    "person": person,
    "shard": shard,
    "writer": writer,
}

if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
