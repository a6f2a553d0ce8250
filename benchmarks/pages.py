"""The admin's lists and forms, as a superuser in this process: with all campaigns, beside a thousand brands."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, pairs_of, seconds
from benchmarks.world import World


def measure(bench: Bench) -> list[Figure]:
    today = datetime.now(UTC).date()  # the admin shows no other day
    large, small = (
        World(brands, bench.sizes.days, today=today) for brands in (bench.sizes.brands, bench.sizes.small_brands)
    )
    return compare_pages(bench, large, small)


def compare_pages(bench: Bench, ours: World, baseline: World) -> list[Figure]:
    """Return a figure for each page: its milliseconds in one world, and in the other."""
    found: dict[str, list[float]] = {}

    def load_all(world: World) -> float:
        with bench.inside(world):
            client = Client(HTTP_HOST="localhost", secure=True)
            user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            for name, address in addresses():
                found.setdefault(name, []).append(1000 * load(client, address))
        return 0

    pairs_of(lambda: load_all(ours), lambda: load_all(baseline), bench.sizes)
    rounds = 2 * (bench.sizes.runs + bench.sizes.warm_up)
    first = 2 * bench.sizes.warm_up
    # Some pages exist in one world only.
    both = {name: times[first:] for name, times in found.items() if len(times) == rounds}
    return [compare(name, list(zip(times[::2], times[1::2], strict=True)), "ms") for name, times in both.items()]


def load(client: Client, address: str) -> float:
    """Return the seconds that a page takes; AssertionError where it doesn't come."""
    answers: list[Any] = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No directory at")  # of static files: the page needs none
        taken = seconds(lambda: answers.append(client.get(address, secure=True)))
    if answers[0].status_code != 200:
        raise AssertionError(f"{address} has answered {answers[0].status_code}")
    return taken


def addresses() -> Iterator[tuple[str, str]]:
    """Yield name and address of the list of each of our models, and of the pages of its first row."""
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label):
        meta = model._meta
        if meta.app_label == "campaigns":
            name = f"admin:{meta.app_label}_{meta.model_name}"
            yield f"{meta.verbose_name_plural}: list", reverse(f"{name}_changelist")
            row = model._base_manager.order_by("pk").first()
            for page in ("change", "history") if row else ():
                yield f"{meta.verbose_name_plural}: {page}", reverse(f"{name}_{page}", args=[row.pk if row else 0])
    yield "start page", reverse("admin:index")
