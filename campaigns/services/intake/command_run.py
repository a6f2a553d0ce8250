"""One run of the command import_spend: its options, the lines that it refuses, and errors as messages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import BinaryIO
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError
from django.db import OperationalError, reset_queries, transaction

from campaigns.database.clock import database_now
from campaigns.database.connection import is_busy
from campaigns.rules.amounts import DecimalMark
from campaigns.services.intake.command_files import FileFacts, ImportRecord, progress
from campaigns.services.intake.csv_reader import BadRow, SpendFileError, read_spend_csv
from campaigns.services.intake.importer import ImportRefused, import_spend
from campaigns.services.intake.messages import describe_earlier_import, pluralize, remarks
from campaigns.services.intake.placement import CREATE_IT, Counts
from campaigns.services.intake.preview import Preview, preview_spend
from campaigns.services.intake.upload_preview import earlier_imports

# Maximum number of refused lines in the output; --errors has all of them.
MAX_NAMED = 10


@dataclass(frozen=True)
class ImportOptions:
    """The options that apply to the rows."""

    zone: ZoneInfo | None
    decimal: DecimalMark
    create: bool
    skip_errors: bool


class Refused:
    """Keeps the first refused lines for messages, and writes all of them to the file of --errors."""

    def __init__(self, write: Callable[[BadRow], None]) -> None:
        self.write = write
        self.first: list[BadRow] = []
        self.count = 0

    def add(self, refused: BadRow) -> None:
        self.count += 1
        if len(self.first) < MAX_NAMED:
            self.first.append(refused)
        self.write(refused)

    def named(self) -> str:
        lines = [f"line {refused.line}: {refused.reason}" for refused in self.first]
        if self.count > MAX_NAMED:
            lines.append(f"and {self.count - MAX_NAMED:,} more; --errors FILE writes all of them")
        if any(refused.reason.endswith(CREATE_IT) for refused in self.first):
            lines.append("Use --create to create missing brands and campaigns.")
        return "\n".join(lines)


class Run:
    """One import; errors become messages that say what was kept."""

    def __init__(self, refused: Refused, choices: ImportOptions, facts: FileFacts) -> None:
        self.refused = refused
        self.choices = choices
        self.facts = facts
        self.so_far = Counts()

    def refuse_repetition(self) -> None:
        """Refuse a file that was imported before, if rows would count twice."""
        for earlier in earlier_imports(self.facts.sha256):
            if earlier.without_external_id or not earlier.is_over:
                raise CommandError(
                    f"{describe_earlier_import(earlier)} Its rows without external_id would count twice, so nothing was"
                    " imported: use --again to import it anyway."
                )

    def preview(self, stream: BinaryIO) -> Preview:
        try:
            return preview_spend(
                read_spend_csv(stream, decimal=self.choices.decimal),
                zone=self.choices.zone,
                create=self.choices.create,
                on_refused=self.refused.add,
                on_batch=reset_queries,
            )
        except SpendFileError as error:
            raise CommandError(f"{error} Nothing was imported.") from None

    def import_stream(self, stream: BinaryIO) -> Counts:
        try:
            with progress(stream) as advance:
                counts = self._import(stream, advance)
        except ImportRefused as error:
            raise CommandError(self._refusal(error.counts)) from None
        except SpendFileError as error:
            raise CommandError(f"{error} {self._kept()}") from None
        except OSError as error:
            raise CommandError(f"Reading the file failed ({error.strerror or error}). {self._kept()}") from None
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {self._kept()}", returncode=130) from None
        except OperationalError as error:
            if not is_busy(error):
                raise
            raise CommandError(f"Another process was writing the same rows: try again. {self._kept()}") from None
        if counts.refused and not counts.imported and not counts.repeated:
            raise CommandError(f"Every row was refused, so nothing was imported:\n{self.refused.named()}")
        return counts

    def _import(self, stream: BinaryIO, advance: Callable[[], None]) -> Counts:
        def on_batch(counts: Counts) -> None:
            self.so_far = counts
            advance()
            reset_queries()  # with DEBUG on, Django keeps every statement, and a batch is a long one

        choices = self.choices
        record = ImportRecord(
            self.facts,
            zone=choices.zone.key if choices.zone else "",
            create=choices.create,
            skip_errors=choices.skip_errors,
            clock=database_now,
        )
        with nullcontext() if choices.skip_errors else transaction.atomic():
            counts = import_spend(
                read_spend_csv(stream, decimal=choices.decimal),
                clock=database_now,
                zone=choices.zone,
                create=choices.create,
                skip_errors=choices.skip_errors,
                on_refused=self.refused.add,
                on_batch=on_batch,
                in_batch=record.add,
            )
            record.end()
        return counts

    def _kept(self) -> str:
        if not self.choices.skip_errors or not self.so_far.imported:
            return "Nothing was imported."
        return f"Rows imported before that are kept. {describe_counts(self.so_far)}"

    def _refusal(self, counts: Counts) -> str:
        were = "was" if counts.refused == 1 else "were"
        return (
            f"{pluralize(counts.refused, 'row')} {were} refused, so nothing was imported: correct them, or"
            f" skip them with --skip-errors ({counts.imported:,} new, {counts.repeated:,} repeated).\n"
            f"{self.refused.named()}"
        )


def describe_counts(counts: Counts) -> str:
    """Return how many rows were imported, repeated and refused, with remarks, as sentences."""
    done = (
        f"{pluralize(counts.imported, 'row')} imported, {counts.repeated:,} repeated and skipped,"
        f" {counts.refused:,} refused."
    )
    return " ".join((done, *remarks(counts)))
