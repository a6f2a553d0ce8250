"""Database errors as sentences on a page, instead of a server error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, OperationalError, models
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from campaigns.database.connection import is_busy, is_conflict

logger = logging.getLogger(__name__)

ATTEMPTS = 3


class FriendlyDatabaseErrorsMixin(ModelAdmin):
    """Answers a POST that the database refuses with a sentence above the same page.

    Forms validate before they write; this is for what changes between validation and write. The mixin stands left of
    those that open a transaction, because an error ends the transaction. It needs nothing from the class.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        view = super().changeform_view
        return friendly_errors(request, self.model, lambda: view(request, object_id, form_url, extra_context))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        view = super().delete_view
        return friendly_errors(request, self.model, lambda: view(request, object_id, extra_context))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        view = super().changelist_view
        return friendly_errors(request, self.model, lambda: view(request, extra_context))


def friendly_errors(request: HttpRequest, model: type[models.Model], view: Callable[[], HttpResponse]) -> HttpResponse:
    """Return the view's answer; where the database refuses what a POST writes, return to the page with a sentence."""
    if request.method != "POST":
        return view()
    try:
        return _retry_after_conflicts(request, view)
    except (IntegrityError, ProtectedError, OperationalError) as error:
        if isinstance(error, OperationalError) and not is_busy(error):
            raise
        logger.warning("refused at %s: %s", request.path, error)
        messages.error(request, f"Nothing was saved: {_sentence(error, model)}")
        return HttpResponseRedirect(request.get_full_path())


def _retry_after_conflicts(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """Retry a view after a deadlock with a concurrent transaction: the database has rolled everything back."""
    for _ in range(ATTEMPTS - 1):
        try:
            return view()
        except OperationalError as error:
            if not is_conflict(error):
                raise
            logger.warning("retry at %s: %s", request.path, error)
    return view()


def _sentence(error: IntegrityError | ProtectedError | OperationalError, model: type[models.Model]) -> str:
    if isinstance(error, ProtectedError):
        # Django's own sentence names models and fields, and no remedy.
        return "rows with spend or campaigns can't be deleted. Archive them instead."
    if isinstance(error, OperationalError) and not is_conflict(error):
        return (
            "another change or import is using the same brand or campaign right now. Try again in a minute; if this"
            " goes on, ask your administrator to look for an open database transaction."
        )
    if isinstance(error, OperationalError):
        return "others kept changing the same rows. Save again."
    for constraint in model._meta.constraints:
        if constraint.name in str(error):
            return str(constraint.get_violation_error_message())
    if "unique" in str(error).lower():
        return f"another {model._meta.verbose_name} already has this name. Choose another one."
    return f"the database says “{str(error).splitlines()[0]}”. Check the current values and try again."
