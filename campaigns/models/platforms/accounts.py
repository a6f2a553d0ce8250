"""Accounts of ad platforms, and the links from their campaigns to ours.

A link is saved by campaigns.services.totals.links, which moves what is booked; nothing else writes its campaign.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.checks import IsPlainTimestamp, IsPlatformId, IsSwitch, IsText, IsWholeNumber
from campaigns.rules.periods import EARLIEST, LATEST
from campaigns.rules.platforms import LONGEST_ID, SOURCES, shown_id

# Hours after which an account that has reported nothing is silent.
DEFAULT_INTERVAL = 3
# The interval of accounts that aren't expected to report by themselves: people import their reports as files.
NEVER_SILENT = 0


class PlatformAccount(models.Model):
    """An account of an ad platform, as its reports name it. Currency and time zone are empty until they are known."""

    source = models.CharField("platform", max_length=20, choices=list(SOURCES.items()))
    external_id = models.CharField(
        "account ID", max_length=LONGEST_ID, help_text="The platform's ID, in lower case, without spaces and dashes."
    )
    name = models.CharField(max_length=200, blank=True, default="", db_default="")
    currency = models.CharField(
        max_length=3,
        blank=True,
        default="",
        db_default="",
        help_text="The currency of the account's figures, like EUR. They are booked for brands in this currency only.",
    )
    timezone = models.CharField(
        "time zone",
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="The time zone in which the platform counts the account's days.",
    )
    reported_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Up to when the account's spend is known: the end of the last sync, or of the last day of an"
        " imported report, if that is earlier than the report.",
    )
    interval_hours = models.PositiveSmallIntegerField(
        "silent after",
        default=DEFAULT_INTERVAL,
        db_default=DEFAULT_INTERVAL,
        help_text="Hours without a report after which the account is shown as silent. 0: never, as for an account whose"
        " reports are imported as files; enter hours once a connector reports it.",
    )
    brand = models.ForeignKey(
        Brand,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="platform_accounts",
        help_text="The brand that is suggested for the account's campaigns.",
    )

    class Meta:
        ordering = ("source", "name", "external_id")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "external_id"),
                name="platform_account_unique",
                violation_error_message="The platform already has an account with this ID.",
            ),
            models.CheckConstraint(name="platform_account_source_known", condition=Q(source__in=list(SOURCES))),
            models.CheckConstraint(
                name="platform_account_id_in_lower_case_without_spaces_and_dashes",
                condition=Q(IsPlatformId("external_id")),
                violation_error_message="An account ID has 1 to 255 characters, in lower case, without spaces and"
                " dashes.",
            ),
            models.CheckConstraint(
                name="platform_account_name_currency_and_timezone_are_text",
                condition=Q(IsText("name")) & Q(IsText("currency")) & Q(IsText("timezone")),
            ),
            models.CheckConstraint(
                name="platform_account_reported_between_2012_and_2100",
                condition=Q(reported_until__isnull=True)
                | (Q(IsPlainTimestamp("reported_until")) & Q(reported_until__gte=EARLIEST, reported_until__lt=LATEST)),
            ),
            models.CheckConstraint(
                name="platform_account_interval_of_0_to_10000_hours",
                condition=Q(IsWholeNumber("interval_hours")) & Q(interval_hours__range=(0, 10_000)),
                violation_error_message="The interval must be 0 to 10,000 hours.",
            ),
        )

    def __str__(self) -> str:
        return self.name or shown_id(self.external_id)


class CampaignLink(models.Model):
    """A campaign of a platform's account, and which of ours its spend is booked for, if any."""

    account = models.ForeignKey(PlatformAccount, on_delete=models.CASCADE, db_index=False, related_name="links")
    external_id = models.CharField(
        "campaign ID", max_length=LONGEST_ID, help_text="The platform's ID, in lower case, without spaces and dashes."
    )
    name = models.CharField(max_length=200, blank=True, default="", db_default="")
    campaign = models.ForeignKey(
        Campaign,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="links",
        help_text="The campaign that the spend is booked for. Empty: the spend waits as unassigned.",
    )
    ignored = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The campaign's spend isn't booked, and isn't shown as unassigned.",
    )
    note = models.CharField(max_length=200, blank=True, default="", db_default="", help_text="Why it is ignored.")

    class Meta:
        verbose_name = "platform campaign"
        ordering = ("account", "name", "external_id")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "external_id"),
                name="campaign_link_unique",
                violation_error_message="The account already has a campaign with this ID.",
            ),
            models.CheckConstraint(
                name="campaign_link_id_in_lower_case_without_spaces_and_dashes",
                condition=Q(IsPlatformId("external_id")),
                violation_error_message="A campaign ID has 1 to 255 characters, in lower case, without spaces and"
                " dashes.",
            ),
            models.CheckConstraint(name="campaign_link_name_is_text", condition=Q(IsText("name"))),
            models.CheckConstraint(
                name="campaign_link_ignored_has_no_campaign",
                condition=Q(IsSwitch("ignored")) & (Q(ignored=False) | Q(campaign__isnull=True)),
                violation_error_message="A link is either assigned to a campaign or ignored.",
            ),
        )

    def __str__(self) -> str:
        return self.name or shown_id(self.external_id)


class EarlierLink(models.Model):
    """The campaign that a link led to before it moved: totals of days before `until` are booked for it.

    It matters to totals that nothing has been booked of: the others keep the campaign that they are booked for.
    """

    link = models.ForeignKey(CampaignLink, on_delete=models.CASCADE, db_index=False, related_name="earlier")
    until = models.DateField(help_text="The first day of the account that isn't the campaign's any more.")
    # Without a foreign key: a campaign can be deleted by SQL, and what comes late for it is unassigned then.
    campaign = models.ForeignKey(
        Campaign, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        ordering = ("link", "until")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("link", "until"), name="earlier_link_unique"),)

    def __str__(self) -> str:
        return f"campaign {self.campaign_id} until {self.until}"


class LinkedCampaign(models.Model):
    """A campaign of ours that a platform's campaign leads to or has led to: the totals of a campaign are found by it.

    Triggers add the rows, also for links that SQL changes; each stays until our campaign is deleted. So a total's
    booked campaign needs no index, which would keep PostgreSQL from booking by HOT updates.
    """

    # The key of the platform's campaign, as totals have it.
    source = models.CharField(max_length=20)
    account = models.CharField(max_length=LONGEST_ID)
    campaign = models.CharField(max_length=LONGEST_ID)
    linked_campaign = models.ForeignKey(
        Campaign, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("linked_campaign", "source", "account", "campaign"), name="linked_campaign_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.account}/{self.campaign}: campaign {self.linked_campaign_id}"
