from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from campaigns.money import AMOUNT_LIMIT, PLACES, from_micros, to_micros

SetT = TypeVar("SetT")
GetT = TypeVar("GetT")

SMALLEST = Decimal(1).scaleb(-PLACES)


class MicrosField(models.BigIntegerField[SetT, GetT]):
    """An exact amount of money: a Decimal in Python, whole millionths in the database.

    Sums of such columns are integers on every database, so ten tenths are exactly one on SQLite too (R12).
    """

    description = "Money in whole millionths"

    # What the plugin of django-stubs reads to type the attribute.
    _pyi_private_set_type: Decimal | int  # type: ignore[assignment]
    _pyi_private_get_type: Decimal  # type: ignore[assignment]

    def from_db_value(self, value: int | Decimal | None, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else from_micros(value)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return to_micros(value)

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, Decimal) else Decimal(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return value if prepared else self.get_prep_value(value)


def limit_field(verbose_name: str, help_text: str) -> models.DecimalField[Any, Any]:
    """Return a budget or limit: empty means no limit, 0 means that nothing may be spent."""
    return models.DecimalField(
        verbose_name,
        max_digits=18,
        decimal_places=PLACES,
        null=True,
        blank=True,
        validators=[
            MinValueValidator(0, "%(show_value)s is below 0: enter 0 or more, or leave it empty for no limit."),
            MaxValueValidator(
                AMOUNT_LIMIT - SMALLEST, f"%(show_value)s is too large: enter less than {AMOUNT_LIMIT:,}."
            ),
        ],
        help_text=f"{help_text} Empty: no limit. 0: nothing may be spent.",
    )


def within(limit: int) -> tuple[Decimal, Decimal]:
    """Return the range of amounts up to a limit in millionths, on both sides of 0."""
    return -from_micros(limit), from_micros(limit)


def limit_in_range(column: str) -> models.Q:
    return models.Q(**{f"{column}__gte": 0, f"{column}__lte": AMOUNT_LIMIT - SMALLEST})
