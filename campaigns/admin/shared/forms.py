"""Forms of the admin: a form writes only the fields that its user changed (R5).

Every field carries the value that it showed as a hidden input. The view locks the brand before it reads the row, and
the form compares the three values: a field that the user left alone keeps the stored value; one that somebody else
changed meanwhile, to another value, is refused in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from datetime import time
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property

from campaigns.admin.shared.fields import DaysField, is_key
from campaigns.admin.shared.money_field import NAMES_THE_VALUE, MoneyField
from campaigns.models.dayparting import days_in_words
from campaigns.rules.money import format_amount
from campaigns.rules.names import normal_name
from campaigns.services.naming.find_names import find_twin

M = TypeVar("M", bound=models.Model)

# What to enter instead, where Django's own sentence doesn't say so.
REMEDIES: dict[tuple[type[forms.Field], str], str] = {
    (forms.DecimalField, "invalid"): "Enter a number like 1250 or 1250.50, or leave it empty for no limit.",
    (forms.DecimalField, "max_decimal_places"): "Enter at most six decimals.",
    (forms.DecimalField, "max_digits"): "Enter a smaller number, below 1,000,000,000.",
    (forms.DecimalField, "max_whole_digits"): "Enter a smaller number, below 1,000,000,000.",
    (forms.DateField, "invalid"): "Enter a date like 2026-12-31, or leave it empty.",
    (
        forms.TimeField,
        "invalid",
    ): "Enter a time from 00:00 to 23:59; as an end, 00:00 means midnight at the end of the day.",
}


class ConflictAwareForm(forms.ModelForm[M]):
    """A model form that overwrites nothing that its user did not change.

    Its instance must be the row as stored, under a lock: see EnforceOnSaveMixin.
    """

    conflicts: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conflicts = []
        self.own_fields = list(self.fields)
        for name, field in self.fields.items():
            field.show_hidden_initial = True
            if isinstance(field, MoneyField):
                field.use_currency(self.entered_currency)
                field.shown = partial(self._shown, name)

    def add_error(self, field: str | None, error: Any) -> None:
        """Add the entered value to errors of fields whose sentence doesn't include it."""
        if field in self.own_fields and isinstance(error, ValidationError) and not hasattr(error, "error_dict"):
            error = [self._naming_the_value(field, one) for one in error.error_list]
        super().add_error(field, error)

    def _naming_the_value(self, field: str, error: ValidationError) -> ValidationError:
        entered, sentence = self[field].data, " ".join(error.messages)
        remedies = [
            remedy
            for (kind, code), remedy in REMEDIES.items()
            if code == error.code and isinstance(self.fields[field], kind)
        ]
        remedy = remedies[0] if remedies else sentence
        if not isinstance(entered, str) or not entered or entered in remedy or error.code == NAMES_THE_VALUE:
            return ValidationError(remedy, code=error.code)
        return ValidationError(f"“{entered}”: {remedy}", code=error.code)

    @property
    def currency(self) -> str:
        """Return the currency of the row's amounts; empty where it is unknown."""
        return ""

    def entered_currency(self) -> str:
        """Return the currency of the amounts as the form is filled in."""
        return self.currency

    @property
    def is_new(self) -> bool:
        return self.instance._state.adding

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name in self.fields if self._is_changed(name)]

    @property
    def changed_fields(self) -> list[str]:
        """The model's fields that the user changed, for update_fields."""
        return [name for name in self.own_fields if name in self.changed_data]

    def _is_changed(self, name: str) -> bool:
        bound, shown = self[name], self._shown(name)
        if bound.field.disabled:
            return False
        if shown is None:
            return bound.field.has_changed(bound.initial, bound.data)
        try:
            return bound.field.has_changed(bound.field.to_python(shown), bound.data)
        except ValidationError:
            return True

    def _shown(self, name: str) -> Any:
        """Return what the field showed, from its hidden input; None if the request has none."""
        bound = self[name]
        if name not in self.own_fields or bound.html_initial_name not in self.data:
            return None
        widget = bound.field.hidden_widget()
        return widget.value_from_datadict(self.data, self.files, bound.html_initial_name)

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.is_new:
            self._keep_stored_values()
        return self.cleaned_data

    def _keep_stored_values(self) -> None:
        """Refuse conflicting changes, and give fields that the user left alone the stored value, for validation."""
        for name in self.own_fields:
            if name in self.changed_data or self.deletes:
                self._refuse_conflict(name)
            if name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)

    @property
    def deletes(self) -> bool:
        """Whether the user asks for the row to be deleted, by an inline's checkbox."""
        return False

    def _refuse_conflict(self, name: str) -> None:
        """Refuse a field whose stored value is neither what the form showed nor what the user entered."""
        bound = self[name]
        shown = self._shown(name)
        stored = self._field(name).value_from_object(self.instance)
        shown_data = bound.field.prepare_value(bound.initial) if shown is None else shown
        if not bound.field.has_changed(stored, shown_data):
            return
        if not self.deletes and not bound.field.has_changed(stored, bound.data):
            return
        self._show_as_initial(name, stored)
        label, value = bound.label.lower(), self.format_value(name, getattr(self.instance, name))
        conflict = f"Someone else changed “{label}” to “{value}” while you were editing."
        if self.deletes:
            remedy = "Save again to delete it anyway."
        else:
            remedy = f"Save again to replace it with yours, or set it to “{value}” to keep theirs."
        self.conflicts.append(f"{conflict} {remedy}")
        self.add_error(name, self.conflicts[-1])

    def _show_as_initial(self, name: str, value: Any) -> None:
        """Set the hidden input of the form that is shown again to the value that the error names."""
        prepared = self.fields[name].prepare_value(value)
        key = self[name].html_initial_name
        data: Any = copy(self.data)
        if isinstance(prepared, list):
            data.setlist(key, [str(item) for item in prepared])
        else:
            data[key] = "" if prepared is None else str(self.fields[name].hidden_widget().format_value(prepared))
        self.data = data

    def _field(self, name: str) -> models.Field[Any, Any]:
        field = self.instance._meta.get_field(name)
        assert isinstance(field, models.Field)  # noqa: S101  # forms have no fields of reverse relations
        return field

    def format_value(self, name: str, value: Any) -> str:
        """Return a value of the field as text for people."""
        if isinstance(self.fields[name], DaysField):
            return days_in_words(value)
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, Decimal):
            return format_amount(value, self.currency)
        if isinstance(value, time):
            return f"{value:%H:%M}"
        return "empty" if value is None or value == "" else str(value)

    def save(self, commit: bool = True) -> M:
        """Save a new row whole, and of an existing one only what the user changed."""
        if not commit or self.is_new:
            return super().save(commit=commit)
        if self.errors:
            raise ValueError(f"The {self.instance._meta.verbose_name} could not be changed: the form has errors.")
        if self.changed_fields:
            self.instance.save(update_fields=self.changed_fields)
        return self.instance


class ConflictAwareFormSet(forms.BaseInlineFormSet[M, Any, "ConflictAwareRowForm[M]"]):
    """The rows of an inline, read under the lock that the view took. A row deleted meanwhile gets an error.

    Rows of other parents count as deleted: the ids were posted.
    """

    def get_queryset(self) -> Any:
        """Return the stored rows in the order in which the form showed them; a placeholder for each that is gone."""
        if not self.is_bound:
            return super().get_queryset()
        if not hasattr(self, "_shown_rows"):
            there = {row.pk: row for row in super().get_queryset()}
            self._shown_rows = [there.get(pk) or self._placeholder(pk) for pk in self._shown_keys()]
        return self._shown_rows

    def _shown_keys(self) -> Iterable[int]:
        for index in range(self.initial_form_count()):
            value = self.data.get(f"{self.add_prefix(index)}-id", "")
            yield int(value) if is_key(value) else 0

    def _placeholder(self, pk: int) -> Any:
        row: Any = self.form._meta.model(pk=pk, **{self.fk.name: self.instance})
        row._state.adding = False
        row.is_placeholder = True
        return row

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if not form.is_new:
            # Django's own field queries each row again, and refuses one that is gone as an invalid choice.
            form.fields["id"] = forms.IntegerField(initial=form.instance.pk, required=False, widget=forms.HiddenInput)

    def clean(self) -> None:
        """Refuse to delete rows that were changed meanwhile: Django ignores errors of forms marked for deletion."""
        super().clean()
        conflicts = [text for form in self.forms if form.deletes for text in form.conflicts]
        if conflicts:
            raise ValidationError(conflicts)

    def save_existing(self, form: Any, obj: M, commit: bool = True) -> M:
        saved: M = form.save(commit=commit)
        return saved

    def delete_existing(self, obj: M, commit: bool = True) -> None:
        """Delete the row of this parent only: the id was posted, and may be of another parent."""
        if commit:
            type(obj)._base_manager.filter(pk=obj.pk, **{self.fk.name: self.instance}).delete()


class ConflictAwareRowForm(ConflictAwareForm[M]):
    """The form of one row of an inline, whose formset is a ConflictAwareFormSet."""

    @property
    def deletes(self) -> bool:
        return "DELETE" in self.fields and bool(self.cleaned_data.get("DELETE"))

    @property
    def is_gone(self) -> bool:
        """Whether the row was deleted since the form was opened."""
        return getattr(self.instance, "is_placeholder", False)

    def _keep_stored_values(self) -> None:
        """Refuse to change a row that is gone; an untouched one, or one that both delete, stays deleted."""
        if not (self.is_gone and self.has_changed()):
            super()._keep_stored_values()
        elif not self.deletes:
            what = self.instance._meta.verbose_name
            self.add_error(
                None, f"Someone else deleted this {what} while you were editing. Delete it here too, or add it again."
            )


class NamedForm(ConflictAwareForm[M]):
    """The form of a brand or campaign: its name is normalised, and unique however it is spelled.

    A name that the user leaves alone is kept, whatever characters or twins it has.
    """

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not self._is_entered("name"):
            return name
        try:
            return normal_name(name)
        except ValueError as refusal:
            raise ValidationError(str(refusal), code=NAMES_THE_VALUE) from refusal

    def clean(self) -> dict[str, Any]:
        """Look for a name that differs in spelling only; the database checks again when the row is written."""
        cleaned = super().clean()
        name, brand = cleaned.get("name"), cleaned.get("brand")
        if name and (brand or "brand" not in self.fields) and (self._is_entered("name") or self._is_entered("brand")):
            twin = find_twin(name, brand_id=brand and brand.pk, but=self.instance.pk)
            # The unique constraint reports the very same name; not that the row is archived, which lists don't show.
            if twin and (twin.name != name or twin.is_archived):
                remedy = "Restore it, or choose another name." if twin.is_archived else "Choose another name."
                sentence = f"There is already a {self.instance._meta.verbose_name} {twin.label}. {remedy}"
                self.add_error("name", ValidationError(sentence, code=NAMES_THE_VALUE))
        if cleaned.get("enabled") and getattr(self.instance, "archived_at", None) and "enabled" in self.changed_data:
            self.add_error("enabled", f"This {self.instance._meta.verbose_name} is archived. Restore it first.")
        return cleaned

    def _is_entered(self, name: str) -> bool:
        return name in self.fields and (self.is_new or name in self.changed_data)
