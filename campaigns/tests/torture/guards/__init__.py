"""The guards of the product: what protects its rules, how each is taken away, and the tests that must notice."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import Guard
from campaigns.tests.torture.guards.labels import labelled_guards
from campaigns.tests.torture.guards.migrations import migration_guards
from campaigns.tests.torture.guards.python import python_guards
from campaigns.tests.torture.guards.triggers import trigger_guards


def all_guards() -> list[Guard]:
    return [*migration_guards(), *trigger_guards(), *labelled_guards(), *python_guards()]
