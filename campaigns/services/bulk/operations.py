"""Operations on many brands or campaigns: reading, computing, writing and formatting the values.

Percentages are computed in decimals and rounded to six places, half away from zero (R12).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Protocol

from django.db import models
from django.db.models.functions import Now

from campaigns.database.write_column import in_pieces, write_column
from campaigns.models import Brand, Campaign, DaypartingSchedule
from campaigns.models.fields import SMALLEST
from campaigns.rules.money import AMOUNT_LIMIT, format_amount, format_money, to_micros
from campaigns.services.bulk.schedules import Schedule, WindowValue, format_schedule, schedule_of, write_schedules
from campaigns.services.people.owners import owner_ids

# The model that an operation changes.
Owner = type[Brand] | type[Campaign]


class OperationRefused(Exception):
    """The row can't be changed; the message says why."""


class Operation(Protocol):
    """One change of one attribute, applied to many rows."""

    @property
    def attribute(self) -> str:
        """The name of the changed attribute, like "daily spend limit"."""

    def changes(self, before: Any, after: Any) -> Mapping[str, tuple[Any, Any]]:
        """Return old and new values by setting, for the change history (campaigns.services.history.values)."""

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        """Return the current values by id."""

    def after(self, before: Any, currency: str) -> Any:
        """Return the new value. Raises OperationRefused, with amounts in the row's currency."""

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        """Write the new values. The caller holds the locks of the rows' brands."""

    def format_value(self, value: Any, currency: str) -> str: ...

    def as_data(self) -> dict[str, Any]:
        """Serialize the operation for operation_of()."""


# The value of a switch that is off because the row is archived; others are True and False.
ARCHIVED = "archived"


@dataclass(frozen=True)
class SwitchTo:
    """Switch on or off; jobs never change this (R5). What is archived stays off."""

    enabled: bool
    attribute = "switch"

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        return _read_switches(model, ids)

    def after(self, before: Any, currency: str) -> Any:
        if before == ARCHIVED and self.enabled:
            raise OperationRefused("Archived: restore it first.")
        return before if before == ARCHIVED else self.enabled

    def changes(self, before: Any, after: Any) -> Mapping[str, tuple[Any, Any]]:
        return {"enabled": (before, after)}

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        write_column(field_of(model, "enabled"), values)

    def format_value(self, value: Any, currency: str) -> str:
        return format_switch(value)

    def as_data(self) -> dict[str, Any]:
        return {"kind": "switch", "enabled": self.enabled}


@dataclass(frozen=True)
class ArchiveTo:
    """Archive, which switches off too, or restore, which doesn't switch on: people resume what they restored (R5)."""

    archived: bool
    attribute = "switch"

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        return _read_switches(model, ids)

    def after(self, before: Any, currency: str) -> Any:
        if self.archived:
            return ARCHIVED
        return False if before == ARCHIVED else before

    def changes(self, before: Any, after: Any) -> Mapping[str, tuple[Any, Any]]:
        archive = {"archived": (not self.archived, self.archived)}
        return archive | {"enabled": (True, False)} if before is True else archive

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        """Write both columns in one statement: a constraint refuses what is archived and on."""
        for piece in in_pieces(sorted(values)):
            rows = model._base_manager.filter(pk__in=piece)
            if self.archived:
                rows.update(enabled=False, archived_at=Now())
            else:
                rows.update(archived_at=None)

    def format_value(self, value: Any, currency: str) -> str:
        return format_switch(value)

    def as_data(self) -> dict[str, Any]:
        return {"kind": "archive", "archived": self.archived}


def format_switch(value: Any) -> str:
    return ARCHIVED if value == ARCHIVED else "on" if value else "off"


class Adjustment(StrEnum):
    """How to change a budget or limit."""

    SET = "set"
    RAISE_PERCENT = "raise_percent"
    LOWER_PERCENT = "lower_percent"
    RAISE = "raise"
    LOWER = "lower"
    REMOVE = "remove"


@dataclass(frozen=True)
class ChangeLimit:
    """Set, raise or lower a budget or limit by an amount or a percentage, or remove it."""

    field: str
    how: Adjustment
    # An amount of money, or a percentage.
    amount: Decimal = Decimal(0)

    @property
    def attribute(self) -> str:
        return self.field.replace("_", " ")

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        return _read_column(model, self.field, ids)

    def after(self, before: Any, currency: str) -> Any:
        if self.how == Adjustment.REMOVE:
            return None
        if self.how == Adjustment.SET:
            return _in_range(self.amount, format_money(self.amount, currency))
        if before is None:
            raise OperationRefused(f"No {self.attribute} to {self.how.split('_')[0]}.")
        return self._compute(before, currency)

    def _compute(self, before: Decimal, currency: str) -> Decimal:
        with localcontext(prec=60):
            change = before * self.amount / 100 if "percent" in self.how else self.amount
            result = before + change if self.how in (Adjustment.RAISE, Adjustment.RAISE_PERCENT) else before - change
            rounded = result.quantize(SMALLEST, ROUND_HALF_UP)
        sign = "+" if rounded >= before else "−"
        change = abs(rounded - before)
        return _in_range(rounded, f"{format_amount(before, currency)} {sign} {format_money(change, currency)}")

    def changes(self, before: Any, after: Any) -> Mapping[str, tuple[Any, Any]]:
        return {self.field: (before, after)}

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        write_column(field_of(model, self.field), values)

    def format_value(self, value: Any, currency: str) -> str:
        return "no limit" if value is None else format_money(value, currency)

    def as_data(self) -> dict[str, Any]:
        return {"kind": "limit", "field": self.field, "how": self.how, "amount": str(self.amount)}


@dataclass(frozen=True)
class ApplySchedule:
    """Replace the windows of campaigns."""

    schedule: Schedule
    attribute = "schedule"

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        found: dict[int, list[DaypartingSchedule]] = {pk: [] for pk in ids}
        for piece in in_pieces(ids):
            for window in DaypartingSchedule.objects.filter(campaign__in=piece).order_by():
                found[window.campaign_id].append(window)
        return {pk: schedule_of(windows) for pk, windows in found.items()}

    def after(self, before: Any, currency: str) -> Any:
        return self.schedule

    def changes(self, before: Any, after: Any) -> Mapping[str, tuple[Any, Any]]:
        return {"schedule": (before, after)}

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        write_schedules(values)

    def format_value(self, value: Any, currency: str) -> str:
        return format_schedule(value)

    def as_data(self) -> dict[str, Any]:
        return {"kind": "schedule", "windows": self.schedule}


@dataclass(frozen=True)
class SetOwner:
    """Give brands an owner, by username, or none."""

    username: str | None
    attribute = "owner"

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        return _read_column(model, "owner__username", ids)

    def after(self, before: Any, currency: str) -> Any:
        return self.username

    def changes(self, before: Any, after: Any) -> Mapping[str, tuple[Any, Any]]:
        return {"owner": (before, after)}

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        ids = owner_ids([self.username])
        write_column(field_of(model, "owner"), {pk: ids.get(name) for pk, name in values.items()})

    def format_value(self, value: Any, currency: str) -> str:
        return value or "no owner"

    def as_data(self) -> dict[str, Any]:
        return {"kind": "owner", "username": self.username}


def operation_of(data: Mapping[str, Any]) -> Operation:
    """Return the operation serialized by as_data(). The data must be trusted."""
    if data["kind"] == "switch":
        return SwitchTo(data["enabled"])
    if data["kind"] == "owner":
        return SetOwner(data["username"])
    if data["kind"] == "archive":
        return ArchiveTo(data["archived"])
    if data["kind"] == "limit":
        return ChangeLimit(data["field"], Adjustment(data["how"]), Decimal(data["amount"]))
    return ApplySchedule(tuple(WindowValue(*window) for window in data["windows"]))


def fingerprint(value: Any) -> str:
    """Return a short hash of a value, the same for both databases."""
    plain = to_micros(value) if isinstance(value, Decimal) else value
    return blake2b(json.dumps(plain, default=str).encode(), digest_size=6).hexdigest()


def field_of(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)  # noqa: S101  # callers pass names of columns
    return field


def _read_column(model: Owner, column: str, ids: Sequence[int]) -> dict[int, Any]:
    manager = model._base_manager
    found: dict[int, Any] = {}
    for piece in in_pieces(ids):
        found |= dict(manager.filter(pk__in=piece).order_by().values_list("pk", column))
    return found


def _read_switches(model: Owner, ids: Sequence[int]) -> dict[int, Any]:
    """Return True, False or ARCHIVED by id."""
    archived = _read_column(model, "archived_at", ids)
    return {pk: ARCHIVED if archived[pk] else on for pk, on in _read_column(model, "enabled", ids).items()}


def _in_range(amount: Decimal, text: str) -> Decimal:
    if amount < 0:
        raise OperationRefused(f"{text} is below 0, the minimum of a budget or limit.")
    if amount >= AMOUNT_LIMIT:
        raise OperationRefused(f"{text} is too large: a budget or limit must be below {AMOUNT_LIMIT:,}.")
    return amount
