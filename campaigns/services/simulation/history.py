"""The history to play: the rows of a spend file by timestamp, if asked spread over some minutes each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from campaigns.rules.money import from_micros, to_micros
from campaigns.rules.names import name_key, normal_name
from campaigns.rules.periods import LATEST, ONE_DAY, local_date
from campaigns.services.intake.csv_reader import BadRow, Line, Row, SkippedLine, SpendFileError, read_spend_csv
from campaigns.services.intake.times import local_to_utc
from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.find_table import Table
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.downloads import ASSUMED, day_length, find_report, report_rows

MAX_NAMED = 5
# In which pieces a day of a report is spent, by how many there are.
DAY_PIECES = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
MAX_DAY_PIECES = 500_000


class CampaignName(NamedTuple):
    """A campaign in the file; its name is unique only within its brand."""

    brand: str
    campaign: str

    def __str__(self) -> str:
        return f"{self.brand}/{self.campaign}"


@dataclass(frozen=True)
class History:
    """The file's rows by timestamp, or their pieces; days are local days from the first row to the last.

    lines is the number of rows in the file that count, before spreading.
    """

    zone: ZoneInfo
    rows: list[Row]
    lines: int
    repeated: int
    zeros: int

    @property
    def is_spread(self) -> bool:
        return self.lines != len(self.rows)

    @cached_property
    def campaigns(self) -> list[CampaignName]:
        return sorted({name_of(row) for row in self.rows})

    @cached_property
    def brands(self) -> list[str]:
        return sorted({row.brand for row in self.rows})

    @cached_property
    def days(self) -> list[date]:
        first, last = (local_date(self.zone, row.timestamp) for row in (self.rows[0], self.rows[-1]))
        return [first + ONE_DAY * number for number in range((last - first).days + 1)]

    @cached_property
    def day_totals(self) -> dict[tuple[str, date], Decimal]:
        """The sums by brand and local day, without days without rows."""
        totals: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
        for row in self.rows:
            totals[row.brand, local_date(self.zone, row.timestamp)] += row.amount
        return dict(totals)


def name_of(row: Row) -> CampaignName:
    return CampaignName(row.brand, row.campaign)


def read_history(path: Path, zone: ZoneInfo, answers: Answers = ASSUMED) -> History:
    """Read a whole spend file. Raises SimulationError if it can't be read, has an invalid line or no spend.

    The file may be a platform's report as downloaded; answers are what is known about it. Timestamps without an offset
    are in the zone. A repeated external id counts once (R11). Lines without spend, totals and notes are skipped.
    """
    try:
        with path.open("rb") as stream:
            lines = [_in_zone(line, zone) for line in read_spend_csv(stream)]
    except OSError as error:
        raise SimulationError(f"{path} can't be read ({error.strerror}): use a CSV file of spend.") from None
    except SpendFileError as error:
        table = find_report(path.read_bytes())
        if table is None:
            raise SimulationError(f"{path}: {error}") from None
        return _of_report(path, table, answers, zone)
    lines = list(_in_one_spelling(lines))
    rows = [line for line in lines if isinstance(line, Row)]
    refused = [line for line in lines if isinstance(line, BadRow)]
    _refuse_invalid(path, refused)
    if not rows:
        raise SimulationError(f"{path} has no rows with spend, so there is nothing to simulate.")
    unique = _without_repetitions(path, rows)
    unique.sort(key=lambda row: row.timestamp)
    return History(
        zone,
        unique,
        lines=len(unique),
        repeated=len(rows) - len(unique),
        zeros=sum(isinstance(line, SkippedLine) for line in lines),
    )


def _of_report(path: Path, table: Table, answers: Answers, zone: ZoneInfo) -> History:
    """Return the history of a report: each campaign's day evenly over the day, in pieces."""
    try:
        rows, zeros = report_rows(table, answers, zone)
    except SimulationError as error:
        raise SimulationError(f"{path}: {error}") from None
    if not rows:
        raise SimulationError(f"{path} has no rows with spend, so there is nothing to simulate.")
    piece = next((each for each in DAY_PIECES if len(rows) * (ONE_DAY // each) <= MAX_DAY_PIECES), None)
    if piece is None:
        raise SimulationError(f"{path} has {len(rows):,} rows by campaign and day: use a shorter report.")
    pieces = [part for row in rows for part in _pieces(row, _length(row, zone), piece)]
    pieces.sort(key=lambda part: part.timestamp)
    return History(zone, pieces, lines=len(rows), repeated=0, zeros=zeros)


def _length(row: Row, zone: ZoneInfo) -> timedelta:
    begins, ends = day_length(row, zone)
    return ends - begins


def _in_zone(line: Line, zone: ZoneInfo) -> Line:
    """Return the line with its timestamp in UTC; all brands have the same zone."""
    if not isinstance(line, Row) or line.timestamp.tzinfo is not None:
        return line
    try:
        return replace(line, timestamp=local_to_utc(zone, line.timestamp))
    except ValueError as refusal:
        return BadRow(line.line, str(refusal), line.text)


def _in_one_spelling(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines with each name in its first spelling; refuse names with invisible characters."""
    first: dict[tuple[str, ...], str] = {}
    for line in lines:
        if not isinstance(line, Row):
            yield line
            continue
        brand_key = name_key(line.brand)
        try:
            brand = first.setdefault((brand_key,), normal_name(line.brand))
            campaign = first.setdefault((brand_key, name_key(line.campaign)), normal_name(line.campaign))
        except ValueError as refusal:
            yield BadRow(line.line, str(refusal), line.text)
            continue
        is_so = (brand, campaign) == (line.brand, line.campaign)
        yield line if is_so else replace(line, brand=brand, campaign=campaign)


def _refuse_invalid(path: Path, invalid: list[BadRow]) -> None:
    """Refuse a file with invalid lines, because a simulation of the others would mislead."""
    if invalid:
        named = " ".join(f"Line {line.line}: {line.reason}" for line in invalid[:MAX_NAMED])
        more = f" And {len(invalid) - MAX_NAMED:,} more." if len(invalid) > MAX_NAMED else ""
        raise SimulationError(f"{path} has invalid lines: correct or remove them. {named}{more}")


def _without_repetitions(path: Path, rows: Iterable[Row]) -> list[Row]:
    unique: list[Row] = []
    seen: dict[tuple[CampaignName, str], Row] = {}
    for row in rows:
        if row.external_id is not None:
            first = seen.setdefault((name_of(row), row.external_id), row)
            if (first.timestamp, first.amount) != (row.timestamp, row.amount):
                raise SimulationError(
                    f"{path}, lines {first.line} and {row.line}: {row.campaign} has the external id "
                    f"{row.external_id} twice with different amounts or timestamps: correct one of them."
                )
            if first is not row:
                continue
        unique.append(row)
    return unique


# These take a gigabyte of memory and about ten minutes.
MAX_PIECES = 2_000_000


def spread(history: History, over: timedelta, piece: timedelta) -> History:
    """Return the history with each row split into pieces over a time from its timestamp on; unchanged for 0.

    The pieces of a row add up to it exactly, and have no external ids, because repetitions are already removed.
    """
    if not over:
        return history
    pieces = len(history.rows) * -(-over // piece)
    if pieces > MAX_PIECES:
        raise SimulationError(
            f"--spread splits the file's {len(history.rows):,} rows into {pieces:,} pieces, more than {MAX_PIECES:,}: "
            "spread over less, give a longer --quick-every, or a shorter file."
        )
    if history.rows[-1].timestamp + over > LATEST:
        raise SimulationError(f"--spread goes past {LATEST:%Y-%m-%d}: correct a wrong year in the file.")
    rows = [part for row in history.rows for part in _pieces(row, over, piece)]
    rows.sort(key=lambda row: row.timestamp)
    return replace(history, rows=rows)


def _pieces(row: Row, over: timedelta, piece: timedelta) -> Iterator[Row]:
    """Yield pieces as differences of the rounded cumulative spend, in whole millionths."""
    total, spent, begun = to_micros(row.amount), 0, timedelta(0)
    while begun < over:
        until = min(begun + piece, over)
        due = total * (until // timedelta.resolution) // (over // timedelta.resolution)
        if due != spent:
            yield Row(row.line, row.timestamp + begun, row.brand, row.campaign, from_micros(due - spent), None)
        spent, begun = due, until
