"""Connectors that restate totals, and a person who leads their campaigns elsewhere, in a crowd (R16, R17)."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from django.urls import reverse

from campaigns.database.connection import execute, fetch_all
from campaigns.models import CampaignLink, PlatformAccount, SpendTotal, Waiting
from campaigns.services.connector_role import OF_TOTALS
from campaigns.services.totals.verify import unbalanced_totals
from campaigns.tests.support.browser import ShownForm
from campaigns.tests.support.outside import Client, open_client, utc_text
from campaigns.tests.torture.crowd.people import Browser, Form, Office, Person, errors_of
from campaigns.tests.totals.reports import SOURCE, UPSERT

OF_PLATFORM = ("1", "2", "3", "4")
UNASSIGNED = reverse("admin:campaigns_campaignlink_unassigned")
HELD = reverse("admin:campaigns_spendtotal_held")
CHOICE = re.compile(r'name="(?:spend|held)" value="([^"]+)"')

# Apart from the product: booked is what the records say, which are numbered from 1 on.
UNBALANCED_IN_SQL = """
    SELECT total.id, total.booked, SUM(record.amount) FROM campaigns_spendtotal AS total
    LEFT JOIN campaigns_spendrecord AS record ON record.total_id = total.id
    GROUP BY total.id, total.booked, total.revision
    HAVING ROUND(COALESCE(SUM(record.amount), 0) * 1000000) <> total.booked OR COUNT(record.id) <> total.revision
"""

Key = tuple[str, date]


class Reporter:
    """Restates the totals of an account of its own, and remembers what the database has accepted last."""

    def __init__(self, name: str, account: str, role: str, seed: int) -> None:
        self.name, self.account, self.role, self.random = name, account, role, Random(seed)
        self.known: dict[Key, Decimal] = {}
        self.reports = 0

    def turn(self) -> None:
        """Report some totals, row by row in one transaction; now and then stale ones, or take all of it back."""
        totals, is_stale = self._totals(), self.random.random() < 0.1
        as_of = datetime.now(UTC) - timedelta(days=400 if is_stale else 0)
        with closing(open_client()) as client:
            self._introduce(client)
            run(client, "BEGIN IMMEDIATE" if isinstance(client, sqlite3.Connection) else "BEGIN")
            for (campaign, day), total in sorted(totals.items()):
                at = utc_text(f"{as_of:%Y-%m-%d %H:%M:%S}")
                run(client, UPSERT, SOURCE, self.account, campaign, day.isoformat(), str(total), at)
            if self.random.random() < 0.1:
                run(client, "ROLLBACK")
                return
            run(client, "COMMIT")
        self.known |= {key: total for key, total in totals.items() if not is_stale or key not in self.known}
        self.reports += len(totals)

    def _introduce(self, client: Client) -> None:
        if not isinstance(client, sqlite3.Connection):
            run(client, f"SET application_name = '{self.name}'")
            run(client, f"SET ROLE {self.role}")

    def _totals(self) -> dict[Key, Decimal]:
        today = datetime.now(UTC).date()
        every = [(campaign, today - timedelta(days=back)) for campaign in OF_PLATFORM for back in range(4)]
        if self.random.random() < 0.1:  # an outage: everything of a day is 0
            day = self.random.choice(every)[1]
            return {key: Decimal(0) for key in every if key[1] == day}
        return {key: self._restated(key) for key in self.random.sample(every, self.random.randint(1, 8))}

    def _restated(self, key: Key) -> Decimal:
        factor = self.random.choice(["1", "1", "1", "0.99", "0.5", "0"])
        more = self.random.choice(["0", "0.000001", "3.333333", "20", "200"])
        return min(round(self.known.get(key, Decimal(0)) * Decimal(factor) + Decimal(more), 6), Decimal(10_000))


def run(client: Client, sql: str, *params: object) -> None:
    if isinstance(client, sqlite3.Connection):
        client.execute(sql.replace("%s", "?"), params)
    else:
        client.execute(sql.encode(), params or None)


class Cleo(Person):
    """Leads campaigns of platforms to others, from any day on; assigns and ignores what waits; decides on decreases."""

    def __init__(self, browser: Browser, office: Office) -> None:
        super().__init__("cleo", browser, office, seed=3)
        self.habits = [self.lead, self.lead, self.lead, self.assign, self.assign, self.ignore, self.decide]

    def lead(self) -> None:
        """Save a link: to a campaign, to none, or ignored; from the first day or from a later one."""
        link = self.random.choice(list(CampaignLink.objects.order_by("pk").values_list("pk", flat=True)))
        url = reverse("admin:campaigns_campaignlink_change", args=[link])
        shown = self.browser.get(url)
        form: Form = dict(ShownForm(shown.content.decode(), "campaignlink_form").values)
        form.pop("ignored", None)
        self.think()
        what = self.random.choice(["campaign", "campaign", "campaign", "nowhere", "ignored"])
        form["campaign"] = str(self.random.choice(self.office.campaigns)) if what == "campaign" else ""
        if what == "ignored":
            form["ignored"] = "on"
        form["first_day"] = str(datetime.now(UTC).date() - timedelta(days=self.random.randint(0, 4)))
        self.post(url, form)

    def assign(self) -> None:
        self._treat({"what": "one", "campaign": str(self.random.choice(self.office.campaigns)), "confirmed": "1"})

    def ignore(self) -> None:
        self._treat({"what": "ignore", "note": "ignored by cleo"})

    def decide(self) -> None:
        if keys := self._choices(HELD):
            decision = self.random.choice(["release", "reject"])
            self.post(HELD, {"held": self.random.choice(keys), "decision": decision})

    def _treat(self, data: dict[str, str]) -> None:
        if keys := self._choices(UNASSIGNED):
            self.think()
            chosen = self.random.sample(keys, self.random.randint(1, len(keys)))
            self.post(UNASSIGNED, data | {"spend": chosen})

    def _choices(self, url: str) -> list[str]:
        answer = self.browser.get(url)
        if answer.status_code != 200:
            raise AssertionError(f"{url} answered {answer.status_code} to {self.name}: {errors_of(answer)}")
        return sorted({html.unescape(each) for each in CHOICE.findall(answer.content.decode())})


def make_accounts(campaigns: Sequence[int]) -> list[str]:
    """Make an account in UTC and one in a zone where a day begins early; half of their campaigns are linked."""
    zones = {"1": "UTC", "2": "Pacific/Kiritimati"}
    for number, zone in zones.items():
        account = PlatformAccount.objects.create(source=SOURCE, external_id=number, currency="USD", timezone=zone)
        for index, external_id in enumerate(OF_PLATFORM):
            linked = campaigns[index] if index % 2 else None
            CampaignLink.objects.create(account=account, external_id=external_id, campaign_id=linked)
    return list(zones)


def grant_totals(role: str) -> None:
    for right, table, columns in OF_TOTALS:
        execute(f"GRANT {right} ({', '.join(columns)}) ON {table} TO {role}")


def watch_balance() -> None:
    """What is booked of totals is what their records say, at every moment, by two reckonings."""
    if found := [*unbalanced_totals(), *fetch_all(UNBALANCED_IN_SQL)]:
        raise AssertionError(f"totals and their records differ: {found[:5]}")


def assert_all_booked(reporters: Sequence[Reporter]) -> None:
    """Assert that the newest reports are there, and booked unless they wait for a person."""
    totals = {(row.account, row.campaign, row.day): row for row in SpendTotal.objects.all()}
    for reporter in reporters:
        for (campaign, day), expected in reporter.known.items():
            total = totals.pop((reporter.account, campaign, day))
            if total.total != expected:
                raise AssertionError(f"{reporter.name} reported {expected}, not {total.total}, of {campaign}, {day}")
            if total.waiting == Waiting.NO and total.booked != expected:
                raise AssertionError(f"{expected} of {campaign} on {day} is neither booked nor waits")
    if totals:
        raise AssertionError(f"Nobody has reported {sorted(totals)}.")
    watch_balance()
