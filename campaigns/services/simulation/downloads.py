"""Reports as platforms give them, for a simulation: each campaign's day is one row, which is spread over the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from campaigns.rules.names import normal_name
from campaigns.rules.periods import ONE_DAY
from campaigns.rules.platforms import SOURCES
from campaigns.services.exchange.files import FileRefused
from campaigns.services.intake.csv_reader import Row
from campaigns.services.intake.times import local_to_utc
from campaigns.services.platform_files.answers import Answers, Ask
from campaigns.services.platform_files.find_table import NO_TABLE, Table, find_table
from campaigns.services.platform_files.report import Report, read_report
from campaigns.services.simulation import SimulationError

MAX_NAMED = 5
OPTIONS = {Ask.ORDER: "--date-order", Ask.DECIMAL: "--decimal"}
# Where a report says that a row is a day in no way, a simulation takes it to be one.
ASSUMED = Answers(is_daily=True)


def find_report(data: bytes) -> Table | None:
    """Return the table of a platform's report; None if the file has no such table. Raises SimulationError."""
    try:
        return find_table(data)
    except FileRefused as refusal:
        if str(refusal) == NO_TABLE:
            return None
        raise SimulationError(str(refusal)) from None


def report_rows(table: Table, answers: Answers, zone: ZoneInfo) -> tuple[list[Row], int]:
    """Return a row for each campaign and day, at its midnight, and how many are without spend.

    The brand is the account; in reports that name none, the platform. Raises SimulationError.
    """
    try:
        report = read_report(table, answers, now=datetime.now(UTC))
    except FileRefused as refusal:
        raise SimulationError(str(refusal)) from None
    for question in report.questions:
        options = ", ".join(f"{value} ({meaning})" for value, meaning in question.options[:MAX_NAMED])
        hint = f"give {OPTIONS[question.ask]}: {options}" if question.ask in OPTIONS else "rename its headings"
        if question.ask is Ask.PARENTHESES:
            hint = "write a minus before what is negative"
        if question.ask is Ask.REPEATED:
            hint = "remove what is there twice"
        raise SimulationError(f"The report leaves a question: {question.sentence} Please {hint}.")
    if report.problems:
        named = " ".join(f"Line {problem.line}: {problem.sentence}" for problem in report.problems[:MAX_NAMED])
        raise SimulationError(f"The report has rows that can’t be read. {named}")
    rows = list(_rows(report, zone))
    return rows, len(report.totals) - len(rows)


def day_length(row: Row, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the beginning and the end of the row's local day."""
    day = row.timestamp.astimezone(zone).date()
    return row.timestamp, local_to_utc(zone, datetime.combine(day + ONE_DAY, time(0)))


def _rows(report: Report, zone: ZoneInfo) -> Iterator[Row]:
    unnamed = SOURCES.get(report.source, "Account")
    for total in report.totals:
        if not total.total:
            continue
        brand = total.key.account or total.key.account_id or unnamed
        campaign = total.key.campaign or total.key.campaign_id
        midnight = local_to_utc(zone, datetime.combine(total.day, time(0)))
        try:
            names = normal_name(brand), normal_name(campaign)
        except ValueError as refusal:
            raise SimulationError(f"Line {total.line}: {refusal}") from None
        yield Row(total.line, midnight, *names, total.total, None, is_day=True)
