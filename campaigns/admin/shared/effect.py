"""A change that a person makes takes effect at once, in the same transaction (R8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from campaigns.admin.shared.deletion import ProtectHistoryMixin
from campaigns.database.clock import database_now
from campaigns.database.write_column import in_pieces
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.enforcement.saving import begin_deletion, finish_change
from campaigns.services.scope import Scope

TOLD = 10
"""So many sentences are told, where there may be one for each row."""


def changed_in_words(enforced: Enforcement) -> str:
    """Return how many campaigns an enforcement paused and resumed, as a sentence."""
    counts = [
        f"{count:,} campaign{'' if count == 1 else 's'} {word}"
        for count, word in ((enforced.paused, "paused"), (enforced.resumed, "resumed"))
        if count
    ]
    return f"{', '.join(counts) or 'No campaign changed status'}."


def warn_about_unknown_zones(request: HttpRequest, enforced: Enforcement) -> None:
    """Warn that campaigns kept their status because their brand's zone is unknown (written by SQL)."""
    for zone in enforced.unknown_zones:
        messages.warning(
            request,
            f"Unknown time zone “{zone}”: campaigns can’t resume until it is corrected.",
        )


def warn_of(request: HttpRequest, sentences: Sequence[str], more: str) -> None:
    """Warn of the first sentences, and of the rest by their number, for which `more` has a place."""
    for sentence in sentences[:TOLD]:
        messages.warning(request, sentence)
    if (rest := len(sentences) - TOLD) > 0:
        messages.warning(request, more.format(f"{rest:,}"))


class EnforceOnSaveMixin(ProtectHistoryMixin):
    """Saves only what was changed, then enforces what the save touched, after the inlines are saved."""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_fields:
            obj.save(update_fields=form.changed_fields)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        enforced = self._finish(request, [form.instance.pk])
        warn_about_unknown_zones(request, enforced)
        if change and enforced.changed:
            messages.info(request, changed_in_words(enforced))

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        begin_deletion(self.model, [obj.pk], self._brands_of([obj.pk]), clock=database_now)
        self._rows([obj.pk]).delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        ids = list(queryset.order_by().values_list("pk", flat=True))
        with transaction.atomic():
            begin_deletion(self.model, ids, self._brands_of(ids), clock=database_now)
            for piece in in_pieces(ids):
                self._rows(piece).delete()

    def _rows(self, ids: list[int]) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._base_manager.filter(pk__in=ids).order_by()
        return rows

    def _brands_of(self, ids: list[int]) -> set[int]:
        pieces = (self._rows(piece).values_list(self.brand_path, flat=True) for piece in in_pieces(ids))
        return {pk for piece in pieces for pk in piece}

    def _finish(self, request: HttpRequest, ids: Iterable[int]) -> Enforcement:
        return finish_change(Scope.of_rows(self.model, ids), clock=database_now, actor=request.user.get_username())
