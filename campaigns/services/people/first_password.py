"""Passwords that an administrator has set: their users choose their own at the next sign-in."""

from __future__ import annotations

from django.contrib.auth.models import User

from campaigns.models import PasswordToChange
from campaigns.services.permissions import Person


def ask_for_own_password(user: User, *, setter: Person) -> None:
    """Note that somebody has set the user's password, unless it is the user."""
    if user.pk != setter.pk:
        PasswordToChange.objects.get_or_create(user=user)


def must_change_password(user: User) -> bool:
    return PasswordToChange.objects.filter(user=user.pk).exists()


def note_own_password(user: User) -> None:
    """Note that the user has chosen the password."""
    PasswordToChange.objects.filter(user=user.pk).delete()
