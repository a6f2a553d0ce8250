"""Saves and deletions of brands and campaigns, each in one transaction with its effect on statuses (R8)."""

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
from campaigns.services.scope import Scope


class EnforceOnSaveMixin(BaseAdmin):
    """Saves a form in one transaction: lock, close ended periods, read the row, validate, write, enforce.

    Needs `brand_path`, and a form that derives from ConflictAwareForm: it compares what its user saw with the row,
    which nobody else can change once the brand is locked.
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
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_fields:
            obj.save(update_fields=form.changed_fields)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the inlines, then enforce: a campaign's windows decide its status too."""
        super().save_related(request, form, formsets, change)
        scope = Scope.of_rows(self.model, [form.instance.pk])
        enforced = finish_change(scope, clock=database_now, actor=request.user.get_username())
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
        self._delete([obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            self._delete(list(queryset.order_by().values_list("pk", flat=True)))

    def _delete(self, ids: list[int]) -> None:
        begin_deletion(self.model, ids, self._brands_of(ids), clock=database_now)
        for piece in in_pieces(ids):
            self._rows(piece).delete()

    def _rows(self, ids: Iterable[int]) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._base_manager.filter(pk__in=ids).order_by()
        return rows

    def _brands_of(self, ids: list[int]) -> set[int]:
        pieces = (self._rows(piece).values_list(self.brand_path, flat=True) for piece in in_pieces(ids))
        return {pk for piece in pieces for pk in piece}
