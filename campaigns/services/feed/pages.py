"""Pages of the feed: status changes in the order of their positions, each after those that it follows.

A client lists the campaigns, with the position of that moment (publish.last_position), then asks for the changes after
it, page by page, and ends with the table's state: a change that the list didn't show commits later than the position
was read, so it is published later and lies above it. What the list showed already may come again.

A campaign's last line is never pruned, so following across pruned lines would still end there. But a batch that is
gone no longer knows its positions, and those in it are refused like those that never were: list again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from campaigns.database.connection import as_instant, fetch_all, one_snapshot
from campaigns.database.dialects import in_list, list_param, rows_param, rows_sql
from campaigns.database.statements import statement
from campaigns.rules.reasons import PauseReason
from campaigns.services.feed.publish import publish_waiting

PAGE = 1_000
# Ids read for a page. Some may be of lines of other batches; with few given brands, most are of others.
IDS_READ, IDS_READ_FOR_GIVEN_BRANDS = PAGE, 10 * PAGE

PART = {"shift": "bigint", "batch_id": "bigint", "first_line": "bigint", "last_line": "bigint"}


class UnknownPosition(Exception):
    """The position was pruned, or never given by this database."""


@dataclass(frozen=True, slots=True)
class FeedChange:
    """A status change, and what the campaign's reasons are now, which may be newer."""

    position: int
    line_id: int
    campaign_id: int
    brand_id: int
    decided_for: datetime
    written_at: datetime
    before: PauseReason
    after: PauseReason
    now: PauseReason


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Changes, the position to go on from, and whether there are more already."""

    changes: list[FeedChange]
    position: int
    more: bool


class _Part(NamedTuple):
    """Ids of a batch; a line's position is its id plus the shift."""

    shift: int
    batch_id: int
    first_line: int
    last_line: int


def read_page(after: int, *, brands: Collection[int] | None = None, most: int = PAGE) -> FeedPage:
    """Publish, then return the changes after a position, at most so many, of these brands or of all.

    Raises UnknownPosition.
    """
    publish_waiting()
    budget = IDS_READ if brands is None else IDS_READ_FOR_GIVEN_BRANDS
    with one_snapshot(jit="off"):  # compiling takes longer than reading
        parts, more = _parts(after, _batches(after), budget)
        if not parts:
            return FeedPage([], after, more=False)
        changes = _changes(parts, brands, most)
    if len(changes) == most:
        return FeedPage(changes, changes[-1].position, more=True)
    return FeedPage(changes, parts[-1].shift + parts[-1].last_line, more)


def _batches(after: int) -> list[tuple[int, int, int, int]]:
    """Return the batch that has the position and those after it: id, first position, first and last line."""
    # Beyond 64 bits the database would refuse the statement.
    batches = fetch_all(statement("feed/batches"), {"after": after, "most": PAGE}) if 0 <= after < 1 << 63 else []
    if not batches:
        raise UnknownPosition(after)
    _, position, first_line, last_line = batches[0]
    if after > position + last_line - first_line:
        raise UnknownPosition(after)
    return [(pk, position, first, last) for pk, position, first, last in batches]


def _parts(after: int, batches: Sequence[tuple[int, int, int, int]], budget: int) -> tuple[list[_Part], bool]:
    """Return the parts of the batches above the position, of at most so many ids, and whether there are more."""
    parts: list[_Part] = []
    for batch_id, position, first_line, last_line in batches:
        shift = position - first_line
        first = max(first_line, after - shift + 1)
        if first > last_line:
            continue
        if not budget:
            return parts, True
        last = min(last_line, first + budget - 1)
        budget -= last - first + 1
        parts.append(_Part(shift, batch_id, first, last))
        if last < last_line:
            return parts, True
    return parts, len(batches) == PAGE


def _changes(parts: Sequence[_Part], brands: Collection[int] | None, most: int) -> list[FeedChange]:
    visible = "TRUE" if brands is None else in_list("campaign.brand_id", hashed=True, param="%(brands)s")
    sql = statement("feed/changes", parts=rows_sql(PART, "%(parts)s"), visible=visible)
    params = {"parts": rows_param(PART, parts), "most": most}
    if brands is not None:
        params["brands"] = list_param(brands)
    return [
        FeedChange(
            position,
            line,
            campaign,
            brand,
            as_instant(at),
            as_instant(written),
            PauseReason(before),
            PauseReason(after),
            PauseReason(now),
        )
        for position, line, campaign, brand, at, written, before, after, now in fetch_all(sql, params)
    ]


def follow(after: int, *, brands: Collection[int] | None = None) -> Iterator[FeedChange]:
    """Yield all changes after a position that are there, over as many pages as they take."""
    more = True
    while more:
        page = read_page(after, brands=brands)
        yield from page.changes
        after, more = page.position, page.more
