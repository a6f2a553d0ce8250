"""Passwords of users: requests for a new one, and those that somebody else has set."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class PasswordRequest(models.Model):
    """A request for a link to set a password, kept for an hour to limit how many there are."""

    address = models.CharField(max_length=45, help_text="The network address of the request; empty if unknown.")
    email_key = models.CharField(max_length=64, help_text="A keyed hash of the e-mail address, in any letter case.")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.address


class PasswordToChange(models.Model):
    """Marks a user whose password an administrator has set, until the user has chosen another one."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)
