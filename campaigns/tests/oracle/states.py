"""The state machine: anything that can happen to brands, campaigns and spend, in any order, on any clock."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.auth.models import Group, User
from django.test import Client
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from campaigns.tests.oracle.states_alerts import Alerting
from campaigns.tests.oracle.states_base import States
from campaigns.tests.oracle.states_people import Deciding
from campaigns.tests.oracle.states_reporting import Reported
from campaigns.tests.oracle.states_spend import Spending
from campaigns.tests.support.committed import CommittedTestCase


class Everything(Spending, Deciding, Reported):
    """All rules together."""


class EverythingWithAlerts(Spending, Deciding, Alerting, Reported):
    """The same, with looks at alerts and messages between them."""


class StatesTestCase(CommittedTestCase):
    """Runs commit, so that other connections see what this one does; each run begins with an empty ledger."""

    def run_everything(self, how: settings, machine: type[States] = Everything) -> None:
        person = machine.person = Client()
        person.force_login(User.objects.create(username="amara", is_staff=True, is_superuser=True))
        session = person.session
        session.set_expiry(datetime(2100, 1, 1, tzinfo=UTC))
        session.save()
        for name in ("anna", "dora"):
            user = User.objects.create(username=name, is_staff=True)
            user.groups.add(Group.objects.get(name="Brand managers"))
        run_state_machine_as_test(machine, settings=how)
