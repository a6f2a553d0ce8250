"""What an actor does: `python -m benchmarks.roles ROLE OPTIONS`, see benchmarks.actors.

Of a person and a writer the longest wait counts: the time from the beginning of a save or an insert to its commit.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
import threading
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

GO_ON = 0.001
"""Seconds that a person and a writer rest: they are always there, and don't take the machine for themselves."""
stopped = threading.Event()


def main(role: str, options: dict[str, Any]) -> None:
    act = ROLES[role](**options)
    say("ready")
    while line := sys.stdin.readline():
        stopped.clear()
        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        answer = act(**json.loads(line))
        listener.join()
        say(json.dumps(answer))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def listen() -> None:
    """Wait to be told to stop, or for the end of who would tell."""
    sys.stdin.readline()
    stopped.set()


def set_up() -> None:
    """Make the product ready; a writer does without, as a connector's client is not Django's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
    django.setup()
    from django.conf import settings

    settings.DATABASE_CLOCK = False  # a bench lives at noons of its own


def check(*, at: str) -> Callable[[], dict[str, Any]]:
    """One full check, whatever is said meanwhile."""
    set_up()
    from django.db import connection

    from campaigns.services.jobs.full_check import full_check

    connection.ensure_connection()

    def act() -> dict[str, Any]:
        started = time.perf_counter()
        done = full_check("bench", clock=lambda: datetime.fromisoformat(at))
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "changed": done.enforcement.changed, "megabytes": peak_megabytes()}

    return act


def shard() -> Callable[..., dict[str, Any]]:
    """One shard of a check, with parallel query off."""
    set_up()
    from campaigns.database.connection import execute
    from campaigns.services.jobs.shards import run_shard

    execute("SET max_parallel_workers_per_gather = 0")

    def act(check: str, number: int, at: str) -> dict[str, Any]:
        ended = run_shard(UUID(check), number, clock=lambda: datetime.fromisoformat(at))
        return {"changed": ended.enforcement.changed if ended else None}

    return act


def peak_megabytes() -> float:
    """Return the most memory that this process has had; Linux's getrusage would tell of its parent too."""
    status = Path("/proc/self/status")
    if status.exists():
        (kilobytes,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) / 2**10
    return getrusage(RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def person(*, at: str, brands: int, campaigns_of_each: int, rest: float = GO_ON) -> Callable[[], dict[str, Any]]:
    """Saves one campaign after the other as the admin does, of brands with even ids: those that a check changes.

    Between two saves there are `rest` seconds.
    """
    set_up()
    from django.db import connection, transaction

    from campaigns.models import Campaign
    from campaigns.services.enforcement.saving import begin_change, finish_change
    from campaigns.services.scope import Scope

    connection.ensure_connection()

    def clock() -> datetime:
        return datetime.fromisoformat(at)

    def save() -> None:
        brand = 2 * random.randint(1, brands // 2)
        campaign = brand * campaigns_of_each - random.randrange(campaigns_of_each)
        with transaction.atomic():
            begin_change([brand], clock=clock)
            Campaign.objects.filter(pk=campaign).update(daily_spend_limit=random.randint(900_000, 999_999))
            finish_change(Scope.of_campaigns([campaign]), clock=clock, actor="bench")

    return lambda: again_and_again(save, rest)


def writer(*, brands: int, campaigns_of_each: int) -> Callable[[], dict[str, Any]]:
    """Inserts one row after the other, as a connector does."""
    insert = connector()

    def write() -> None:
        campaign = random.randint(1, brands * campaigns_of_each)
        insert((campaign - 1) // campaigns_of_each + 1, campaign)

    return lambda: again_and_again(write)


def connector() -> Callable[[int, int], object]:
    """Return what inserts a record of a brand and campaign by the database's own client."""
    sql = "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount) VALUES (%s, %s, 0.000001)"
    url = os.environ["DATABASE_URL"]
    if url.startswith("sqlite"):
        name = unquote(url.removeprefix("sqlite:///"))
        file = sqlite3.connect(name, timeout=20, isolation_level=None)
        return lambda brand, campaign: file.execute(sql.replace("%s", "?"), (brand, campaign))
    client = psycopg.connect(url, autocommit=True)
    return lambda brand, campaign: client.execute(sql, (brand, campaign), prepare=True)


def again_and_again(work: Callable[[], object], rest: float = GO_ON) -> dict[str, Any]:
    longest, count = 0.0, 0
    while not stopped.is_set() or count == 0:
        started = time.perf_counter()
        work()
        longest = max(longest, time.perf_counter() - started)
        count += 1
        time.sleep(rest)
    return {"count": count, "longest": longest}


ROLES: dict[str, Callable[..., Callable[..., dict[str, Any]]]] = {
    "check": check,
    "person": person,
    "shard": shard,
    "writer": writer,
}

if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
