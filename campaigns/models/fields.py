from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from campaigns.rules.money import AMOUNT_LIMIT, PLACES, from_micros, to_micros
from campaigns.rules.names import name_key

SetT = TypeVar("SetT")
GetT = TypeVar("GetT")

SMALLEST = Decimal(1).scaleb(-PLACES)


class MicrosField(models.BigIntegerField[SetT, GetT]):
    """An exact amount of money: a Decimal in Python, whole millionths in the database.

    Sums of such columns are integers on every database, so ten tenths are exactly one on SQLite too (R12).
    """

    description = "Money in whole millionths"

    # The mypy plugin of django-stubs types the attribute by these.
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


class NameKeyField(models.CharField[SetT, GetT]):
    """The key by which the name of a row is compared, computed as the row is inserted.

    Empty (NULL) where the name was written by SQL, and for all but one of several names that are the same: their key is
    computed when they are looked for. On an update it stays as it is: see SavesNameKey.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": 800, "null": True, "editable": False} | kwargs)

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        if add:
            model_instance.name_key = name_key(model_instance.name) or None
        return model_instance.name_key


class SavesNameKey(models.Model):
    """A model that writes the new name key when a save includes the name in update_fields.

    Any other update of the name clears the key, by a trigger.
    """

    name: Any
    name_key: Any

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        renames = update_fields is not None and "name" in (update_fields := set(update_fields))
        if not renames:
            super().save(*args, update_fields=update_fields, **kwargs)
            return
        with transaction.atomic(using=kwargs.get("using")):
            super().save(*args, update_fields=update_fields, **kwargs)
            self.name_key = name_key(self.name) or None
            # In a second statement: if one wrote both and the key stayed the same, the trigger would clear it.
            row: models.QuerySet[Any] = type(self)._base_manager.filter(pk=self.pk)
            row.update(name_key=self.name_key)


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
        help_text=help_text,
    )


def within(limit: int) -> tuple[Decimal, Decimal]:
    """Return the range of amounts up to a limit in millionths, on both sides of 0."""
    return -from_micros(limit), from_micros(limit)


def limit_in_range(column: str) -> models.Q:
    return models.Q(**{f"{column}__gte": 0, f"{column}__lte": AMOUNT_LIMIT - SMALLEST})
