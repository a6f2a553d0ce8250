"""Every list and form of the admin, and how long each takes to come, as a superuser in this process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse

from campaigns.bench.timing import seconds

OURS = "campaigns"
PAGES_OF_A_ROW = ("change", "history")


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
    yield "start page", reverse("admin:index")


def _address(model: type[models.Model], page: str, *arguments: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)
