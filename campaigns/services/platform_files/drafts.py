"""A downloaded file between its upload and its import, with the answers given so far, for one user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from campaigns.models import ImportDraft
from campaigns.rules.amounts import DecimalMark
from campaigns.services.permissions import Person
from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.dates import DateOrder
from campaigns.services.platform_files.find_table import find_table
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.numbers import Parentheses

KIND = "report"
EXPIRES_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Choices:
    """What a person has chosen in the wizard: the answers, the brand of each account, and what is done without one."""

    answers: Answers = field(default_factory=Answers)
    # The brand by account; under "" the brand of a file that names no account.
    brands: Mapping[str, int] = field(default_factory=dict)
    link: bool = True
    create: bool = False


def keep_draft(name: str, data: bytes, *, person: Person, choices: Choices, now: datetime) -> ImportDraft:
    """Store a file that holds a table, replacing the person's previous one. Raises FileRefused."""
    find_table(data)
    ImportDraft.objects.filter(created_at__lt=now - EXPIRES_AFTER).delete()
    ImportDraft.objects.filter(user=person.pk).delete()
    return ImportDraft.objects.create(
        user_id=person.pk or 0, kind=KIND, name=name[-200:], data=data, shown=_to_json(choices), created_at=now
    )


def find_draft(pk: int, *, person: Person) -> ImportDraft | None:
    return ImportDraft.objects.filter(pk=pk, user=person.pk, kind=KIND).first()


def choices_of(draft: ImportDraft) -> Choices:
    given: dict[str, Any] = draft.shown
    columns = given["columns"]
    answers = Answers(
        columns=None if columns is None else {Role(role): place for role, place in columns.items()},
        order=DateOrder(given["order"]) if given["order"] else None,
        decimal=DecimalMark(given["decimal"]) if given["decimal"] else None,
        # A draft of an earlier version has none.
        parentheses=Parentheses(given["parentheses"]) if given.get("parentheses") else None,
        is_daily=given["is_daily"],
        repeated=given.get("repeated", ""),
        source=given["source"],
        account=given["account"],
        currency=given["currency"],
        timezone=given.get("timezone"),
    )
    return Choices(answers, given["brands"], given["link"], given["create"])


def save_choices(draft: ImportDraft, choices: Choices) -> None:
    draft.shown = _to_json(choices)
    draft.save(update_fields=["shown"])


def _to_json(choices: Choices) -> dict[str, Any]:
    answers = choices.answers
    columns = answers.columns
    return {
        "columns": None if columns is None else {role.value: place for role, place in columns.items()},
        "order": answers.order,
        "decimal": answers.decimal,
        "parentheses": answers.parentheses,
        "is_daily": answers.is_daily,
        "repeated": answers.repeated,
        "source": answers.source,
        "account": answers.account,
        "currency": answers.currency,
        "timezone": answers.timezone,
        "brands": dict(choices.brands),
        "link": choices.link,
        "create": choices.create,
    }
