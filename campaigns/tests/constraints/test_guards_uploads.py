"""Files that wait in the database belong to somebody, and each of their parts is there once."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.utils import timezone

from campaigns.models import ImportDraft, SpendUpload, SpendUploadPart


class Uploads(TestCase):
    def setUp(self) -> None:
        self.user = User.objects.create(username="amara")

    def upload(self, user_id: int) -> SpendUpload:
        return SpendUpload.objects.create(
            user_id=user_id, who="amara", name="spend.csv", size=1, timezone="UTC", created_at=timezone.now()
        )

    def test_a_part_of_a_file_is_there_once(self) -> None:
        upload = self.upload(self.user.pk)
        SpendUploadPart.objects.create(upload=upload, number=0, data=b"a")
        SpendUploadPart.objects.create(upload=upload, number=1, data=b"b")
        with self.assertRaises(IntegrityError), transaction.atomic():
            SpendUploadPart.objects.create(upload=upload, number=1, data=b"c")

    def test_a_file_belongs_to_somebody_who_is_there(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.upload(0)
            connection.check_constraints()
        with self.assertRaises(IntegrityError), transaction.atomic():
            ImportDraft.objects.create(user_id=0, kind="brand", name="a.csv", data=b"", created_at=timezone.now())
            connection.check_constraints()

    def test_a_version_that_knows_no_previews_can_keep_a_file(self) -> None:
        upload = self.upload(self.user.pk)
        new = ("decimal", "sha256", "preview", "without_spend", "notes", "rounded")
        old = ", ".join(field.attname for field in SpendUpload._meta.fields if field.attname not in (*new, "id"))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO campaigns_spendupload ({old}) SELECT {old} FROM campaigns_spendupload WHERE id = %s",
                [upload.pk],
            )
        kept = SpendUpload.objects.latest("pk")
        self.assertEqual((kept.decimal, kept.sha256, kept.preview, kept.notes), ("unknown", "", None, 0))

    def test_a_part_belongs_to_a_file_that_is_there(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            SpendUploadPart.objects.create(upload_id=0, number=0, data=b"a")
            connection.check_constraints()
