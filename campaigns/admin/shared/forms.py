"""Forms of the admin: a form writes only what its user changed from what the form showed (R5).

Every field carries what it showed as a hidden value. After the brand's lock is taken, the row is read again:
a field that the user left alone takes the value of now, and one that both changed is refused in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from datetime import time
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property

from campaigns.admin.shared.fields import DaysField, is_key
from campaigns.models.dayparting import days_in_words
from campaigns.rules.money import format_amount

M = TypeVar("M", bound=models.Model)

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
"""What to do about an entry, where Django's own sentence doesn't say so."""


NAMES_THE_VALUE = "names_the_value"
"""The code of an error whose sentence says what was entered."""


class ConflictAwareForm(forms.ModelForm[M]):
    """A model form that overwrites nothing that its user did not change."""

    conflicts: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conflicts = []
        self.own_fields = list(self.fields)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def add_error(self, field: str | None, error: Any) -> None:
        """Say what was entered where Django's own sentence about a field doesn't."""
        if field in self.own_fields and isinstance(error, ValidationError) and not hasattr(error, "error_dict"):
            error = [self._naming_the_value(field, one) for one in error.error_list]
        super().add_error(field, error)

    def _naming_the_value(self, field: str, error: ValidationError) -> ValidationError:
        entered, told = self[field].data, " ".join(error.messages)
        remedies = [
            remedy
            for (kind, code), remedy in REMEDIES.items()
            if code == error.code and isinstance(self.fields[field], kind)
        ]
        remedy = remedies[0] if remedies else told
        if not isinstance(entered, str) or not entered or entered in remedy or error.code == NAMES_THE_VALUE:
            return ValidationError(remedy, code=error.code)
        return ValidationError(f"“{entered}”: {remedy}", code=error.code)

    @property
    def currency(self) -> str:
        """Return the currency of the row's amounts; empty where it isn't known."""
        return ""

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
        """Return what the field showed, as it was posted; None where the post doesn't say."""
        bound = self[name]
        if name not in self.own_fields or bound.html_initial_name not in self.data:
            return None
        widget = bound.field.hidden_widget()
        return widget.value_from_datadict(self.data, self.files, bound.html_initial_name)

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.lock()
        if not self.is_new:
            self._take_what_is_there_now()
        return self.cleaned_data

    def lock(self) -> None:
        """Take the locks under which the row is read again; forms of rows under a locked brand need none."""

    def current_row(self) -> M | None:
        manager = type(self.instance)._base_manager
        related = [name for name in self.own_fields if self.instance._meta.get_field(name).many_to_one]
        return manager.select_related(*related).filter(pk=self.instance.pk).first()

    def _take_what_is_there_now(self) -> None:
        now = self.current_row()
        if now is None:
            self.is_gone()
            return
        for field in self.instance._meta.concrete_fields:
            setattr(self.instance, field.attname, getattr(now, field.attname))
        for name in self.own_fields:
            if name in self.changed_data or self.deletes:
                self._refuse_conflict(name, now)
            if name not in self.changed_data:
                setattr(self.instance, name, getattr(now, name))
                self.cleaned_data[name] = getattr(now, name)

    @property
    def deletes(self) -> bool:
        """Whether the user asks for the row to be deleted, by an inline's checkbox."""
        return False

    def is_gone(self) -> None:
        """Say that somebody deleted the row meanwhile."""
        what = self.instance._meta.verbose_name
        self.conflicts.append(f"Someone else deleted this {what} meanwhile: nothing was saved.")
        self.add_error(None, self.conflicts[-1])

    def _refuse_conflict(self, name: str, now: M) -> None:
        """Refuse a field whose value is neither what the form showed nor what the user entered."""
        bound = self[name]
        shown = self._shown(name)
        there = self._field(name).value_from_object(now)
        shown_data = bound.field.prepare_value(bound.initial) if shown is None else shown
        if not bound.field.has_changed(there, shown_data):
            return
        if not self.deletes and not bound.field.has_changed(there, bound.data):
            return
        self._show_as_initial(name, there)
        label, value = bound.label.lower(), self.in_words(name, getattr(now, name))
        told = f"Someone else changed “{label}” to “{value}” while you were editing."
        if self.deletes:
            remedy = "Save again to delete it anyway."
        else:
            remedy = f"Save again to replace it with yours, or set it to “{value}” to keep theirs."
        self.conflicts.append(f"{told} {remedy}")
        self.add_error(name, self.conflicts[-1])

    def _show_as_initial(self, name: str, value: Any) -> None:
        """Let the form, when it is shown again, know the value that the user is now told of."""
        prepared = self.fields[name].prepare_value(value)
        key = self[name].html_initial_name
        data: Any = copy(self.data)
        if isinstance(prepared, list):
            data.setlist(key, [str(item) for item in prepared])
        else:
            data[key] = "" if prepared is None else str(prepared)
        self.data = data

    def _field(self, name: str) -> models.Field[Any, Any]:
        field = self.instance._meta.get_field(name)
        assert isinstance(field, models.Field)  # noqa: S101  # forms have no fields of reverse relations
        return field

    def in_words(self, name: str, value: Any) -> str:
        """Return a value of the field as people say it."""
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
    """Rows of an inline, each as careful as the form above; one that somebody deleted gets a sentence."""

    def get_queryset(self) -> Any:
        """Return the rows in the order in which the form showed them; a stand-in for one that is gone."""
        if not self.is_bound:
            return super().get_queryset()
        if not hasattr(self, "_shown_rows"):
            there = {row.pk: row for row in super().get_queryset()}
            self._shown_rows = [there.get(pk) or self._stand_in(pk) for pk in self._shown_keys()]
        return self._shown_rows

    def _shown_keys(self) -> Iterable[int]:
        for index in range(self.initial_form_count()):
            value = self.data.get(f"{self.add_prefix(index)}-id", "")
            yield int(value) if is_key(value) else 0

    def _stand_in(self, pk: int) -> Any:
        row = self.form._meta.model(pk=pk, **{self.fk.name: self.instance})
        row._state.adding = False
        return row

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if not form.is_new:
            # Django's own field looks each row up again, and calls one that is gone an invalid choice.
            form.fields["id"] = forms.IntegerField(initial=form.instance.pk, required=False, widget=forms.HiddenInput)

    def clean(self) -> None:
        """Refuse to delete what somebody changed: a form that is to be deleted shows no errors of its own."""
        super().clean()
        conflicts = [text for form in self.forms if form.deletes for text in form.conflicts]
        if conflicts:
            raise ValidationError(conflicts)

    def save_existing(self, form: Any, obj: M, commit: bool = True) -> M:
        saved: M = form.save(commit=commit)
        return saved

    def delete_existing(self, obj: M, commit: bool = True) -> None:
        """Delete the row of this parent only: the posted key might be anybody's."""
        if commit:
            type(obj)._base_manager.filter(pk=obj.pk, **{self.fk.name: self.instance}).delete()


class ConflictAwareRowForm(ConflictAwareForm[M]):
    """The form of one row of an inline. The parent's form has taken the brand's lock before."""

    parent_field: ClassVar[str]

    @property
    def deletes(self) -> bool:
        return "DELETE" in self.fields and bool(self.cleaned_data.get("DELETE"))

    def current_row(self) -> M | None:
        """Read a row that is to be changed again, but only as a row of this parent: the key was posted."""
        if not self.has_changed():
            return self.instance
        row, parent = super().current_row(), self._field(self.parent_field).attname
        return row if row and getattr(row, parent) == getattr(self.instance, parent) else None

    def is_gone(self) -> None:
        """What both deleted is deleted; what the user changed and somebody deleted is told."""
        if not self.deletes:
            what = self.instance._meta.verbose_name
            self.add_error(
                None,
                f"Someone else deleted this {what} while you were editing. Delete it here too, or add it again.",
            )
