"""How recorded alerts differ from what a statement says holds: new ones, ones that hold again, ones that have ended.

Both are compared in the database, so that a look at brands of which nothing has changed reads no row, however many
alerts are open. Sentences are made only for what is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from campaigns.database.connection import fetch_all
from campaigns.database.statements import statement
from campaigns.services.alerts.look import Look


class Found(NamedTuple):
    """A row of differences.sql, without the columns for sentences."""

    # None for a new alert, negative for one that has resolved and holds again.
    alert: int | None
    rule: int | None
    subject: str
    period: str
    threshold: int
    # In millionths.
    budget: int
    brand: int | None
    campaign: int | None


class Said(NamedTuple):
    """An alert in sentences, and its figures for other systems."""

    headline: str
    meaning: str
    figures: Mapping[str, Any]
    is_bad: bool = False


@dataclass(frozen=True)
class Query:
    """The statement that gives what holds of some kinds, as `held`, and how to say it."""

    kinds: tuple[str, ...]
    # Return the tables up to `held`, and their parameters.
    held: Callable[[Look], tuple[str, Mapping[str, Any]]]
    # Of `held`, for the sentences.
    columns: tuple[str, ...]
    say: Callable[[Found, Mapping[str, Any]], Said]
    # What a full check stores before; a kind that has it is looked at in full checks only.
    prepare: Callable[[Look], object] | None = None


@dataclass
class Differences:
    # Rows, which `alert_of` turns into alerts one by one when they are written: kept as objects, those of thousands of
    # brands would start the garbage collector's search of everything, which took half of the time.
    new: list[Any] = field(default_factory=list)
    alert_of: Callable[[Any], tuple[Found, Said]] = lambda row: row
    # By id, what they say now.
    reopened: dict[int, Said] = field(default_factory=dict)
    # Ids.
    ended: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.reopened or self.ended)


def differences(query: Query, look: Look) -> Differences:
    """Return what is to be written for the kinds of a query. One statement, besides those of the look."""
    held, params = query.held(look)
    sql = held + statement(
        "alerts/differences",
        kinds=", ".join(f"'{kind}'" for kind in query.kinds),
        alert_in_scope=look.scope("alert.brand_id"),
        columns=", ".join(query.columns),
        nulls=", ".join("NULL" for _ in query.columns),
    )
    result = Differences(alert_of=partial(_alert_of, query))
    for row in fetch_all(sql, {**params, **look.params}):
        alert, rule, *_ = row
        if rule is None:
            result.ended.append(alert)
        elif alert is None:
            result.new.append(row)
        else:
            result.reopened[-alert] = _alert_of(query, row)[1]
    return result


def _alert_of(query: Query, row: Sequence[Any]) -> tuple[Found, Said]:
    width = len(Found._fields)
    found = Found._make(row[:width])
    return found, query.say(found, dict(zip(query.columns, row[width:], strict=True)))
