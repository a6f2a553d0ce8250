"""What must be true after every crowd."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db.models import Sum
from django.utils import timezone

from campaigns.models import Brand, Campaign, SpendRecord, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs.full_check import full_check
from campaigns.tests.oracle import oracle
from campaigns.tests.support.checking import ACTIVE, history, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window
from campaigns.tests.support.ledger import totals_counted, totals_of_records
from campaigns.tests.support.together import ConcurrencyTestCase
from campaigns.tests.torture.crowd.people import ZONES, Office, Person
from campaigns.tests.torture.crowd.reporters import Reporter, make_accounts
from campaigns.tests.torture.crowd.threads import Crowd
from campaigns.tests.torture.crowd.watchers import SwitchWatcher
from campaigns.tests.torture.extent import extent

PASSWORD = "correct horse battery staple"


class CrowdTestCase(ConcurrencyTestCase):
    """Four brands that people work on, the first of which an importer knows by name."""

    def setUp(self) -> None:
        super().setUp()
        self.seconds = extent(short=20, full=300)
        self.brands = [make_brand(timezone=zone, daily_budget=100) for zone in ZONES[:4]]
        self.campaigns = [make_campaign(brand, daily_spend_limit=30) for brand in self.brands for _ in range(3)]
        self.places = [(campaign.brand_id, campaign.pk) for campaign in self.campaigns]
        self.office = Office(
            brands=[brand.pk for brand in self.brands],
            moving=[brand.pk for brand in self.brands],
            campaigns=[campaign.pk for campaign in self.campaigns],
            windows={campaign.pk: make_window(campaign, start="05:00", end="23:59").pk for campaign in self.campaigns},
            spare=[make_campaign(self.brands[0]).pk for _ in range(2)],
            contested=[(Brand, self.brands[-1].pk), (Campaign, self.campaigns[-1].pk)],
        )
        self.accounts = make_accounts(self.office.campaigns)
        # With the usual hasher: a web server of its own doesn't know that of the tests.
        password = make_password(PASSWORD, hasher="pbkdf2_sha256")
        for name in ("amara", "bo", "cleo"):
            User.objects.create(username=name, password=password, is_staff=True, is_superuser=True)
        self.switches = SwitchWatcher(self.office)

    def reporters(self, role: str = "") -> list[Reporter]:
        """Return a connector for each account, which restates its totals."""
        return [Reporter(f"reporter {each}", each, role, seed) for seed, each in enumerate(self.accounts, start=20)]

    def assert_everybody_was_there(self, crowd: Crowd) -> None:
        for name, turns in crowd.turns.items():
            self.assertGreater(turns, 0, name)
        self.assertGreater(self.switches.seen_off, 0)

    def assert_nothing_lost(self, people: list[Person]) -> None:
        """R5: what each person saved last is there, and of two who changed the same field one saw a conflict."""
        for person in people:
            person.look_at_everything()
        for (model, pk), names in self.office.renamed.items():
            shown = Counter(before for before, _ in names)
            self.assertEqual(max(shown.values()), 1, f"two people replaced one name of {model.__name__} {pk}: {names}")
            after = {new for _, new in names} - set(shown)
            self.assertEqual({model._base_manager.values_list("name", flat=True).get(pk=pk)}, after)

    def assert_written(self, rows: int, millionths: Counter[int]) -> None:
        """Every row that the database has accepted is there, and no other but those of reported totals."""
        records = SpendRecord.objects.filter(total=None)
        found = {
            row["campaign"]: round(row["sum"] * 1_000_000)
            for row in records.values("campaign").annotate(sum=Sum("amount")).order_by()
        }
        self.assertEqual(found, {campaign: sum_ for campaign, sum_ in millionths.items() if campaign in found or sum_})
        self.assertEqual(records.count(), rows)

    def assert_settled(self) -> None:
        """R6: one check after all of that gives the oracle's reasons, and a second one finds nothing to do."""
        self.assertEqual(totals_counted(), totals_of_records())
        now = timezone.now()
        full_check("test", clock=lambda: now)
        for brand, facts, campaign in facts_of_everything():
            self.assertEqual(PauseReason(campaign.pause_reasons).codes, oracle.reasons(brand, facts, now), campaign.pk)
            self.assert_history_is_unbroken(campaign)
        lines = StatusChange.objects.count()
        again = full_check("test", clock=lambda: now)
        done = (again.enforcement.changed, again.folded, again.closed, again.zone_changes, again.booked)
        self.assertEqual(done, (0, 0, 0, 0, 0))
        self.assertEqual(StatusChange.objects.count(), lines)
        self.assert_exact()

    def assert_history_is_unbroken(self, campaign: Campaign) -> None:
        """R13: each line begins where the one before it ended."""
        before = ACTIVE
        for line in history(campaign):
            self.assertEqual(line[0], before, campaign.pk)
            self.assertNotEqual(line[1], before)
            before = line[1]
        self.assertEqual(reasons_of(campaign), before)


def facts_of_everything() -> Iterator[tuple[oracle.BrandFacts, oracle.CampaignFacts, Campaign]]:
    """Return all campaigns with the raw facts about them; the spend of one minute as one record."""
    spent: defaultdict[tuple[int, datetime], Decimal] = defaultdict(Decimal)
    for campaign_id, at, amount in SpendRecord.objects.values_list("campaign", "timestamp", "amount").iterator():
        spent[campaign_id, at.replace(second=0, microsecond=0)] += amount
    records: defaultdict[int, list[oracle.Record]] = defaultdict(list)
    for (campaign_id, minute), amount in spent.items():
        records[campaign_id].append(oracle.Record(amount, minute))
    for brand in Brand.objects.all():
        facts = oracle.BrandFacts(
            brand.timezone,
            enabled=brand.enabled,
            daily_budget=brand.daily_budget,
            monthly_budget=brand.monthly_budget,
        )
        campaigns = list(brand.campaigns.prefetch_related("windows"))
        facts.campaigns = [facts_of(campaign, records[campaign.pk]) for campaign in campaigns]
        for of_campaign, campaign in zip(facts.campaigns, campaigns, strict=True):
            yield facts, of_campaign, campaign


def facts_of(campaign: Campaign, records: list[oracle.Record]) -> oracle.CampaignFacts:
    windows = [oracle.Window(row.days_of_week, row.start_time, row.end_time) for row in campaign.windows.all()]
    return oracle.CampaignFacts(
        enabled=campaign.enabled,
        daily_spend_limit=campaign.daily_spend_limit,
        starts_on=campaign.starts_on,
        ends_on=campaign.ends_on,
        windows=windows,
        records=records,
    )
