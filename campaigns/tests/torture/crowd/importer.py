"""Imports files of spend again and again, by the command in a process of its own."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from django.utils import timezone

from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, environment
from campaigns.tests.support.services_running import database_url
from campaigns.tests.torture.crowd.threads import TOO_LONG

ROWS = 500
AMOUNTS = ("1", "-1", "0.000001", "3.333333", "-3.333333")


class Importer:
    """Every third file makes a campaign; every file is imported a second time, which changes nothing (R11)."""

    def __init__(self, directory: Path, brand: str, campaigns: Sequence[str]) -> None:
        self.file, self.brand, self.campaigns = Path(directory, "spend.csv"), brand, list(campaigns)
        self.random, self.files = Random(9), 0
        self.written: Counter[str] = Counter()
        """Millionths of each campaign, by name."""

    def turn(self) -> None:
        self.files += 1
        if self.files % 3 == 0:
            self.campaigns.append(f"made by file {self.files}")
        rows = [self.make_row(number) for number in range(ROWS)]
        with self.file.open("w", newline="") as file:
            csv.writer(file).writerows([("timestamp", "campaign", "brand", "amount", "external_id"), *rows])
        assert self.counts() == (ROWS, 0), "what was imported before?"
        assert self.counts() == (0, ROWS), "the file was imported twice"
        for _, campaign, _, amount, _ in rows:
            self.written[campaign] += int(Decimal(amount) * 1_000_000)

    def make_row(self, number: int) -> tuple[str, str, str, str, str]:
        at = timezone.now() + timedelta(minutes=self.random.uniform(-4000, 100))
        name = f"file {self.files}, row {number}"
        return at.isoformat(), self.random.choice(self.campaigns), self.brand, self.random.choice(AMOUNTS), name

    def counts(self) -> tuple[int, int]:
        """Import the file; return how many rows it says it imported and repeated."""
        url = f"{database_url()}?application_name=importer"
        done = subprocess.run(
            [sys.executable, "manage.py", "import_spend", str(self.file), "--create"],
            cwd=BASE_DIR,
            env=environment(DATABASE_URL=url, SECRET_KEY=GOOD_KEY),
            capture_output=True,
            text=True,
            timeout=TOO_LONG,
        )
        found = re.search(r"([\d,]+) rows? imported, ([\d,]+) repeated", done.stdout)
        if done.returncode or not found:
            raise AssertionError(f"import_spend ended with {done.returncode}: {done.stdout}{done.stderr}")
        imported, repeated = (int(number.replace(",", "")) for number in found.groups())
        return imported, repeated
