"""The guards of the product, each with the change that takes it away and the tests that must notice."""

from __future__ import annotations

from campaigns.tests.torture.guards import books, calendar, closing, decision, imports, jobs, lists, people, waiting
from campaigns.tests.torture.guards.constraints import constraint_guards
from campaigns.tests.torture.guards.forms_of_values import VALUES
from campaigns.tests.torture.guards.guard import Guard
from campaigns.tests.torture.guards.triggers import trigger_guards

__all__ = ["GUARDS", "Guard"]

GUARDS: tuple[Guard, ...] = (
    *constraint_guards(),
    *trigger_guards(),
    *VALUES,
    *decision.GUARDS,
    *waiting.GUARDS,
    *books.GUARDS,
    *closing.GUARDS,
    *calendar.GUARDS,
    *people.GUARDS,
    *imports.GUARDS,
    *lists.GUARDS,
    *jobs.GUARDS,
)
