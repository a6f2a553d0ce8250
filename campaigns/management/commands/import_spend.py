"""manage.py import_spend: import a CSV file of spend, or show what it would import."""

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
from campaigns.rules.zones import read_zone, unknown_zone
from campaigns.services.intake.command_files import (
    FileFacts,
    ImportRecord,
    error_file,
    file_facts,
    open_input,
    progress,
)
from campaigns.services.intake.csv_reader import BadRow, SpendFileError, read_spend_csv
from campaigns.services.intake.importer import ImportRefused, import_spend
from campaigns.services.intake.messages import (
    describe_earlier_import,
    describe_preview,
    format_table,
    pluralize,
    remarks,
)
from campaigns.services.intake.placement import CREATE_IT, Counts
from campaigns.services.intake.preview import Preview, preview_spend
from campaigns.services.intake.upload_preview import earlier_imports
from campaigns.services.platform_files.command import describe_report, import_report, open_report

# Maximum number of refused lines in the output; --errors has all of them.
MAX_NAMED = 10


class Command(BaseCommand):
    help = (
        "Import spend from a CSV file with the columns timestamp, brand, campaign, amount and, optionally, external_id"
        " and currency. A row whose external_id exists in the campaign is skipped and counted, so a file can be"
        " imported again. If a row is refused, nothing is imported, unless --skip-errors is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help="A file in UTF-8; - is standard input.")
        parser.add_argument(
            "--format",
            metavar="NAME",
            help="Read the file as a report of an ad platform, in a format that was remembered when such a file was"
            " imported in the admin. Its totals by day replace those imported before.",
        )
        parser.add_argument(
            "--account",
            default="",
            metavar="ID",
            help="With --format: the platform's account, for a report that doesn't name it.",
        )
        parser.add_argument(
            "--create",
            action="store_true",
            help="Create missing brands and campaigns instead of refusing their rows.",
        )
        parser.add_argument(
            "--time-zone",
            default="",
            metavar="ZONE",
            help="Time zone of times without an offset, like Europe/Paris (default: each brand's). When clocks go"
            " back, a repeated time is the first one; a time skipped when they go forward is moved within its day. A"
            " day without a time is always the brand's.",
        )
        parser.add_argument(
            "--decimal",
            choices=(DecimalMark.POINT.value, DecimalMark.COMMA.value),
            help="The file's decimal separator, needed if amounts like 1.250 are ambiguous.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Write nothing; show the spend by brand and local day, and all problems.",
        )
        parser.add_argument(
            "--again",
            action="store_true",
            help="Import a file that was imported before, even if rows without external_id will count twice.",
        )
        parser.add_argument(
            "--skip-errors",
            action="store_true",
            help="Skip refused rows and import the others, batch by batch.",
        )
        parser.add_argument(
            "--errors",
            metavar="FILE",
            help="Write the refused lines to this CSV file (line, reason, text), replacing it. Texts that a spreadsheet"
            " would take for formulas get a leading '.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["format"] is not None:
            self.import_report(options)
            return
        choices = _read_options(options)
        with ExitStack() as stack:
            stream = stack.enter_context(open_input(options["file"]))
            refused = _Refused(stack.enter_context(error_file(options["errors"], options["file"])))
            run = _Run(refused, choices, file_facts(stream, Path(options["file"]).name))
            if options["dry_run"]:
                self.show_preview(run, run.preview(stream))
                return
            if not options["again"]:
                run.refuse_repetition()
            if sys.stdin.isatty() and self.stderr.isatty():
                self.stderr.write("Use --dry-run to see the spend by brand and day first.")
            counts = run.import_stream(stream)
        self.report(counts, refused)

    def import_report(self, options: dict[str, Any]) -> None:
        """Import a platform's report in a remembered format."""
        given = [name for name in ("create", "skip_errors", "again", "errors", "decimal", "time_zone") if options[name]]
        if given:
            raise CommandError(f"--format can't be combined with --{given[0].replace('_', '-')}.")
        with open_input(options["file"]) as stream:
            download = open_report(stream, options["format"], options["account"])
        for line in describe_report(download):
            self.stdout.write(line)
        if not options["dry_run"]:
            self.stdout.write(import_report(download, Path(str(options["file"])).name))

    def show_preview(self, run: _Run, preview: Preview) -> None:
        """Show what would be imported. Fails if the import would."""
        for line in format_table(preview):
            self.stdout.write(line)
        counts = preview.counts
        self.stdout.write(
            f"{pluralize(counts.imported, 'row')} would be imported, {counts.repeated:,} already exist,"
            f" {counts.refused:,} would be refused."
        )
        for sentence in describe_preview(preview):
            self.stdout.write(sentence)
        if counts.created_campaigns:
            self.stdout.write(f"It would create {_created(counts)}.")
        if counts.without_external_id:
            for earlier in earlier_imports(run.facts.sha256)[:1]:
                self.stdout.write(f"{describe_earlier_import(earlier)} Rows without external_id would count twice.")
        if counts.refused and not run.choices.skip_errors:
            raise CommandError(f"Nothing would be imported without --skip-errors.\n{run.refused.named()}")
        if counts.refused:
            self.stderr.write(run.refused.named())

    def report(self, counts: Counts, refused: _Refused) -> None:
        if counts.refused:
            self.stderr.write(refused.named())
        self.stdout.write(_summary(counts))
        if counts.created_campaigns:
            self.stdout.write(f"Created {_created(counts)}.")
        if counts.without_external_id:
            self.stdout.write(
                f"{pluralize(counts.without_external_id, 'imported row')} had no external_id: importing the"
                " file again counts them twice."
            )


@dataclass(frozen=True)
class _ImportOptions:
    """The options that apply to the rows."""

    zone: ZoneInfo | None
    decimal: DecimalMark
    create: bool
    skip_errors: bool


def _read_options(options: dict[str, Any]) -> _ImportOptions:
    name = options["time_zone"]
    zone = find_zone(read_zone(name) or "") if name else None
    if name and zone is None:
        raise CommandError(f"--time-zone {unknown_zone(name)}")
    decimal = DecimalMark(options["decimal"] or DecimalMark.UNKNOWN)
    return _ImportOptions(zone, decimal, options["create"], options["skip_errors"])


class _Refused:
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


class _Run:
    """One import; errors become messages that say what was kept."""

    def __init__(self, refused: _Refused, choices: _ImportOptions, facts: FileFacts) -> None:
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
        return f"Rows imported before that are kept. {_summary(self.so_far)}"

    def _refusal(self, counts: Counts) -> str:
        were = "was" if counts.refused == 1 else "were"
        return (
            f"{pluralize(counts.refused, 'row')} {were} refused, so nothing was imported: correct them, or"
            f" skip them with --skip-errors ({counts.imported:,} new, {counts.repeated:,} repeated).\n"
            f"{self.refused.named()}"
        )


def _summary(counts: Counts) -> str:
    done = (
        f"{pluralize(counts.imported, 'row')} imported, {counts.repeated:,} repeated and skipped,"
        f" {counts.refused:,} refused."
    )
    return " ".join((done, *remarks(counts)))


def _created(counts: Counts) -> str:
    return f"{pluralize(counts.created_brands, 'brand')} and {pluralize(counts.created_campaigns, 'campaign')}"
