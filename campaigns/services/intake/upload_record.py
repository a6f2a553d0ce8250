"""What import_spend leaves in the list of spend imports, so that the same bytes are noticed when they come again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db.models import F

from campaigns.models import SpendUpload
from campaigns.rules.clock import Clock
from campaigns.services.intake.csv_reader import BadRow
from campaigns.services.intake.importer import ACTOR, Counts

CHUNK = 1024**2
UNFINISHED = "The import was interrupted. The rows that were imported before that stay."


@dataclass(frozen=True)
class FileFacts:
    """A file that the command imports, by its bytes."""

    name: str
    size: int
    sha256: str


def file_facts(stream: BinaryIO, name: str) -> FileFacts:
    """Read the file once and go back to its beginning."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    stream.seek(0)
    return FileFacts(name, size, digest.hexdigest())


class ImportRecord:
    """The entry of one run of the command: written with its first batch, kept up to date with each."""

    def __init__(self, facts: FileFacts, *, zone: str, create: bool, skip_errors: bool, clock: Clock) -> None:
        self.facts, self.zone, self.create, self.skip_errors, self.clock = facts, zone, create, skip_errors, clock
        self.pk = 0

    def add(self, counts: Counts, refused: Sequence[BadRow], line: int) -> None:
        """Note a batch, in its transaction."""
        if not SpendUpload.objects.filter(pk=self.pk).exists():
            self.pk = self._begin(self.clock()).pk
        added = {name: F(name) + getattr(counts, name) for name in Counts.__slots__}
        SpendUpload.objects.filter(pk=self.pk).update(lines_done=line, **added)

    def end(self) -> None:
        SpendUpload.objects.filter(pk=self.pk).update(
            state=SpendUpload.State.DONE, problem="", ended_at=self.clock(), bytes_done=self.facts.size
        )

    def _begin(self, now: datetime) -> SpendUpload:
        return SpendUpload.objects.create(
            who=ACTOR,
            name=self.facts.name[-200:],
            size=self.facts.size,
            sha256=self.facts.sha256,
            timezone=self.zone,
            create_missing=self.create,
            skip_errors=self.skip_errors,
            state=SpendUpload.State.FAILED,
            problem=UNFINISHED,
            created_at=now,
            started_at=now,
            ended_at=now,
        )
