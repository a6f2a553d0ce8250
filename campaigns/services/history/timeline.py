"""What happened to a brand or campaign, newest first: changes of settings and of statuses, and notes.

Each kind has its own table, numbered in the order of time. A page merges their newest lines, and ends with the numbers
at which the next page goes on: each is found by an index, however long the history is.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from campaigns.models import Brand, Campaign, Note, SettingChange, StatusChange
from campaigns.rules.reasons import LIMITS, PauseReason
from campaigns.services.history.actors import acted_by
from campaigns.services.history.values import ANOTHER_BRAND, BRAND, MOVED_IN
from campaigns.services.notes import notes_on
from campaigns.services.permissions import Person, sees_only_assigned_brands, visible_to

SETTINGS, STATUS, NOTES = "settings", "status", "notes"
KINDS = (SETTINGS, STATUS, NOTES)
# Still paused, for other reasons than before.
STILL_PAUSED = ~Q(reasons_before=0) & ~Q(reasons_after=0)

Line = SettingChange | StatusChange | Note


@dataclass(frozen=True)
class Filters:
    """Which lines are wanted; an instant is included in since and excluded in until."""

    kind: str = ""
    who: str = ""
    since: datetime | None = None
    until: datetime | None = None
    with_still_paused: bool = False
    # Whether the person may see statuses.
    with_status: bool = True
    # The reader. Moved campaigns keep the names of brands from people who don't see them.
    reader: Person | None = None
    # Each line of a bulk change or import, which is otherwise one line of its brand: of this one, or of all.
    operation: UUID | None = None
    each: bool = False


class Page(NamedTuple):
    lines: list[Line]
    # Where the next page goes on: numbers of the last lines by kind. Empty on the last page.
    older: dict[str, int]


def read_timeline(row: Brand | Campaign, filters: Filters, *, size: int, after: dict[str, int]) -> Page:
    """Return a page of what happened to the row; `after` is what the page before returned as older."""
    kinds = [kind for kind in KINDS if filters.kind in ("", kind) and (kind != STATUS or filters.with_status)]
    if filters.operation:
        kinds = [SETTINGS]
    found = [_lines(row, kind, filters, after.get(kind), size + 1) for kind in kinds]
    merged = list(heapq.merge(*map(iter, found), key=lambda line: line.at, reverse=True))
    lines = merged[:size]
    if filters.reader:
        _hide_brands(filters.reader, lines)
    if len(merged) <= size:
        return Page(lines, {})
    last = {kind: line.pk for kind in kinds for line in lines if isinstance(line, MODELS[kind])}
    return Page(lines, after | last)


def every_line(row: Brand | Campaign, filters: Filters, *, most: int) -> Iterator[Line]:
    """Yield the lines of all pages, at most so many."""
    size, after = 1_000, dict[str, int]()
    while most > 0:
        page = read_timeline(row, filters, size=min(size, most), after=after)
        yield from page.lines
        most, after = most - len(page.lines), page.older
        if not after:
            return


MODELS: dict[str, type[Line]] = {SETTINGS: SettingChange, STATUS: StatusChange, NOTES: Note}


def _lines(row: Brand | Campaign, kind: str, filters: Filters, after: int | None, most: int) -> list[Any]:
    before = Q() if after is None else Q(pk__lt=after)
    wanted = before & _wanted(kind, filters)
    if kind == SETTINGS:
        return list(_settings(row, filters).filter(wanted).order_by("-id")[:most])
    if kind == NOTES:
        return list(notes_on(row).filter(wanted)[:most])
    statuses = StatusChange.objects.filter(wanted).order_by("-id")
    if not filters.with_still_paused:
        statuses = statuses.exclude(STILL_PAUSED)
    return list(_statuses(row, statuses, most))


def _wanted(kind: str, filters: Filters) -> Q:
    wanted = Q()
    if filters.who:
        wanted &= acted_by("who" if kind == NOTES else "actor", filters.who)
    if filters.since:
        wanted &= Q(at__gte=filters.since)
    if filters.until:
        wanted &= Q(at__lt=filters.until)
    return wanted


def _settings(row: Brand | Campaign, filters: Filters) -> QuerySet[SettingChange]:
    if isinstance(row, Campaign):
        # A move has a line for each of the two brands; the campaign shows the former one's.
        lines = SettingChange.objects.filter(campaign=row.pk).exclude(setting=MOVED_IN)
    else:
        lines = SettingChange.objects.filter(brand=row.pk)
        if not (filters.operation or filters.each):
            lines = lines.filter(count__gt=0)
    return lines.filter(operation=filters.operation) if filters.operation else lines


def _hide_brands(reader: Person, lines: Iterable[Line]) -> None:
    """Replace the names of brands that the reader doesn't see in the lines of moved campaigns.

    A move has a line for each of its two brands, so one tells the id of the other's brand. Two queries, where something
    has moved and the reader sees only assigned brands.
    """
    moves = [line for line in lines if isinstance(line, SettingChange) and line.setting in (BRAND, MOVED_IN)]
    if not moves or not sees_only_assigned_brands(reader):
        return
    both = SettingChange.objects.filter(
        campaign__in={line.campaign_id for line in moves},
        operation__in={line.operation for line in moves},
        setting__in=(BRAND, MOVED_IN),
    )
    brands = {(line.operation, line.campaign_id, line.setting): line.brand_id for line in both}
    visible = set(visible_to(reader, Brand.objects.filter(pk__in=brands.values()), "pk").values_list("pk", flat=True))
    for line in moves:
        move = line.operation, line.campaign_id
        if brands.get((*move, BRAND), 0) not in visible:
            line.before = ANOTHER_BRAND
        if brands.get((*move, MOVED_IN), 0) not in visible:
            line.after = ANOTHER_BRAND


def _statuses(row: Brand | Campaign, statuses: QuerySet[StatusChange], most: int) -> QuerySet[StatusChange]:
    """Return the first of the lines; of a brand, among those of the campaigns that changed last, found by an index."""
    if isinstance(row, Campaign):
        return statuses.filter(campaign=row.pk)[:most]
    last = statuses.filter(campaign=OuterRef("pk")).values("pk")[:1]
    changed = Campaign.objects.filter(brand=row.pk).annotate(last=Subquery(last)).filter(last__isnull=False)
    recent = dict(changed.order_by("-last").values_list("pk", "last")[:most])
    if not recent:
        return statuses.none()
    # Between two numbers, so that no plan reads the history of all brands from its end.
    between = statuses.filter(pk__lte=max(recent.values()))
    if len(recent) == most:
        between = between.filter(pk__gte=min(recent.values()))
    return between.filter(campaign__in=list(recent)).select_related("campaign")[:most]


def beginnings(changes: Iterable[StatusChange]) -> dict[int, list[StatusChange]]:
    """Return, by the number of each change that ended the reach of limits, the changes with which that began.

    Two queries, however many changes; each beginning is found by the index on campaign and number.
    """
    ended = {change.pk: PauseReason(change.reasons_before) & ~PauseReason(change.reasons_after) for change in changes}
    ids = [pk for pk, reasons in ended.items() if any(reason in LIMITS for reason in reasons)]
    if not ids:
        return {}
    latest = {f"began_{reason.value}": Subquery(_began(reason).values("pk")[:1]) for reason in LIMITS}
    found = StatusChange.objects.filter(pk__in=ids).annotate(**latest).values_list("pk", *latest)
    rows = StatusChange.objects.in_bulk({pk for _, *pks in found for pk in pks if pk is not None})
    return {
        pk: [rows[began] for reason, began in zip(LIMITS, pks, strict=True) if reason in ended[pk] and began in rows]
        for pk, *pks in found
    }


def _began(reason: PauseReason) -> QuerySet[StatusChange]:
    """Return the changes of a campaign before a change of it with which a reason began, the latest first."""
    earlier = StatusChange.objects.filter(campaign=OuterRef("campaign"), pk__lt=OuterRef("pk"))
    bits = earlier.annotate(
        held=F("reasons_before").bitand(reason.value), holds=F("reasons_after").bitand(reason.value)
    )
    return bits.filter(held=0, holds__gt=0).order_by("-pk")
