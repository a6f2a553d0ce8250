from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, reset_queries, transaction

from campaigns.database.clock import database_now
from campaigns.database.connection import is_busy
from campaigns.rules.amounts import DecimalMark
from campaigns.rules.periods import find_zone
from campaigns.services.intake.command_files import error_file, opened, progress
from campaigns.services.intake.csv_reader import BadRow, SpendFileError, read_spend_csv
from campaigns.services.intake.importer import CREATE_IT, Counts, ImportRefused, import_spend
from campaigns.services.intake.preview import Preview, preview_spend
from campaigns.services.intake.upload_confirm import earlier_imports
from campaigns.services.intake.upload_record import FileFacts, ImportRecord, file_facts
from campaigns.services.intake.words import earlier_sentence, note_lines, number, remarks, table_text

# So many refused lines are named in what the command says; --errors has all of them.
NAMED = 10


class Command(BaseCommand):
    help = (
        "Imports spend from a CSV file with the columns timestamp, brand, campaign, amount and, optionally,"
        " external_id and currency. A row whose external_id the campaign has already is skipped and counted, so a"
        " file may be imported again. One refused row, and nothing is imported, unless --skip-errors is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help="In UTF-8; - reads standard input.")
        parser.add_argument(
            "--create",
            action="store_true",
            help="Create brands and campaigns that are missing, instead of refusing.",
        )
        parser.add_argument(
            "--time-zone",
            default="",
            metavar="ZONE",
            help="Of times without an offset, like Europe/Paris (default: the time zone of each row's brand). Of a"
            " time that comes twice, when clocks go back, the first is meant; a time that clocks skip moves by what"
            " they skip, within its day. A day without a time is always the brand's own day.",
        )
        parser.add_argument(
            "--decimal",
            choices=(DecimalMark.POINT.value, DecimalMark.COMMA.value),
            help="The file's decimal separator, where amounts like 1.250 have two readings.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Write nothing: show the money by brand and local day, and what is wrong.",
        )
        parser.add_argument(
            "--again",
            action="store_true",
            help="Import a file whose bytes were imported before, though its rows without external_id count twice.",
        )
        parser.add_argument(
            "--skip-errors",
            action="store_true",
            help="Import the other rows where some are refused, batch by batch.",
        )
        parser.add_argument(
            "--errors",
            metavar="FILE",
            help="Write the refused lines to this file: line, reason, text, with ' before what a spreadsheet would"
            " take for a formula. Overwrites it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = _asked(options)
        with ExitStack() as stack:
            stream = stack.enter_context(opened(options["file"]))
            refused = _Refused(stack.enter_context(error_file(options["errors"], options["file"])))
            run = _Run(refused, asked, file_facts(stream, Path(options["file"]).name))
            if options["dry_run"]:
                self.show(run, run.preview(stream))
                return
            if not options["again"]:
                run.refuse_again()
            if sys.stdin.isatty() and self.stderr.isatty():
                self.stderr.write("To see the money by brand and day before it is written, use --dry-run.")
            counts = run.on(stream)
        self.say(counts, refused)

    def show(self, run: _Run, preview: Preview) -> None:
        """Say what would be imported. It fails where the import would."""
        for line in table_text(preview):
            self.stdout.write(line)
        counts = preview.counts
        self.stdout.write(
            f"{number(counts.imported, 'row')} would be imported, {counts.repeated:,} are there already,"
            f" {counts.refused:,} would be refused."
        )
        for sentence in (*remarks(counts), note_lines(preview)):
            if sentence:
                self.stdout.write(sentence)
        if counts.created_campaigns:
            self.stdout.write(f"It would create {_created(counts)}.")
        if counts.without_external_id:
            for earlier in earlier_imports(run.facts.sha256)[:1]:
                self.stdout.write(f"{earlier_sentence(earlier)} Rows without external_id would count twice.")
        if counts.refused and not run.asked.skip_errors:
            raise CommandError(
                f"Nothing would be imported, unless refused rows are skipped (--skip-errors).\n{run.refused.named()}"
            )
        if counts.refused:
            self.stderr.write(run.refused.named())

    def say(self, counts: Counts, refused: _Refused) -> None:
        if counts.refused:
            self.stderr.write(refused.named())
        self.stdout.write(_told(counts))
        if counts.created_campaigns:
            self.stdout.write(f"Created {_created(counts)}.")
        if counts.without_external_id:
            self.stdout.write(
                f"{number(counts.without_external_id, 'imported row')} had no external_id: importing the"
                " file again would count them twice."
            )


@dataclass(frozen=True)
class _Asked:
    """How the file is to be taken."""

    zone: ZoneInfo | None
    decimal: DecimalMark
    create: bool
    skip_errors: bool


def _asked(options: dict[str, Any]) -> _Asked:
    name = options["time_zone"]
    zone = find_zone(name) if name else None
    if name and zone is None:
        raise CommandError(f"The time zone “{name}” of --time-zone is unknown: give a name like Europe/Paris or UTC.")
    decimal = DecimalMark(options["decimal"] or DecimalMark.UNKNOWN)
    return _Asked(zone, decimal, options["create"], options["skip_errors"])


class _Refused:
    """Keeps the first refused lines, to name them, and writes all of them to the file of --errors."""

    def __init__(self, write: Callable[[BadRow], None]) -> None:
        self.write = write
        self.first: list[BadRow] = []
        self.count = 0

    def add(self, refused: BadRow) -> None:
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append(refused)
        self.write(refused)

    def named(self) -> str:
        lines = [f"line {refused.line}: {refused.reason}" for refused in self.first]
        if self.count > NAMED:
            lines.append(f"and {self.count - NAMED:,} more; --errors FILE writes all of them")
        if any(refused.reason.endswith(CREATE_IT) for refused in self.first):
            lines.append("--create creates brands and campaigns that are missing.")
        return "\n".join(lines)


class _Run:
    """One import: what goes wrong becomes a sentence that says what is kept."""

    def __init__(self, refused: _Refused, asked: _Asked, facts: FileFacts) -> None:
        self.refused = refused
        self.asked = asked
        self.facts = facts
        self.so_far = Counts()

    def refuse_again(self) -> None:
        """Refuse bytes that were imported before, if that would count rows twice."""
        for earlier in earlier_imports(self.facts.sha256):
            if earlier.without_external_id or not earlier.is_over:
                raise CommandError(
                    f"{earlier_sentence(earlier)} Its rows without external_id would count twice, so nothing was"
                    " imported: use --again if you want that."
                )

    def preview(self, stream: BinaryIO) -> Preview:
        try:
            return preview_spend(
                read_spend_csv(stream, decimal=self.asked.decimal),
                zone=self.asked.zone,
                create=self.asked.create,
                on_refused=self.refused.add,
                on_batch=reset_queries,
            )
        except SpendFileError as error:
            raise CommandError(f"{error} Nothing was imported.") from None

    def on(self, stream: BinaryIO) -> Counts:
        try:
            with progress(stream) as advance:
                counts = self._import(stream, advance)
        except ImportRefused as error:
            raise CommandError(self._nothing(error.counts)) from None
        except SpendFileError as error:
            raise CommandError(f"{error} {self._kept()}") from None
        except OSError as error:
            raise CommandError(f"The file can't be read on ({error.strerror or error}). {self._kept()}") from None
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {self._kept()}", returncode=130) from None
        except OperationalError as error:
            if not is_busy(error):
                raise
            raise CommandError(
                f"Others were writing the same rows at that moment: import again. {self._kept()}"
            ) from None
        if counts.refused and not counts.imported and not counts.repeated:
            raise CommandError(f"Every row was refused, so nothing was imported:\n{self.refused.named()}")
        return counts

    def _import(self, stream: BinaryIO, advance: Callable[[], None]) -> Counts:
        def on_batch(counts: Counts) -> None:
            self.so_far = counts
            advance()
            reset_queries()  # with DEBUG on, Django keeps every statement, and a batch is a long one

        asked = self.asked
        record = ImportRecord(
            self.facts,
            zone=asked.zone.key if asked.zone else "",
            create=asked.create,
            skip_errors=asked.skip_errors,
            clock=database_now,
        )
        with nullcontext() if asked.skip_errors else transaction.atomic():
            counts = import_spend(
                read_spend_csv(stream, decimal=asked.decimal),
                clock=database_now,
                zone=asked.zone,
                create=asked.create,
                skip_errors=asked.skip_errors,
                on_refused=self.refused.add,
                on_batch=on_batch,
                in_batch=record.add,
            )
            record.end()
        return counts

    def _kept(self) -> str:
        if not self.asked.skip_errors or not self.so_far.imported:
            return "Nothing was imported."
        return f"What was imported before that stays. {_told(self.so_far)}"

    def _nothing(self, counts: Counts) -> str:
        were = "was" if counts.refused == 1 else "were"
        return (
            f"{number(counts.refused, 'row')} {were} refused, so nothing was imported: correct them, or"
            f" import the others with --skip-errors ({counts.imported:,} new, {counts.repeated:,} repeated).\n"
            f"{self.refused.named()}"
        )


def _told(counts: Counts) -> str:
    done = (
        f"{number(counts.imported, 'row')} imported, {counts.repeated:,} repeated and skipped,"
        f" {counts.refused:,} refused."
    )
    return " ".join((done, *remarks(counts)))


def _created(counts: Counts) -> str:
    return f"{number(counts.created_brands, 'brand')} and {number(counts.created_campaigns, 'campaign')}"
