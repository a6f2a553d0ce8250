"""Files as people make them, for tests of import and export."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.test import TestCase

from campaigns.models import ImportDraft
from campaigns.services.exchange.columns import Kind, export_table
from campaigns.services.exchange.csv_files import write_csv
from campaigns.services.exchange.files import Value
from campaigns.services.exchange.imports import Imported, ImportPreview, apply_import, keep_draft, preview_import
from campaigns.services.exchange.write_xlsx import write_xlsx
from campaigns.tests.support.factories import utc

NOON = utc("2026-11-20 12:00")  # a Friday
FORMATS = {"file.csv": write_csv, "file.xlsx": write_xlsx}


def at_noon() -> datetime:
    return NOON


def csv_of(*rows: Sequence[Any]) -> bytes:
    """Return rows as a person would write them by hand."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


class ExchangeTestCase(TestCase):
    person: User

    def setUp(self) -> None:
        self.person = User.objects.create(username="amara", is_superuser=True)

    def keep(self, kind: Kind, data: bytes, name: str = "file.csv") -> ImportDraft:
        return keep_draft(kind, name, data, person=self.person, now=NOON)

    def preview(self, draft: ImportDraft) -> ImportPreview:
        return preview_import(draft, person=self.person, clock=at_noon)

    def apply(self, draft: ImportDraft) -> Imported:
        return apply_import(draft, person=self.person, clock=at_noon)

    def take_in(self, kind: Kind, *rows: Sequence[Any]) -> Imported:
        """Import rows, after their preview."""
        draft = self.keep(kind, csv_of(*rows))
        self.preview(draft)
        return self.apply(draft)

    def problems(self, kind: Kind, *rows: Sequence[Any]) -> list[tuple[int, str]]:
        """Return what is wrong with rows, by line."""
        plan = self.preview(self.keep(kind, csv_of(*rows))).plan
        return [(problem.line, problem.sentence) for problem in plan.problems]

    def export(self, kind: Kind) -> tuple[list[str], list[list[Value]]]:
        """Export everything that there is."""
        ids = list(kind.model._base_manager.order_by("pk").values_list("pk", flat=True))
        return export_table(kind, ids, now=NOON)
