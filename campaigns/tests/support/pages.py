"""Every page of the admin, by its address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, IntervalSchedule, SolarSchedule

from campaigns.models import (
    AlertEmail,
    ApiKey,
    CampaignLink,
    Delivery,
    Endpoint,
    FileFormat,
    OutboxMessage,
    PlatformAccount,
    ReportImport,
    SpendTotal,
    SpendUpload,
)
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.api_keys import create_key
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend


def make_a_row_of_each() -> None:
    """Make sure that every list of the admin has a row."""
    brand = make_brand(daily_budget=5)
    campaign = make_campaign(brand)
    make_window(campaign)
    spend(campaign, 7)
    run_full_check("check_budgets", clock=timezone.now)
    account = PlatformAccount.objects.create(source="google_ads", external_id="123", name="Google", brand=brand)
    CampaignLink.objects.create(account=account, external_id="456", name="Search", campaign=campaign)
    SpendTotal.objects.create(
        source="google_ads", account="123", campaign="456", day="2026-03-01", total=5, booked_campaign=campaign
    )
    create_key("Airbyte", [Scope.SPEND_WRITE], brands=[brand.pk], created_by="somebody")
    somebody, _ = User.objects.get_or_create(username="somebody")
    # The budget of 5 is spent, so the full check has made an alert.
    AlertEmail.objects.create(person=somebody, message_id="<1@example.com>", subject="Spent")
    SpendUpload.objects.create(
        who="somebody", name="spend.csv", size=1, state="done", timezone="UTC", created_at=timezone.now()
    )
    ApiKey.objects.create(
        name="dlt", public_id="a" * 12, secret_sha256="0" * 64, scopes="spend:write", created_by="amara"
    )
    FileFormat.objects.create(name="Google Ads", signature="0" * 64, source="google_ads", used_at=timezone.now())
    now = timezone.now()
    endpoint = Endpoint.objects.create(name="Bids", url="https://example.com/", secret="whsec_YQ==", alert_fired=True)
    message = OutboxMessage.objects.create(event="test", data="{}", created_at=now)
    Delivery.objects.create(message=message, endpoint=endpoint, created_at=now, next_attempt_at=now)
    ReportImport.objects.create(
        who="somebody",
        name="google.csv",
        format="Google Ads",
        source="google_ads",
        imported_at=timezone.now(),
        first_day="2026-03-01",
        last_day="2026-03-02",
        money={"USD": "5.00"},
    )
    Group.objects.get_or_create(name="Some group")
    AccessAttempt.objects.create(username="eve", ip_address="192.0.2.1", failures_since_start=1)
    ClockedSchedule.objects.create(clocked_time=timezone.now().replace(microsecond=0))
    IntervalSchedule.objects.create(every=1, period=IntervalSchedule.DAYS)
    SolarSchedule.objects.create(event="sunset", latitude=0, longitude=0)


def every_model() -> list[type[models.Model]]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


def page(model: type[models.Model], name: str, *arguments: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=arguments)


def first_row(model: type[models.Model]) -> models.Model:
    row = model._base_manager.order_by("pk").first()
    assert row is not None, f"the list of {model._meta.verbose_name_plural} is empty"
    return row


def every_page(model: type[models.Model]) -> Iterator[tuple[str, str]]:
    """Yield the name and the address of each page of a model; those of a row for its first one."""
    row = first_row(model)
    for name in ("changelist", "add"):
        yield name, page(model, name)
    for name in ("change", "delete", "history"):
        yield name, page(model, name, row.pk)
