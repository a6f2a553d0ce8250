from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

from campaigns.models.checks import IsPlainTimestamp
from campaigns.sql.triggers import CreateTriggers, DropTriggers

IS_ARCHIVED = models.Q(archived_at__isnull=False)


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0003_brand_pace"), migrations.swappable_dependency(settings.AUTH_USER_MODEL))
    operations = (
        DropTriggers(),
        migrations.AddField(
            model_name="brand",
            name="archived_at",
            field=models.DateTimeField(
                "archived",
                null=True,
                editable=False,
                help_text="When the brand was archived; empty if it isn't. An archived brand is paused and hidden from"
                " lists.",
            ),
        ),
        migrations.AddField(
            model_name="brand",
            name="owner",
            field=models.ForeignKey(
                settings.AUTH_USER_MODEL,
                null=True,
                blank=True,
                on_delete=models.SET_NULL,
                related_name="+",
                help_text="Who looks after the brand; gives no access by itself.",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="archived_at",
            field=models.DateTimeField(
                "archived",
                null=True,
                editable=False,
                help_text="When the campaign was archived; empty if it isn't. An archived campaign is off and hidden"
                " from lists.",
            ),
        ),
        migrations.AddIndex(
            model_name="brand", index=models.Index(fields=("id",), name="brand_archived", condition=IS_ARCHIVED)
        ),
        migrations.AddIndex(
            model_name="campaign", index=models.Index(fields=("id",), name="campaign_archived", condition=IS_ARCHIVED)
        ),
        migrations.AddConstraint(
            model_name="brand",
            constraint=models.CheckConstraint(
                name="brand_archived_is_paused",
                condition=models.Q(archived_at__isnull=True)
                | (models.Q(enabled=False) & models.Q(IsPlainTimestamp("archived_at"))),
                violation_error_message="An archived brand is paused. Restore the brand before resuming it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                name="campaign_archived_is_off",
                condition=models.Q(archived_at__isnull=True)
                | (models.Q(enabled=False) & models.Q(IsPlainTimestamp("archived_at"))),
                violation_error_message="An archived campaign is off. Restore the campaign before turning it on.",
            ),
        ),
        CreateTriggers(),
        migrations.CreateModel(
            name="PasswordRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "address",
                    models.CharField(
                        max_length=45, help_text="The network address of the request; empty if unknown."
                    ),
                ),
                (
                    "email_key",
                    models.CharField(
                        max_length=64, help_text="A keyed hash of the e-mail address, in any letter case."
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "who",
                    models.CharField(
                        "by", max_length=150, help_text="The author's username, kept when the user is deleted."
                    ),
                ),
                ("at", models.DateTimeField("written at", db_default=Now())),
                ("text", models.TextField()),
                (
                    "author",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
                    ),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        "campaigns.brand", db_index=False, on_delete=models.CASCADE, related_name="+"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        "campaigns.campaign", null=True, db_index=False, on_delete=models.CASCADE, related_name="+"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "default_permissions": (),
                "indexes": (
                    models.Index(fields=("brand", "id"), name="note_of_brand"),
                    models.Index(fields=("campaign", "id"), name="note_of_campaign"),
                ),
                "constraints": (
                    models.CheckConstraint(
                        name="note_text_has_1_to_2000_characters",
                        condition=models.Q(text__length__range=(1, 2000)),
                        violation_error_message="A note has 1 to 2,000 characters.",
                    ),
                ),
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "list",
                    models.CharField(
                        max_length=20,
                        choices=[("brand", "Brands"), ("campaign", "Campaigns"), ("statuschange", "History")],
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("query", models.CharField(max_length=1000)),
                ("is_shared", models.BooleanField("shared with the team", default=False)),
                (
                    "user",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, db_index=False, on_delete=models.CASCADE, related_name="+"
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
                "default_permissions": (),
                "constraints": (
                    models.UniqueConstraint(
                        fields=("user", "list", "name"),
                        name="saved_filter_unique",
                        violation_error_message="You already have a saved filter of this name.",
                    ),
                ),
            },
        ),
    )
