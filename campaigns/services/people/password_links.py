"""E-mails with a link to set a password: invitations of new users, and forgotten passwords.

A link works once, until PASSWORD_RESET_TIMEOUT. Raises what the mail server's failure is: SMTPException or OSError.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from campaigns.models import PasswordRequest

# Requests within PERIOD: from one address, and for one e-mail address.
MAX_OF_ADDRESS, MAX_OF_EMAIL = 10, 3
PERIOD = timedelta(hours=1)
# Several users may have the same e-mail address.
MAX_USERS = 5

INVITATION, FORGOTTEN = "invitation", "forgotten"
SUBJECTS = {INVITATION: "Your account for the Budget manager", FORGOTTEN: "Set a new password"}


class TooManyRequests(Exception):
    """The address has asked too often, whatever the accounts are."""


def note_request(email: str, address: str, *, now: datetime) -> bool:
    """Record a request for a link, and return whether the account may get one. Raises TooManyRequests.

    The answer to the person must not depend on what is returned: it would tell whose address is known.
    """
    key = salted_hmac("campaigns.password_request", email.strip().casefold()).hexdigest()
    with transaction.atomic():
        PasswordRequest.objects.filter(at__lt=now - PERIOD).delete()
        recent = PasswordRequest.objects.filter(at__gte=now - PERIOD)
        if recent.filter(address=address).count() >= MAX_OF_ADDRESS:
            raise TooManyRequests
        is_within = recent.filter(email_key=key).count() < MAX_OF_EMAIL
        PasswordRequest.objects.create(address=address, email_key=key, at=now)
    return is_within


def send_forgotten(email: str, site: str) -> int:
    """Send a link to each active member of the staff with this e-mail address; return how many."""
    people = User.objects.filter(email__iexact=email.strip(), is_active=True, is_staff=True).order_by("pk")
    wanted = [person for person in people[:MAX_USERS] if person.has_usable_password()]
    for person in wanted:
        send_link(person, site, kind=FORGOTTEN)
    return len(wanted)


def send_link(person: User, site: str, *, kind: str) -> None:
    """Send a link to set a password to the person's stored e-mail address; site is like https://budget.example.com."""
    code = urlsafe_base64_encode(force_bytes(person.pk))
    token = default_token_generator.make_token(person)
    context = {
        "username": person.get_username(),
        "link": f"{site}{reverse('set_password', args=[code, token])}",
        "sign_in": f"{site}{reverse('admin:login')}",
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }
    EmailMessage(
        SUBJECTS[kind],
        render_to_string(f"campaigns/email/{kind}.txt", context),
        to=[person.email],
        headers={"Auto-Submitted": "auto-generated"},
    ).send()
