"""What can be done to many brands or campaigns at once: what each value becomes, how it is read, written and told.

Exact: percentages are reckoned in decimals and rounded to six places, half away from zero (R12).
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

from campaigns.database.write_column import in_pieces, write_column
from campaigns.models import Brand, Campaign, DaypartingSchedule
from campaigns.models.fields import SMALLEST
from campaigns.rules.money import AMOUNT_LIMIT, format_amount, format_money, to_micros
from campaigns.services.bulk.presets import Schedule, WindowValue, schedule_in_words, schedule_of
from campaigns.services.bulk.windows import write_schedules

# Whose rows an operation changes.
Owner = type[Brand] | type[Campaign]


class Refused(Exception):
    """The row can't be changed so; the message is a sentence with the value and the remedy."""


class Operation(Protocol):
    """One change, of one thing, to be made to many rows."""

    @property
    def what(self) -> str:
        """What of a row it changes, like "daily spend limit"."""

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        """Return what each row has now."""

    def after(self, before: Any, currency: str) -> Any:
        """Return what becomes of a value; raises Refused, with amounts in the currency of the row."""

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        """Write what each row is to have. The caller holds the locks of the rows' brands."""

    def in_words(self, value: Any, currency: str) -> str: ...

    def logged(self, before: Any, after: Any, currency: str) -> str:
        """Return what the log says that was changed."""

    def as_data(self) -> dict[str, Any]:
        """Return what operation_of() turns into this operation again."""


@dataclass(frozen=True)
class SwitchTo:
    """Switch on or off: the staff's own switch, which no job turns (R5)."""

    enabled: bool
    what = "switch"

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        return _read_column(model, "enabled", ids)

    def after(self, before: Any, currency: str) -> Any:
        return self.enabled

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        write_column(field_of(model, "enabled"), values)

    def in_words(self, value: Any, currency: str) -> str:
        return "on" if value else "off"

    def logged(self, before: Any, after: Any, currency: str) -> str:
        return f"switched {self.in_words(after, currency)}"

    def as_data(self) -> dict[str, Any]:
        return {"kind": "switch", "enabled": self.enabled}


class How(StrEnum):
    """How a budget or limit is changed."""

    SET = "set"
    RAISE_PERCENT = "raise_percent"
    LOWER_PERCENT = "lower_percent"
    RAISE = "raise"
    LOWER = "lower"
    REMOVE = "remove"


@dataclass(frozen=True)
class ChangeLimit:
    """Change a budget or limit: set it, raise or lower it by an amount or by percents of it, or remove it."""

    field: str
    how: How
    # Money, or percents.
    amount: Decimal = Decimal(0)

    @property
    def what(self) -> str:
        return self.field.replace("_", " ")

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        return _read_column(model, self.field, ids)

    def after(self, before: Any, currency: str) -> Any:
        if self.how == How.REMOVE:
            return None
        if self.how == How.SET:
            return _in_range(self.amount, format_money(self.amount, currency))
        if before is None:
            raise Refused(f"It has no {self.what} to {self.how.split('_')[0]}: set one instead.")
        return self._reckoned(before, currency)

    def _reckoned(self, before: Decimal, currency: str) -> Decimal:
        with localcontext(prec=60):
            change = before * self.amount / 100 if "percent" in self.how else self.amount
            result = before + change if self.how in (How.RAISE, How.RAISE_PERCENT) else before - change
            rounded = result.quantize(SMALLEST, ROUND_HALF_UP)
        sign = "+" if rounded >= before else "−"
        change = abs(rounded - before)
        return _in_range(rounded, f"{format_amount(before, currency)} {sign} {format_money(change, currency)}")

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        write_column(field_of(model, self.field), values)

    def in_words(self, value: Any, currency: str) -> str:
        return "no limit" if value is None else format_money(value, currency)

    def logged(self, before: Any, after: Any, currency: str) -> str:
        return f"{self.what} from {self.in_words(before, currency)} to {self.in_words(after, currency)}"

    def as_data(self) -> dict[str, Any]:
        return {"kind": "limit", "field": self.field, "how": self.how, "amount": str(self.amount)}


@dataclass(frozen=True)
class ApplySchedule:
    """Give campaigns these windows in the place of those that they have."""

    schedule: Schedule
    what = "schedule"

    def read(self, model: Owner, ids: Sequence[int]) -> dict[int, Any]:
        found: dict[int, list[DaypartingSchedule]] = {pk: [] for pk in ids}
        for piece in in_pieces(ids):
            for window in DaypartingSchedule.objects.filter(campaign__in=piece).order_by():
                found[window.campaign_id].append(window)
        return {pk: schedule_of(windows) for pk, windows in found.items()}

    def after(self, before: Any, currency: str) -> Any:
        return self.schedule

    def write(self, model: Owner, values: Mapping[int, Any]) -> None:
        write_schedules(values)

    def in_words(self, value: Any, currency: str) -> str:
        return schedule_in_words(value)

    def logged(self, before: Any, after: Any, currency: str) -> str:
        return f"schedule from {self.in_words(before, currency)} to {self.in_words(after, currency)}"

    def as_data(self) -> dict[str, Any]:
        return {"kind": "schedule", "windows": self.schedule}


def operation_of(data: Mapping[str, Any]) -> Operation:
    """Return the operation that as_data() described. The data must be our own."""
    if data["kind"] == "switch":
        return SwitchTo(data["enabled"])
    if data["kind"] == "limit":
        return ChangeLimit(data["field"], How(data["how"]), Decimal(data["amount"]))
    return ApplySchedule(tuple(WindowValue(*window) for window in data["windows"]))


def fingerprint(value: Any) -> str:
    """Return a short text that is the same for the same value, whatever database it was read from."""
    plain = to_micros(value) if isinstance(value, Decimal) else value
    return blake2b(json.dumps(plain, default=str).encode(), digest_size=6).hexdigest()


def field_of(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)  # noqa: S101  # our own names of columns
    return field


def _read_column(model: Owner, column: str, ids: Sequence[int]) -> dict[int, Any]:
    manager = model._base_manager
    found: dict[int, Any] = {}
    for piece in in_pieces(ids):
        found |= dict(manager.filter(pk__in=piece).order_by().values_list("pk", column))
    return found


def _in_range(amount: Decimal, reckoned: str) -> Decimal:
    if amount < 0:
        raise Refused(f"{reckoned} is below 0: a budget or limit is 0 or more.")
    if amount >= AMOUNT_LIMIT:
        raise Refused(f"{reckoned} is too large: a budget or limit is below {AMOUNT_LIMIT:,}.")
    return amount
