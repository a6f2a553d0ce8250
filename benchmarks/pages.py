"""The admin's lists and forms at size, and a young and an old ledger of the same campaigns.

Pages are opened by a superuser in this process.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client, override_settings
from django.urls import reverse

from benchmarks.checks import go_back, idle_check, resume_half
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, pairs_of, timed
from benchmarks.quick import fill_pending, fold_all
from benchmarks.world import CAMPAIGNS_PER_BRAND, World
from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.admin.shared.filters import NEAR
from campaigns.models import Brand, Campaign

RECORDS_PER_DAY = 10

# Lists that read the figures of all rows: the queries of their addresses.
SORTED_AND_FILTERED: dict[type[Model], dict[str, dict[str, str]]] = {
    Brand: {"by today's percent": {"o": "-3"}, "by pace": {"o": "-5"}, "near a budget": {"used": NEAR}},
    Campaign: {
        "by today's percent": {"o": "-6"},
        "by today's percent, least first": {"o": "6"},
        "near their limit": {"used": NEAR},
    },
}


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
        # As in production, where PostgreSQL's clock is asked.
        with bench.inside(world), override_settings(DATABASE_CLOCK=True):
            client = Client(HTTP_HOST="localhost", secure=True)
            user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            for name, address in addresses():
                found.setdefault(name, []).append(1000 * load(client, address))
        return 0

    pairs_of(lambda: load_all(ours), lambda: load_all(baseline), bench.sizes)
    # Without the first round, which warms up; and some pages exist in one world only.
    both = {name: times[2:] for name, times in found.items() if len(times) == 2 * (1 + bench.sizes.runs)}
    return [compare(name, list(zip(times[::2], times[1::2], strict=True)), "ms") for name, times in both.items()]


def load(client: Client, address: str) -> float:
    """Return the seconds that a page takes; AssertionError where it doesn't come."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No directory at")  # of static files: the page needs none
        taken, answer = timed(lambda: client.get(address, secure=True))
    if answer.status_code != 200:
        raise AssertionError(f"{address} has answered {answer.status_code}")
    return taken


def addresses() -> Iterator[tuple[str, str]]:
    """Yield name and address of the list of each of our models, and of the pages of its first row."""
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label):
        meta = model._meta
        if meta.app_label == "campaigns":
            name = f"admin:{meta.app_label}_{meta.model_name}"
            yield f"{meta.verbose_name_plural}: list", reverse(f"{name}_changelist")
            row = model._base_manager.order_by("pk").first()
            # The history of what nobody changes leads to the row's page.
            is_read_only = isinstance(admin.site._registry[model], ReadOnlyAdmin)
            for page in ("change", "history")[: 2 - is_read_only] if row else ():
                yield f"{meta.verbose_name_plural}: {page}", reverse(f"{name}_{page}", args=[row.pk if row else 0])
    for each in (Brand, Campaign):
        row = each._base_manager.order_by("pk").first()
        if row:
            yield (
                f"{each._meta.verbose_name_plural}: spend",
                reverse(f"admin:campaigns_{each._meta.model_name}_spend", args=[row.pk]),
            )
    for model, named in SORTED_AND_FILTERED.items():
        for name, query in named.items():
            address = reverse(f"admin:campaigns_{model._meta.model_name}_changelist", query=query)
            yield f"{model._meta.verbose_name_plural}: {name}", address
    yield "start page", reverse("admin:index")


def years(bench: Bench) -> list[Figure]:
    brands, today = bench.sizes.small_brands, datetime.now(UTC).date()  # the admin shows no other day
    young, old = (
        World(brands, max(1, rows // (brands * CAMPAIGNS_PER_BRAND * RECORDS_PER_DAY)), RECORDS_PER_DAY, today)
        for rows in (bench.sizes.rows, 10 * bench.sizes.rows)
    )

    def change_half(world: World) -> float:
        taken = resume_half(world)
        go_back(world)
        return taken

    def fold_some(world: World) -> float:
        fill_pending(world, bench.sizes.rows // 100)
        return fold_all(bench.sizes.rows // 100)

    def measure(work: Callable[[World], float], world: World) -> float:
        with bench.inside(world):
            return work(world)

    works = {
        "full check, nothing to change": idle_check,
        "half of all campaigns change": change_half,
        "fold": fold_some,
    }
    figures = []
    for name, work in works.items():
        pairs = pairs_of(lambda: measure(work, old), lambda: measure(work, young), bench.sizes)  # noqa: B023
        figures.append(compare(f"{name}, old ledger to young", pairs, most=1.25))
    worst = max(compare_pages(bench, old, young), key=lambda page: page.measured)
    return [
        *figures,
        Figure("the admin's page that grows most", worst.measured, "times", most=2, note=worst.name),
        Figure("spend records of the old ledger", old.campaigns * old.days * RECORDS_PER_DAY, "rows"),
    ]
