"""The database keeps passwords to change for users that are there."""

from __future__ import annotations

from unittest import skipUnless

from django.contrib.auth.models import User

from campaigns.models import PasswordToChange
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase


@skipUnless(POSTGRESQL, "outside clients of SQLite have foreign keys off")
class PasswordToChangeTests(OutsideTestCase):
    def test_it_belongs_to_a_user(self) -> None:
        insert = "INSERT INTO campaigns_passwordtochange (user_id) VALUES (%s)"
        self.assert_refused("foreign key", insert, 0)

    def test_a_user_who_has_one_is_deleted_with_it(self) -> None:
        user = User.objects.create(username="zofia")
        PasswordToChange.objects.create(user=user)
        user.delete()
        self.assertFalse(PasswordToChange.objects.exists())
