"""What every page of the admin has in common: looks, read-only lists, and refusals in words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import messages
from django.db import IntegrityError, OperationalError, models
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from campaigns.admin.shared.display import list_address
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.database.connection import is_busy, is_conflict
from campaigns.services.permissions import visible_to

logger = logging.getLogger(__name__)

ATTEMPTS = 3


def may_view(request: HttpRequest, model: type[models.Model]) -> bool:
    """Tell whether a person may look at rows of a model of ours: who may change them may."""
    return any(request.user.has_perm(f"campaigns.{what}_{model._meta.model_name}") for what in ("view", "change"))


class BaseAdmin(ScalableListMixin):
    """A list may have a note above it, and tell where rows come from while there are none; a page may have panels below
    its form, each a title and contents.

    brand_path is the lookup from a row to its brand: who sees only given brands sees the rows of these.
    """

    brand_path: ClassVar[str] = ""
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
        """Return a number of rows in words: "1 campaign", "1,200 campaigns"."""
        return f"{count:,} {self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural}"

    def dialogue(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        """Answer with a page of our own beside the list, which it leads back to."""
        page = self.admin_site.each_context(request) | {"opts": self.opts, "back": list_address(self.model)}
        return TemplateResponse(request, f"campaigns/admin/{template}.html", page | context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return visible_to(request.user, rows, self.brand_path) if self.brand_path else rows

    def panels(self, request: HttpRequest, obj: Any) -> Iterable[tuple[str, SafeString]]:
        """Return the panels that the person may look at."""
        return ()

    def extra_form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what templates show around the form of a row: obj is what is, not what the form asks for."""
        return {"panels": list(self.panels(request, obj))}

    def stored_object(self, request: HttpRequest, obj: Any) -> Any:
        """Return the row as the database has it; None where it is gone.

        A form that is shown again has put into its own row what was entered, and nothing of that was saved.
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


class ReadOnlyAdmin(BaseAdmin):
    """A list that nobody edits: what is in it is written by the system or by the connector."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class SuperusersOnlyMixin(ScalableListMixin):
    """Only superusers change these, whatever permissions others were given; with the permission others may look."""

    def get_actions(self, request: HttpRequest) -> Any:
        """Return none for others: actions that come with an application may ask for no permission."""
        return super().get_actions(request) if request.user.is_superuser else {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return bool(request.user.is_superuser)


class FriendlyDatabaseErrorsMixin(BaseAdmin):
    """Turns what the database refuses into a sentence.

    Forms check before they write; this is for what happens between the check and the write.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        view = super().changeform_view
        return self._refusing(request, lambda: view(request, object_id, form_url, extra_context))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        view = super().delete_view
        return self._refusing(request, lambda: view(request, object_id, extra_context))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        view = super().changelist_view
        return self._refusing(request, lambda: view(request, extra_context))

    def _refusing(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        if request.method != "POST":
            return view()
        try:
            return self._again_after_conflicts(request, view)
        except (IntegrityError, ProtectedError, OperationalError) as error:
            if isinstance(error, OperationalError) and not is_busy(error):
                raise
            logger.warning("refused at %s: %s", request.path, error)
            messages.error(request, f"Nothing was saved: {self._sentence(error)}")
            return HttpResponseRedirect(request.get_full_path())

    def _again_after_conflicts(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        """Do again what the database ended in a deadlock with somebody's SQL: nothing of it was saved."""
        for _ in range(ATTEMPTS - 1):
            try:
                return view()
            except OperationalError as error:
                if not is_conflict(error):
                    raise
                logger.warning("once more at %s: %s", request.path, error)
        return view()

    def _sentence(self, error: IntegrityError | ProtectedError | OperationalError) -> str:
        if isinstance(error, ProtectedError):
            # Django's own sentence names models and fields, and no remedy.
            return "rows with spend or campaigns can't be deleted. Turn them off instead."
        if isinstance(error, OperationalError) and not is_conflict(error):
            return (
                "another change or import is using the same brand or campaign right now. Try again in a minute; if this"
                " goes on, ask your administrator to look for an open database transaction."
            )
        if isinstance(error, OperationalError):
            return "others kept changing the same rows. Save again."
        for constraint in self.model._meta.constraints:
            if constraint.name in str(error):
                return str(constraint.get_violation_error_message())
        if "unique" in str(error).lower():
            return f"someone else just saved a {self.opts.verbose_name} with this name. Choose another one."
        return f"the database says “{str(error).splitlines()[0]}”. Check the current values and try again."
