"""Every list and form of the admin, and how long each takes to come, as a superuser in this process.

As a part of the bench: how long with all campaigns, beside a world of a thousand brands.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse

from benchmarks.bench import Bench, Measured
from benchmarks.figures import Figure, Pairs
from benchmarks.timing import seconds
from benchmarks.world import World

OURS = "campaigns"
HOME = "start page"
PAGES_OF_A_ROW = ("change", "history")


def measure(bench: Bench) -> Measured:
    today = datetime.now(UTC).date()  # the pages know no other
    large, small = (
        World(brands, bench.sizes.days, today=today) for brands in (bench.sizes.brands, bench.sizes.small_brands)
    )
    pages = compare_pages(bench, large, small)
    home = next(page for page in pages if page.name == HOME)
    slowest = max((page for page in pages if page is not home), key=lambda page: page.ours)
    figures = [
        Figure(f"the admin's {page.name}, at {large.campaigns:,} campaigns", page.ours * 1000, "ms")
        for page in (home, slowest)
    ]
    for world in {large, small}:
        bench.forget(world)
    return Measured(figures, table_of(pages, f"{small.campaigns:,} campaigns", f"{large.campaigns:,} campaigns"))


def compare_pages(bench: Bench, ours: World, baseline: World) -> list[Figure]:
    """Return a figure for each page, its time in one world to that in the other; the two alternate."""
    bench.say("opening the admin's pages")
    warm_up = int(bench.sizes.warm_up)
    looks = [(look_at_pages(bench, ours), look_at_pages(bench, baseline)) for _ in range(bench.sizes.runs + warm_up)]
    kept = looks[warm_up:]
    return [
        Pairs([of_ours[name] for of_ours, _ in kept], [of_baseline[name] for _, of_baseline in kept]).figure(name)
        for name in kept[0][1]
        if name in kept[0][0]
    ]


def look_at_pages(bench: Bench, world: World) -> dict[str, float]:
    """Return the seconds that each page took."""
    with bench.inside(world):
        visitor = Visitor()
        return {name: visitor.load(address) for name, address in addresses()}


def table_of(pages: list[Figure], baseline: str, ours: str) -> list[list[str]]:
    """Return a row for each page, in milliseconds."""
    rows = [[f.name, f"{(f.baseline or 0) * 1000:.0f}", f"{f.ours * 1000:.0f}", f"{f.measured:.2f}"] for f in pages]
    return [["page", f"{baseline}, ms", f"{ours}, ms", "ratio"], *rows]


class Visitor:
    """A superuser's browser."""

    def __init__(self) -> None:
        self.client = Client(HTTP_HOST="localhost", secure=True)
        user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
        self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def load(self, address: str) -> float:
        """Return the seconds that a page takes; AssertionError where none comes."""
        answers: list[Any] = []
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "No directory at")  # of static files: the page needs none
            taken = seconds(lambda: answers.append(self.client.get(address, secure=True)))
        if answers[0].status_code != 200:
            raise AssertionError(f"{address} has answered {answers[0].status_code}")
        return taken


def addresses() -> Iterator[tuple[str, str]]:
    """Yield the name and the address of the list of each of our models, and of the pages of its first row."""
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label):
        if model._meta.app_label != OURS:
            continue
        yield f"{model._meta.verbose_name_plural}: list", _address(model, "changelist")
        row = model._base_manager.order_by("pk").first()
        for page in PAGES_OF_A_ROW if row else ():
            yield f"{model._meta.verbose_name_plural}: {page}", _address(model, page, row.pk if row else None)
    yield HOME, reverse("admin:index")


def _address(model: type[models.Model], page: str, *arguments: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)
