"""Keys of the API: their form, what is stored of them, and when they are refused."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256

import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import TestCase, override_settings
from django.utils import timezone

from campaigns.models import ApiKey, ApiKeyBrand, SpendRecord
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.api_keys import FORM, create_key, revoke_keys
from campaigns.tests.api.requests import SPEND, make_key, post, spend_row
from campaigns.tests.support.factories import make_brand, make_campaign

ALL = tuple(Scope)


class Keys(TestCase):
    def setUp(self) -> None:
        self.campaign = make_campaign()

    def status(self, key: str | None, **headers: str) -> int:
        return int(post(SPEND, [spend_row(self.campaign.pk)], key, **headers).status_code)

    def test_a_key_has_a_prefix_an_id_and_256_bits(self) -> None:
        row, key = create_key("Airbyte", ALL, created_by="zofia")
        form = FORM.fullmatch(key)
        assert form
        self.assertEqual((form[1], len(bytes.fromhex(form[2])) * 8), (row.public_id, 256))
        self.assertNotEqual(create_key("Airbyte", ALL, created_by="zofia")[1], key)

    def test_only_a_hash_of_it_is_stored(self) -> None:
        row, key = create_key("Airbyte", ALL, created_by="zofia")
        secret = key.rpartition("_")[2]
        self.assertEqual(row.secret_sha256, sha256(secret.encode()).hexdigest())
        stored = str(ApiKey.objects.filter(pk=row.pk).values())
        self.assertNotIn(secret, stored)

    def test_a_wrong_key_is_refused(self) -> None:
        key = make_key(*ALL)
        other = make_key(*ALL)
        mixed = f"{key[:15]}_{other.rpartition('_')[2]}"
        for wrong in (
            None,
            "",
            "x",
            key[:-1],
            f"{key}0",
            key.upper(),
            key.replace("bm", "xx"),
            mixed,
            "bm_\0",
            "é" * 80,
        ):
            with self.subTest(wrong):
                response = post(SPEND, [spend_row(self.campaign.pk)], wrong)
                self.assertEqual(response.status_code, 401)
                self.assertEqual(response["WWW-Authenticate"], 'Bearer realm="api"')
                self.assertEqual(response["Content-Type"], "application/problem+json")
                self.assertEqual(response.json()["status"], 401)
        self.assertEqual(self.status(None, authorization=f"Basic {key}"), 401)
        self.assertEqual(self.status(None, authorization=f"bearer  {key} "), 200)

    def test_an_expired_or_revoked_key_is_refused(self) -> None:
        now = timezone.now()
        self.assertEqual(self.status(make_key(*ALL, expires_at=now + timedelta(minutes=1))), 200)
        self.assertEqual(self.status(make_key(*ALL, expires_at=now)), 401)
        row, key = create_key("Airbyte", ALL, created_by="zofia")
        self.assertEqual(revoke_keys([row.pk], who="amara", now=now), [row])
        self.assertEqual(self.status(key), 401)
        self.assertEqual(revoke_keys([row.pk], who="zofia", now=now + timedelta(days=1)), [])
        row.refresh_from_db()
        self.assertEqual((row.revoked_by, row.revoked_at), ("amara", now))

    def test_a_key_without_the_scope_is_refused(self) -> None:
        response = post(SPEND, [spend_row(self.campaign.pk)], make_key(Scope.TOTALS_WRITE, Scope.BUDGET_READ))
        self.assertEqual(response.status_code, 403)
        self.assertIn("doesn't have the scope spend:write", response.json()["detail"])
        self.assertEqual(SpendRecord.objects.count(), 0)

    def test_what_makes_no_key(self) -> None:
        for arguments, sentence in (
            (("", ALL), "1 to 60 characters"),
            (("a" * 61, ALL), "1 to 60 characters"),
            (("Airbyte", []), "A key needs a scope"),
            (("Airbyte", ["spend:write", "all"]), "Unknown scope “all”"),
        ):
            with self.assertRaisesMessage(ValueError, sentence):
                create_key(*arguments, created_by="zofia")
        with self.assertRaisesMessage(ValueError, "no brand with ID 17"):
            create_key("Airbyte", ALL, brands=[17], created_by="zofia")

    def test_a_key_whose_only_brand_is_deleted_sees_no_other(self) -> None:
        brand = make_brand()
        key = make_key(*ALL, brands=[brand])
        brand.delete()
        self.assertEqual(ApiKeyBrand.objects.count(), 0)
        self.assertEqual(self.status(key), 207)

    def test_the_last_use_is_written_once_a_minute(self) -> None:
        row, key = create_key("Airbyte", ALL, created_by="zofia")
        self.assertIsNone(row.last_used_at)
        now = timezone.now()
        self.status(key)
        row.refresh_from_db()
        assert row.last_used_at
        self.assertLess(abs(now - row.last_used_at), timedelta(minutes=2))
        self.assertEqual(row.last_used_at.second, 0)
        ApiKey.objects.update(last_used_at=None)
        with time_machine.travel(row.last_used_at + timedelta(seconds=59), tick=False):
            self.status(key)
            self.assertIsNone(ApiKey.objects.get().last_used_at)
        with time_machine.travel(row.last_used_at + timedelta(seconds=60), tick=False):
            self.status(key)
            self.assertEqual(ApiKey.objects.get().last_used_at, row.last_used_at + timedelta(minutes=1))

    @override_settings(API_REQUESTS_PER_MINUTE=3)
    def test_a_key_has_so_many_requests_a_minute(self) -> None:
        key, other = make_key(*ALL), make_key(*ALL)
        statuses = [self.status(key) for _ in range(3)]
        self.assertEqual(statuses, [200] * 3)
        response = post(SPEND, b"", key)
        self.assertEqual((response.status_code, response["Content-Type"]), (429, "application/problem+json"))
        self.assertTrue(1 <= int(response["Retry-After"]) <= 60)
        self.assertEqual((self.status(None), self.status(other)), (401, 200))

    def test_no_key_is_anonymous_or_has_the_id_of_another(self) -> None:
        row, _ = create_key("Airbyte", ALL, created_by="zofia")
        for fields in (
            {"public_id": row.public_id},
            {"public_id": "0" * 11},
            {"name": ""},
            {"secret_sha256": "0" * 63},
        ):
            valid = {"name": "a", "public_id": "0" * 12, "secret_sha256": "0" * 64, "scopes": "", "created_by": "a"}
            with self.subTest(fields), self.assertRaises(IntegrityError), transaction.atomic():
                ApiKey.objects.create(**valid | fields)

    def test_a_brand_is_given_once_and_to_a_key_that_is_there(self) -> None:
        brand = make_brand()
        row, _ = create_key("Airbyte", ALL, brands=[brand.pk], created_by="zofia")
        with self.assertRaises(IntegrityError), transaction.atomic():
            ApiKeyBrand.objects.create(key=row, brand=brand)
        for key, other in ((row.pk + 1, brand.pk), (row.pk, brand.pk + 10**6)):
            with self.assertRaises(IntegrityError), transaction.atomic():
                ApiKeyBrand.objects.create(key_id=key, brand_id=other)
                connection.check_constraints()


class Form(TestCase):
    def test_the_documented_form_finds_keys(self) -> None:
        found = re.search(r"\bbm_[0-9a-z]{12}_[0-9a-f]{64}\b", f'KEY="{make_key()}"')
        self.assertIsNotNone(found)
