"""Tests that commit, and the database as the next one finds it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import TransactionTestCase
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)

from campaigns.database.connection import fetch_all
from campaigns.models import (
    Alert,
    AlertEmail,
    AlertMessage,
    AlertRule,
    ApiKeyBrand,
    AppliedStatus,
    Brand,
    BrandAssignment,
    BrandOutlook,
    BrandPeriod,
    BrandQuiet,
    Campaign,
    CampaignLink,
    CountedTwice,
    DaypartingSchedule,
    DayToBook,
    Delivery,
    DeliveryAttempt,
    EarlierLink,
    EndpointBrand,
    JobZone,
    LinkedCampaign,
    Note,
    OutboxMessage,
    PendingSpend,
    PlatformAccount,
    SpendRecord,
    SpendTotal,
    StatusChange,
)

IN_ORDER = (
    ApiKeyBrand,
    DeliveryAttempt,
    Delivery,
    OutboxMessage,
    EndpointBrand,
    AlertMessage,
    AlertEmail,
    Alert,
    AlertRule.brands.through,
    BrandOutlook,
    BrandQuiet,
    BrandAssignment,
    Note,
    SpendRecord,
    SpendTotal,
    DayToBook,
    AppliedStatus,
    EarlierLink,
    LinkedCampaign,
    CountedTwice,
    CampaignLink,
    PlatformAccount,
    StatusChange,
    DaypartingSchedule,
    BrandPeriod,
    Campaign,
    Brand,
    PendingSpend,
)
# Tables that migrate fills, and no table that it leaves empty is referred to by them.
OF_MIGRATE = [
    model._meta.db_table
    for model in (
        AlertRule,
        ContentType,
        Permission,
        Group,
        Group.permissions.through,
        ClockedSchedule,
        CrontabSchedule,
        IntervalSchedule,
        SolarSchedule,
        PeriodicTask,
        PeriodicTasks,
        JobZone,
    )
]


def made_by_migrate() -> list[list[tuple[Any, ...]]]:
    return [fetch_all(f"SELECT * FROM {table} ORDER BY 1") for table in OF_MIGRATE]


def with_rows(tables: list[str]) -> list[str]:
    """Return those of the tables that aren't empty: to truncate all takes longer than most tests."""
    sql = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables)
    return [str(name) for (name,) in fetch_all(sql)]


def empty_ledger() -> None:
    """Delete every row of ours in the order that the guards allow."""
    with transaction.atomic():
        for model in IN_ORDER:
            rows: QuerySet[Any] = model._base_manager.all()
            rows._raw_delete(using=rows.db)


class CommittedTestCase(TransactionTestCase):
    """Tests that commit.

    Django empties the tables in no order; on SQLite the guards refuse that, and records that go after the
    pending spend leave pending spend behind. So the ledger goes first, in order.

    Django also makes all anew that migrate has made, which takes longer than most tests: here only after those that
    changed it.
    """

    of_migrate: ClassVar[list[list[tuple[Any, ...]]]] = []

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        CommittedTestCase.of_migrate = CommittedTestCase.of_migrate or made_by_migrate()

    def _fixture_teardown(self) -> None:
        empty_ledger()
        if made_by_migrate() != self.of_migrate:
            call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
            CommittedTestCase.of_migrate = made_by_migrate()
            return
        if left := with_rows(sorted(set(connection.introspection.django_table_names()) - set(OF_MIGRATE))):
            connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), left, allow_cascade=True))
