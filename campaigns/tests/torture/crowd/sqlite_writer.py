"""A connector on SQLite, as a process of its own: `python sqlite_writer.py FILE SECONDS SEED BRAND:CAMPAIGN …`.

Plain sqlite3 with a timeout, as docs/connector.md says; nothing of Django's or ours. Prints as JSON how many rows it
wrote, the millionths that it wrote for each campaign, and the longest wait in seconds.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random

INSERT = (
    "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, external_id) VALUES (?, ?, ?, ?, ?)"
)
AMOUNTS = ("1", "-1", "0.000001", "3.333333", "-3.333333", "20", "-20", "0.1")

Row = tuple[int, int, str, str, str]


def make(random: Random, places: list[tuple[int, int]], count: int) -> list[Row]:
    return [make_row(random, *random.choice(places)) for _ in range(count)]


def make_row(random: Random, brand: int, campaign: int) -> Row:
    at = datetime.now(UTC) + timedelta(minutes=random.uniform(-4000, 4000) * random.choice([0, 0, 1]))
    name = f"{sys.argv[3]} {random.getrandbits(60)}"
    return brand, campaign, random.choice(AMOUNTS), f"{at:%Y-%m-%d %H:%M:%S}", name


def write(connection: sqlite3.Connection, random: Random, places: list[tuple[int, int]]) -> list[Row]:
    """Write a row, a batch, or several statements with a pause between them; all of it or, by an error, nothing."""
    rows = make(random, places, random.choice([1, 1, 1, 20, 100]))
    with connection:
        connection.executemany(INSERT, rows)
        if random.random() < 0.1:
            time.sleep(random.uniform(0, 0.1))
            more = make(random, places, 1)
            connection.executemany(INSERT, more)
            rows += more
    return rows


def main(file: str, seconds: float, seed: int, places: list[tuple[int, int]]) -> None:
    random, written, rows, longest = Random(seed), Counter[int](), 0, 0.0
    until = time.monotonic() + seconds
    with closing(sqlite3.connect(file, timeout=20)) as connection:
        while time.monotonic() < until:
            begun = time.monotonic()
            for _, campaign, amount, _, _ in write(connection, random, places):
                written[campaign] += round(float(amount) * 1_000_000)
                rows += 1
            longest = max(longest, time.monotonic() - begun)
            time.sleep(random.uniform(0, 0.05))
    sys.stdout.write(json.dumps({"rows": rows, "written": written, "longest": longest}))


if __name__ == "__main__":
    main(
        sys.argv[1],
        float(sys.argv[2]),
        int(sys.argv[3]),
        [(int(brand), int(campaign)) for brand, campaign in (place.split(":") for place in sys.argv[4:])],
    )
