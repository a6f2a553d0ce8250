"""Change history of settings: each old and new value, with who changed it and how."""

from __future__ import annotations

from django.db import models

from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign


class SettingChange(models.Model):
    """One setting of a brand or campaign that was changed: written in the change's transaction, never edited (trigger).

    Brand and campaign are ids without a foreign key: the lines outlive what they are about, so they carry its name.
    Values are texts as campaigns.services.history.values writes and formats them; NULL is no value.
    """

    class Channel(models.TextChoices):
        FORM = "form", "Form"
        BULK = "bulk", "Bulk change"
        IMPORT = "import", "Import"
        COMMAND = "command", "Command"
        API = "api", "API"
        SCHEDULE = "schedule", "Scheduled change"

    operation = models.UUIDField(help_text="The save, bulk change or import that the line is part of.")
    brand = models.ForeignKey(Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    campaign = models.ForeignKey(
        Campaign, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    name = models.CharField(max_length=200, help_text="The name of the campaign, or of the brand, after the change.")
    setting = models.CharField(max_length=40)
    before = models.TextField("old value", null=True)  # no value isn't an empty text
    after = models.TextField("new value", null=True)
    actor = models.CharField("by", max_length=200, help_text="The person or job that made the change.")
    channel = models.CharField("how", max_length=10, choices=Channel.choices)
    at = models.DateTimeField("when")
    count = models.PositiveIntegerField(
        default=1,
        db_default=1,
        help_text="On the first line of a setting in an operation and brand: how many such lines there are. Else 0.",
    )

    class Meta:
        ordering = ("-id",)
        default_permissions = ()
        indexes = (
            models.Index(fields=("brand", "id"), name="setting_change_of_brand"),
            # A bulk change of 100,000 campaigns is one line of its brand's page.
            models.Index(fields=("brand", "id"), name="setting_change_first", condition=models.Q(count__gt=0)),
            models.Index(fields=("campaign", "id"), name="setting_change_of_campaign"),
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.setting}"
