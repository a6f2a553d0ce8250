"""Totals by platform campaign and day, as platforms report them (R16, R17).

A connector inserts and updates `source, account, campaign, day, total, as_of`, and nothing else; the other columns are
ours. A total that differs from what is booked, and doesn't wait, is booked by campaigns.services.totals.book: the
difference becomes a spend record with the total's id and the next revision.

Triggers (campaigns/sql/totals) skip an older report and an unchanged total, keep the key of a total, refuse to delete
one that has been booked, and let one that was held or had failed be judged anew when its figure changes. Whatever
leaves a total to book, a connector's statement or one of ours, adds a DayToBook.

No index holds what is booked or reported, nor the campaign that it is booked for: so PostgreSQL restates and books a
total by a HOT update, which writes no index (migration 0022 leaves the room for it on each page). The totals of a
campaign are found by the keys of LinkedCampaign.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from campaigns.models.campaign import Campaign
from campaigns.models.checks import IsPlainDay, IsPlainTimestamp, IsPlatformId, IsTotal, IsWholeNumber
from campaigns.models.fields import MicrosField
from campaigns.rules.money import PLACES
from campaigns.rules.periods import EARLIEST, LATEST
from campaigns.rules.platforms import LONGEST_ID, SOURCES


class Waiting(models.IntegerChoices):
    """Why a total that differs from what is booked isn't booked."""

    NO = 0, "isn't waiting"
    UNLINKED = 1, "no campaign is linked to it"
    IGNORED = 2, "its campaign is ignored"
    CURRENCY = 3, "the account's currency isn't the brand's"
    ZONE = 4, "the account's time zone is unknown"
    HELD = 5, "held: the account's spend of the day has fallen by much"
    FAILED = 6, "it couldn't be booked"
    # A decrease of a finished day is judged by the next full check, which books it or holds it.
    DECREASE = 7, "a decrease, which the next full check judges"


class SpendTotal(models.Model):
    """What a platform reports for one campaign and one day of the account, and what of it is booked."""

    source = models.CharField(max_length=20, choices=list(SOURCES.items()))
    account = models.CharField("account ID", max_length=LONGEST_ID)
    campaign = models.CharField("campaign ID", max_length=LONGEST_ID)
    day = models.DateField(help_text="The day in the account's time zone.")
    total = models.DecimalField(
        max_digits=18, decimal_places=PLACES, help_text="The spend of the whole day so far, in the account's currency."
    )
    as_of = models.DateTimeField(db_default=Now(), help_text="When the platform said so.")

    booked = MicrosField(default=0, db_default=0, help_text="The sum of the total's spend records.")
    revision = models.IntegerField(default=0, db_default=0, help_text="The number of the latest of these records.")
    booked_campaign = models.ForeignKey(
        Campaign,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="totals",
        help_text="The campaign that it is booked for, whatever its link says now.",
    )
    waiting = models.SmallIntegerField(
        default=Waiting.NO, db_default=Waiting.NO.value, choices=Waiting.choices, help_text="Why it isn't booked."
    )
    problem = models.CharField(max_length=500, default="", db_default="", help_text="Why it couldn't be booked.")
    rejected = MicrosField(null=True, help_text="The figure that a person rejected; it isn't asked about again.")

    class Meta:
        verbose_name = "reported total"
        ordering = ("-day", "source", "account", "campaign")
        default_permissions = ("view", "change")
        constraints = (
            models.UniqueConstraint(fields=("source", "account", "day", "campaign"), name="spend_total_unique"),
            models.CheckConstraint(name="spend_total_source_known", condition=Q(source__in=list(SOURCES))),
            models.CheckConstraint(
                name="spend_total_ids_in_lower_case_without_spaces_and_dashes",
                condition=Q(IsPlatformId("account")) & Q(IsPlatformId("campaign")),
            ),
            models.CheckConstraint(
                name="spend_total_day_between_2012_and_2099",
                condition=Q(IsPlainDay("day")) & Q(day__range=("2012-01-02", "2099-12-30")),
            ),
            models.CheckConstraint(name="spend_total_below_500_million", condition=Q(IsTotal("total"))),
            models.CheckConstraint(
                name="spend_total_as_of_well_formed",
                condition=Q(IsPlainTimestamp("as_of")) & Q(as_of__gte=EARLIEST, as_of__lt=LATEST),
            ),
            models.CheckConstraint(
                name="spend_total_booked_by_records",
                condition=Q(IsWholeNumber("booked"))
                & Q(IsWholeNumber("revision"))
                & Q(revision__gte=0)
                & (Q(revision__gt=0) | Q(booked=0)),
            ),
            models.CheckConstraint(
                name="spend_total_waiting_known", condition=Q(IsWholeNumber("waiting")) & Q(waiting__in=Waiting.values)
            ),
        )
        indexes = (
            models.Index(
                fields=("source", "account", "campaign", "day"),
                name="spend_total_waiting",
                condition=Q(waiting__gt=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.account}/{self.campaign} on {self.day}: {self.total}"


class DayToBook(models.Model):
    """A dirty flag: an account's day has totals that may have to be booked. Triggers append it, booking clears it.

    On PostgreSQL a day may have several, one of each statement: rows are never merged, so writers don't wait for each
    other.
    """

    source = models.CharField(max_length=20)
    account = models.CharField(max_length=LONGEST_ID)
    day = models.DateField()

    class Meta:
        default_permissions = ()
        indexes = (
            # Newest day first, so that a backfill never delays today.
            models.Index(fields=("-day", "source", "account"), name="day_to_book_newest_first"),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.account} on {self.day}"
