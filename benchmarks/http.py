"""Batches sent over HTTP, to the Procfile's web server, beside the same rows in a multi-row INSERT sent by psycopg.

The web server is a process of its own. One baseline has the usual form, a row of placeholders a record; the other is
the very INSERT that a batch ends in, from lists of values. All send 10,000 records at a time, on one connection.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import IO, Any, cast

import psycopg
from django.conf import settings

from benchmarks.databases import Bench, log, url_of_default
from benchmarks.figures import Figure, compare, pairs_of, seconds
from benchmarks.world import CAMPAIGNS_PER_BRAND, empty_ledger
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.api_keys import create_key
from campaigns.services.intake.records import INSERT

# In a run of each side.
BATCHES = 5
COLUMNS = ("brand_id", "campaign_id", "amount", "timestamp", "external_id")
AT = datetime(2026, 10, 30, 12, tzinfo=UTC)
PATH = "/api/v1/spend"
LOGIN = "/admin/login/"

Record = tuple[int, int, Decimal, datetime, str]


def measure(bench: Bench) -> list[Figure]:
    numbers, rows = itertools.count(1), bench.sizes.request_rows
    with bench.inside(bench.large_world()) as world, web_server() as server:
        _, key = create_key("benchmark", [Scope.SPEND_WRITE], created_by="benchmarks")

        def batches() -> list[list[Record]]:
            return [records(next(numbers), world.campaigns, rows) for _ in range(BATCHES)]

        def over_http() -> float:
            bodies = [body_of(each) for each in batches()]
            return BATCHES * rows / seconds(lambda: server.send(key, bodies))

        figures = []
        for name, insert, least in (
            ("batches of 10,000, beside a multi-row INSERT", insert_rows, 0.85),
            ("the same, beside the same INSERT from arrays", insert_arrays, None),
        ):
            log(f"sending {name}")
            baseline = partial(direct, insert, batches)
            pairs = pairs_of(over_http, baseline, bench.sizes, before=empty_ledger)
            figures.append(compare(name, pairs, "rows/s", least=least))
        log("memory and pages beside batches")
        figures += beside(server, key, batches)
        empty_ledger()
    return figures


def beside(server: WebServer, key: str, batches: Callable[[], list[list[Record]]]) -> list[Figure]:
    """Return what the web server's memory gains by further batches, and how long a page takes beside four senders."""
    bodies = [body_of(each) for each in batches()]
    before = server.megabytes()
    for _ in range(5):
        server.send(key, bodies)
    gained = server.megabytes() - before
    alone = [seconds(server.get) for _ in range(20)]
    senders = [subprocess.Popen(sender(server, key), stdin=subprocess.PIPE) for _ in range(4)]
    for each in senders:
        with cast("IO[bytes]", each.stdin) as given:
            given.write(bodies[0])
    time.sleep(1)
    crowded = [seconds(server.get) for _ in range(20)]
    for each in senders:
        each.terminate()
        each.wait()
    return [
        Figure("memory that 25 further batches add to a web process", gained, "MB", most=20),
        Figure("a page beside four senders, alone", 1000 * median(crowded), "ms", baseline=1000 * median(alone)),
        Figure("the longest of 20 such pages", 1000 * max(crowded), "ms", most=1000),
    ]


def sender(server: WebServer, key: str) -> list[str]:
    """Return a command that sends one batch again and again."""
    code = (
        "import http.client, sys\n"
        "body = sys.stdin.buffer.read()\n"
        f"headers = {{'Authorization': 'Bearer {key}', 'Content-Type': 'application/json'}}\n"
        f"connection = http.client.HTTPConnection('127.0.0.1', {server.port})\n"
        "while True:\n"
        f"    connection.request('POST', '{PATH}', body, headers)\n"
        "    connection.getresponse().read()\n"
    )
    return [sys.executable, "-c", code]


def records(number: int, campaigns: int, rows: int) -> list[Record]:
    """Return a batch of records of campaigns at random, each with an id of its own."""
    picked = [random.randint(1, campaigns) for _ in range(rows)]
    return [
        ((campaign - 1) // CAMPAIGNS_PER_BRAND + 1, campaign, Decimal("0.001234"), AT, f"{number}-{place}")
        for place, campaign in enumerate(picked)
    ]


def body_of(batch: list[Record]) -> bytes:
    rows = [
        {"campaign": campaign, "amount": str(amount), "timestamp": at.isoformat(), "external_id": external_id}
        for _, campaign, amount, at, external_id in batch
    ]
    return json.dumps(rows).encode()


def direct(insert: Callable[[Any, list[Record]], None], batches: Callable[[], list[list[Record]]]) -> float:
    made = batches()
    with closing(psycopg.connect(url_of_default(), autocommit=True)) as client:

        def send() -> None:
            for batch in made:
                insert(client, batch)

        return sum(map(len, made)) / seconds(send)


def insert_rows(client: Any, batch: list[Record]) -> None:
    places = ", ".join([f"({', '.join(['%s'] * len(COLUMNS))})"] * len(batch))
    sql = f"INSERT INTO campaigns_spendrecord ({', '.join(COLUMNS)}) VALUES {places} ON CONFLICT DO NOTHING"
    client.execute(sql, [value for record in batch for value in record])


def insert_arrays(client: Any, batch: list[Record]) -> None:
    client.execute(INSERT, [list(column) for column in zip(*batch, strict=True)])


class WebServer:
    """The Procfile's web server on this database, with one process, so that both sides work on one core."""

    def __init__(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid

    def send(self, key: str, bodies: list[bytes]) -> None:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            for body in bodies:
                connection.request("POST", PATH, body, headers)
                response = connection.getresponse()
                answer = response.read()
                if response.status != 200:
                    raise SystemExit(f"A batch was refused: {response.status} {answer[:300]!r}")

    def get(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", LOGIN)
            connection.getresponse().read()

    def megabytes(self) -> float:
        """Return the memory of the process that answers."""
        (child,) = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        (kilobytes,) = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{child}/status").read_text())
        return int(kilobytes) / 1024


@contextmanager
def web_server() -> Iterator[WebServer]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port: int = free.getsockname()[1]
    (line,) = re.findall(r"^web: .*exec (gunicorn .*)$", (settings.BASE_DIR / "Procfile").read_text(), re.MULTILINE)
    command = line.replace("0.0.0.0:${PORT:-8000}", f"127.0.0.1:{port}") + " --workers 1"
    variables = {"DATABASE_URL": url_of_default(), "DEBUG": "True", "API_REQUESTS_PER_MINUTE": "1000000"}
    process = subprocess.Popen(
        [sys.executable, "-m", *command.replace("--access-logfile -", "").split()],
        cwd=settings.BASE_DIR,
        env=os.environ | variables | {"LOG_LEVEL": "ERROR"},
        stderr=subprocess.DEVNULL,
    )
    try:
        server = WebServer(port, process.pid)
        for _ in range(100):
            try:
                server.get()
                break
            except OSError:
                time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        process.wait(30)
