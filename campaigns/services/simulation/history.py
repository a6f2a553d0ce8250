"""The history that is played: the rows of a spend file, in the order in which the money was spent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from campaigns.rules.names import name_key, normal_name
from campaigns.rules.periods import ONE_DAY, local_date
from campaigns.services.intake.csv_reader import BadRow, Line, Row, SkippedLine, SpendFileError, read_spend_csv
from campaigns.services.intake.times import local_to_utc
from campaigns.services.simulation import SimulationError

LINES_NAMED = 5


class CampaignName(NamedTuple):
    """A campaign as the file names it; its name alone is unique only within its brand."""

    brand: str
    campaign: str

    def __str__(self) -> str:
        return f"{self.brand}/{self.campaign}"


@dataclass(frozen=True)
class History:
    """The file's rows by timestamp, or their pieces; days are the zone's, from the first row's to the last row's.

    lines is the number of the file's rows that count, whatever they were cut into.
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
        """The sum of the file's rows by brand and local day; days without a row are missing."""
        totals: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
        for row in self.rows:
            totals[row.brand, local_date(self.zone, row.timestamp)] += row.amount
        return dict(totals)


def name_of(row: Row) -> CampaignName:
    return CampaignName(row.brand, row.campaign)


def read_history(path: Path, zone: ZoneInfo) -> History:
    """Read a spend file whole; SimulationError where it can't be read, has a broken line or holds nothing.

    Timestamps without an offset are in the zone. A line that says the same as an earlier one with its
    external id counts once (R11). Lines without spend, totals and notes are left out.
    """
    try:
        with path.open("rb") as stream:
            lines = [_in_zone(line, zone) for line in read_spend_csv(stream)]
    except OSError as error:
        raise SimulationError(f"{path} can't be read ({error.strerror}): name a CSV file of spend.") from None
    except SpendFileError as error:
        raise SimulationError(f"{path}: {error}") from None
    lines = list(_in_one_spelling(lines))
    rows = [line for line in lines if isinstance(line, Row)]
    refused = [line for line in lines if isinstance(line, BadRow)]
    _refuse_broken(path, refused)
    if not rows:
        raise SimulationError(f"{path} has no rows with an amount: a simulation needs spend to play.")
    unique = _without_repetitions(path, rows)
    unique.sort(key=lambda row: row.timestamp)
    return History(
        zone,
        unique,
        lines=len(unique),
        repeated=len(rows) - len(unique),
        zeros=sum(isinstance(line, SkippedLine) for line in lines),
    )


def _in_zone(line: Line, zone: ZoneInfo) -> Line:
    """Return the line with its timestamp in UTC: the zone is that of all brands."""
    if not isinstance(line, Row) or line.timestamp.tzinfo is not None:
        return line
    try:
        return replace(line, timestamp=local_to_utc(zone, line.timestamp))
    except ValueError as refusal:
        return BadRow(line.line, str(refusal), line.text)


def _in_one_spelling(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines with each name as it is first written; refuse names with characters that can't be seen."""
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


def _refuse_broken(path: Path, broken: list[BadRow]) -> None:
    """Refuse a file with broken lines, by their numbers: a simulation of the others would mislead."""
    if broken:
        named = " ".join(f"Line {line.line}: {line.reason}" for line in broken[:LINES_NAMED])
        more = f" And {len(broken) - LINES_NAMED:,} more." if len(broken) > LINES_NAMED else ""
        raise SimulationError(f"{path} has broken lines: correct or remove them. {named}{more}")


def _without_repetitions(path: Path, rows: Iterable[Row]) -> list[Row]:
    unique: list[Row] = []
    seen: dict[tuple[CampaignName, str], Row] = {}
    for row in rows:
        if row.external_id is not None:
            first = seen.setdefault((name_of(row), row.external_id), row)
            if (first.timestamp, first.amount) != (row.timestamp, row.amount):
                raise SimulationError(
                    f"{path}, lines {first.line} and {row.line}: {row.campaign} has the external id "
                    f"{row.external_id} twice, and they say different things: correct one of them."
                )
            if first is not row:
                continue
        unique.append(row)
    return unique
