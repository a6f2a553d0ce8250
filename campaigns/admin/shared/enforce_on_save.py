"""Saves and deletions of brands and campaigns, each in one transaction with its history and its effect (R8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.messages import describe_fields, describe_save, warn_about_unknown_zones
from campaigns.database.clock import database_now
from campaigns.database.write_column import in_pieces
from campaigns.services.enforcement.saving import begin_change, begin_deletion, finish_change
from campaigns.services.history.record import Channel, Source, differences, record_changes
from campaigns.services.history.settings import read_settings
from campaigns.services.scope import Scope


class EnforceOnSaveMixin(BaseAdmin):
    """Saves a form in one transaction: lock, close ended periods, read the row, validate, write, record, enforce.

    Needs the model Brand or Campaign, `brand_path`, and a form that derives from ConflictAwareForm: it compares what
    its user saw with the row, which nobody else can change once the brand is locked.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            # Before Django reads the row. Ended periods keep the budgets that were in force in them.
            self._begin_save(request, object_id)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def _begin_save(self, request: HttpRequest, object_id: str | None) -> None:
        """Lock for a save that the person may make; Django refuses any other before it writes."""
        if object_id is None:
            if self.has_add_permission(request):
                self.lock_for_save(request, None, set())
        elif self.has_change_permission(request):
            try:
                key = self.opts.pk.to_python(unquote(object_id))
            except ValidationError:
                return
            stored = self.get_queryset(request).filter(pk=key).order_by()
            if brands := set(stored.values_list(self.brand_path, flat=True)):
                self.lock_for_save(request, key, brands)

    def lock_for_save(self, request: HttpRequest, pk: int | None, brand_ids: set[int]) -> None:
        """Lock the brands that the save is about, and close their ended periods; pk is None for a new row.

        brand_ids has the stored row's brand, or is empty. Raises OperationalError if a brand stays locked.
        """
        if brand_ids:
            begin_change(brand_ids, clock=database_now)

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        """Save a new row whole, and of an existing one only what the user changed."""
        form.settings_before = read_settings(self.model, [obj.pk]) if change else {}
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_fields:
            obj.save(update_fields=form.changed_fields)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the inlines, then record and enforce: a campaign's windows are its settings, and decide its status."""
        super().save_related(request, form, formsets, change)
        source, pk = _source(request), form.instance.pk
        after = read_settings(self.model, [pk])
        record_changes(differences(form.settings_before, after), source, at=database_now())
        enforced = finish_change(Scope.of_rows(self.model, [pk]), clock=database_now, actor=source.actor)
        warn_about_unknown_zones(request, enforced)
        if change:
            changed = [*describe_fields(form), *filter(None, map(self.describe_rows, formsets))]
            request.saved = describe_save(form.instance, changed, enforced)  # type: ignore[attr-defined]

    def describe_rows(self, formset: Any) -> str:
        """Return what a save changed of an inline's rows, in words; empty for nothing."""
        changed = formset.new_objects or formset.changed_objects or formset.deleted_objects
        return str(formset.model._meta.verbose_name_plural) if changed else ""

    def message_user(
        self, request: HttpRequest, message: Any, level: Any = messages.INFO, *args: Any, **kw: Any
    ) -> None:
        """Say what a save changed instead of Django's sentence, which says only that it did."""
        saved = getattr(request, "saved", None)
        super().message_user(request, saved if saved and level == messages.SUCCESS else message, level, *args, **kw)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """Delete a row, in the transaction that Django's delete_view has opened."""
        self._delete(request, [obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            self._delete(request, list(queryset.order_by().values_list("pk", flat=True)))

    def _delete(self, request: HttpRequest, ids: list[int]) -> None:
        begin_deletion(self.model, ids, self._brands_of(ids), clock=database_now)
        record_changes(differences(read_settings(self.model, ids), {}), _source(request), at=database_now())
        for piece in in_pieces(ids):
            self._rows(piece).delete()

    def _rows(self, ids: Iterable[int]) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._base_manager.filter(pk__in=ids).order_by()
        return rows

    def _brands_of(self, ids: list[int]) -> set[int]:
        pieces = (self._rows(piece).values_list(self.brand_path, flat=True) for piece in in_pieces(ids))
        return {pk for piece in pieces for pk in piece}

    # The change history has every setting's old and new value; Django's own log would have some of it again.
    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return []


def _source(request: HttpRequest) -> Source:
    return Source(request.user.get_username(), Channel.FORM)
