"""The owner of a brand: a filter of the list, and the form of the bulk change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from campaigns.admin.shared.fields import is_key
from campaigns.admin.shared.filters import DescribedFilter
from campaigns.services.bulk.operations import Operation, SetOwner
from campaigns.services.people.owners import possible_owners


class OwnerFilter(DescribedFilter, DropdownFilter):
    title = "owner"
    parameter_name = "owner"
    MINE, NONE = "mine", "none"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        people = [(str(person.pk), owner_name(person)) for person in possible_owners()]
        return [(self.MINE, "My brands"), (self.NONE, "No owner"), *people]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value() or ""
        if chosen == self.MINE:
            return queryset.filter(owner=request.user.pk)
        if chosen == self.NONE:
            return queryset.filter(owner__isnull=True)
        return queryset.filter(owner=int(chosen)) if is_key(chosen) else queryset


def owner_name(person: User) -> str:
    return f"{person.get_full_name()} ({person.get_username()})" if person.get_full_name() else person.get_username()


class OwnerChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    def label_from_instance(self, obj: Any) -> str:
        return owner_name(obj)


class OwnerForm(forms.Form):
    owner = OwnerChoice(
        possible_owners(),
        required=False,
        empty_label="No owner",
        widget=UnfoldAdminSelectWidget,
        help_text="Who looks after these brands.",
    )

    def __init__(self, data: Any = None, *, person: Any) -> None:
        super().__init__(data)

    def operation(self) -> Operation:
        chosen = cast("User | None", self.cleaned_data["owner"])
        return SetOwner(chosen.get_username() if chosen else None)
