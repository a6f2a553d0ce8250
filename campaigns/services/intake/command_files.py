"""What the command import_spend needs: its files, its progress bar, and its entry in the list of spend imports."""

from __future__ import annotations

import csv
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from django.core.management.base import CommandError
from django.db.models import F
from tqdm import tqdm

from campaigns.models import SpendUpload
from campaigns.rules.clock import Clock
from campaigns.rules.csv_guard import guarded_line
from campaigns.services.history.actors import IMPORT
from campaigns.services.intake.csv_reader import BadRow
from campaigns.services.intake.placement import Counts

CHUNK = 1024**2
UNFINISHED = "The import was interrupted. Rows imported before that are kept."


@contextmanager
def open_input(name: str) -> Iterator[BinaryIO]:
    """Open the file; copy a stream that can't be read twice, like standard input, to a temporary file."""
    with ExitStack() as stack:
        try:
            stream = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise CommandError(
                f"The file {name} can't be read ({error.strerror}): use the path of a CSV file."
            ) from None
        if stream.seekable():
            yield stream
            return
        copy = stack.enter_context(tempfile.TemporaryFile())
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield cast(BinaryIO, copy)


@contextmanager
def error_file(name: str | None, source: str) -> Iterator[Callable[[BadRow], None]]:
    """Yield a function that writes a refused line to the file of --errors, if there is one."""
    if name is None:
        yield lambda refused: None
        return
    path = Path(name)
    if path.exists() and source != "-" and path.samefile(source):
        raise CommandError(f"--errors {name} would overwrite the file to import: use another name.")
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"--errors {name} can't be written ({error.strerror}): use another name.") from None
    with file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(("line", "reason", "text"))
        # The lines are untrusted: guard against formula injection.
        yield lambda refused: writer.writerow((refused.line, guarded_line(refused.reason), guarded_line(refused.text)))


@contextmanager
def progress(stream: BinaryIO) -> Iterator[Callable[[], None]]:
    """Yield a function that updates the progress bar, which is shown on a terminal only."""
    if not (sys.stderr.isatty() and stream.seekable()):
        yield lambda: None
        return
    size = stream.seek(0, 2)
    stream.seek(0)
    with tqdm(total=size, unit="B", unit_scale=True, file=sys.stderr, leave=False) as bar:

        def advance() -> None:
            bar.update(stream.tell() - bar.n)

        yield advance


@dataclass(frozen=True)
class FileFacts:
    """A file's name, size and digest."""

    name: str
    size: int
    sha256: str


def file_facts(stream: BinaryIO, name: str) -> FileFacts:
    """Read the file once and rewind it."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    stream.seek(0)
    return FileFacts(name, size, digest.hexdigest())


class ImportRecord:
    """The entry of one run of the command, created with its first batch and updated with each."""

    def __init__(self, facts: FileFacts, *, zone: str, create: bool, skip_errors: bool, clock: Clock) -> None:
        self.facts, self.zone, self.create, self.skip_errors, self.clock = facts, zone, create, skip_errors, clock
        self.pk = 0

    def add(self, counts: Counts, refused: Sequence[BadRow], line: int) -> None:
        """Add a batch, in its transaction."""
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
            who=IMPORT,
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
