"""The base classes of our admin pages: layout, rows limited to a person's brands, read-only and superusers' pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from campaigns.admin.shared.display import change_address, list_address
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.money_field import read_only_money
from campaigns.admin.shared.times import as_of
from campaigns.services.permissions import visible_to


def may_view(request: HttpRequest, model: type[models.Model]) -> bool:
    """Return whether a person may view rows of one of our models; the permission to change includes it."""
    return any(request.user.has_perm(f"campaigns.{what}_{model._meta.model_name}") for what in ("view", "change"))


class BaseAdmin(ModelAdmin):
    """Layout of our lists and pages, and the rows that a person sees."""

    # The lookup from a row to its brand; limits rows to the assigned brands of people who see only those.
    brand_path: ClassVar[str] = ""
    # A note above the list, and the text of an empty list, which says where rows come from.
    list_note = ""
    nothing_yet = ""
    list_before_template: Any = "campaigns/admin/list_note.html"
    change_form_outer_after_template: Any = "campaigns/admin/panels.html"
    list_per_page = 50
    list_filter_submit = True
    list_filter_sheet = True
    list_fullwidth = True
    compressed_fields = True
    empty_value_display = "–"

    def counted(self, count: int) -> str:
        """Return a number of rows with the model's name: "1 campaign", "1,200 campaigns"."""
        return f"{count:,} {self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural}"

    def dialogue(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        """Return a page that asks something, with a way back to the list."""
        page = self.admin_site.each_context(request) | {"opts": self.opts, "back": list_address(self.model)}
        return TemplateResponse(request, f"campaigns/admin/{template}.html", page | context)

    def missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead home from a page of a row that is gone, or that the person can't see: both say the same."""
        name = str(self.opts.verbose_name).capitalize()
        sentence = f"{name} with ID “{unquote(object_id)}” doesn’t exist, or you don’t have access to it."
        messages.warning(request, sentence)
        return HttpResponseRedirect(reverse("admin:index"))

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Say the same from Django's own pages, which would ask whether the row was deleted."""
        return self.missing(request, object_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return visible_to(request.user, rows, self.brand_path) if self.brand_path else rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"as_of": as_of(timezone.now())} | (extra_context or {}))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show amounts with their currency to people who can't change the row; Django shows bare numbers."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        money = {
            field.name: read_only_money(field)
            for field in self.opts.local_fields
            if isinstance(field, models.DecimalField)
        }
        return [
            (title, options | {"fields": [money.get(name, name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def panels(self, request: HttpRequest, obj: Any) -> Iterable[tuple[str, SafeString]]:
        """Return the panels below a row's form that the person may view: titles and contents."""
        return ()

    def extra_form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what templates show around the form of a row; obj is the row as stored, not as entered."""
        return {"panels": list(self.panels(request, obj))}

    def stored_object(self, request: HttpRequest, obj: Any) -> Any:
        """Return the row as the database has it; None where it is gone.

        A form that is shown again with errors has written the entered values into its own instance.
        """
        return obj if obj is None or request.method != "POST" else self.get_object(request, str(obj.pk))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        shown = self.stored_object(request, obj)
        if shown is not None:
            context |= self.extra_form_context(request, shown)
        return super().render_change_form(request, context, add, change, form_url, obj)


class ReadOnlyAdmin(ScalableListMixin, BaseAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    """A read-only list: its rows are written by the system or by the connector."""

    actions = None

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the row's page, which says all that happened to it: nobody edits it, so Django's log of it is empty
        or has the same again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        return self.missing(request, object_id) if row is None else HttpResponseRedirect(change_address(row))

    def extra_form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return super().extra_form_context(request, obj) | {"show_history": False}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class SuperusersOnlyMixin(ModelAdmin):
    """Lets only superusers change rows, whatever permissions others have; with the permission others may view them."""

    def get_actions(self, request: HttpRequest) -> Any:
        """Return no actions for others: those of third-party applications may check no permission."""
        return super().get_actions(request) if request.user.is_superuser else {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return bool(request.user.is_superuser)
