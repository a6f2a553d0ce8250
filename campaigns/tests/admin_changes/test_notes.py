"""Notes on brands and campaigns: who adds, sees and deletes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, BrandAssignment, Campaign, Note
from campaigns.models.notes import MAX_NOTE
from campaigns.services.groups import BRAND_MANAGERS, VIEWERS
from campaigns.services.notes import add_note, notes_on
from campaigns.tests.support.browser import FormTestCase
from campaigns.tests.support.factories import make_brand, make_campaign


def make_staff(name: str, group: str) -> User:
    person = User.objects.create(username=name, is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    return person


class NotesTestCase(FormTestCase):
    def post(self, row: Brand | Campaign, **data: Any) -> Any:
        name = f"admin:campaigns_{row._meta.model_name}_notes"
        return self.client.post(reverse(name, args=[row.pk]), data, follow=True)


class Adding(NotesTestCase):
    def test_a_note_shows_who_and_when_newest_first(self) -> None:
        brand = make_brand(timezone="Asia/Tokyo")
        self.post(brand, text="first")
        page = self.post(brand, text="second\r\nline")
        html = page.content.decode()
        self.assertLess(html.index("second\nline"), html.index(">first<"))
        note = Note.objects.get(text="first")
        self.assertEqual((note.brand, note.campaign, note.author, note.who), (brand, None, self.user, "amara"))
        self.assertLess(timezone.now() - note.at, timedelta(minutes=5))

    def test_a_campaigns_note_stands_on_its_brand_too(self) -> None:
        campaign, other = make_campaign(name="Search"), make_campaign()
        self.assertContains(self.post(campaign, text="landing page is down"), "landing page is down")
        self.assertContains(self.client.get(self.address(campaign.brand)), "landing page is down")
        self.assertNotContains(self.client.get(self.address(other)), "landing page is down")
        self.post(campaign.brand, text="of the brand")
        self.assertNotContains(self.client.get(self.address(campaign)), "of the brand")

    def test_it_is_plain_text(self) -> None:
        page = self.post(make_brand(), text="<script>alert(1)</script> https://example.com")
        self.assertContains(page, "&lt;script&gt;alert(1)&lt;/script&gt; https://example.com")
        self.assertNotContains(page, 'href="https://example.com')

    def test_an_empty_or_endless_note_is_refused(self) -> None:
        brand = make_brand()
        self.assertContains(self.post(brand, text=" \0\n "), "Enter a note.")
        self.assertContains(self.post(brand, text="x" * (MAX_NOTE + 1)), "The note has 2,001 characters; at most 2,000")
        self.assertFalse(Note.objects.exists())
        self.post(brand, text="ü" * MAX_NOTE)
        self.assertEqual(Note.objects.count(), 1)

    def test_the_database_refuses_it_too(self) -> None:
        brand = make_brand()
        for text in ("", "x" * (MAX_NOTE + 1)):
            with self.assertRaises(IntegrityError) as refusal, transaction.atomic():
                Note.objects.create(brand=brand, text=text, who="sql")
            self.assertIn("note_text_has_1_to_2000_characters", str(refusal.exception))

    def test_it_belongs_to_rows_that_exist(self) -> None:
        campaign = make_campaign()
        for wrong in ({"brand_id": 0}, {"campaign_id": 0}, {"author_id": 0}):
            about = {"brand_id": campaign.brand_id, "campaign_id": campaign.pk} | wrong
            with self.subTest(wrong), self.assertRaises(DatabaseError), transaction.atomic():
                Note.objects.create(text="x", who="sql", **about)
                connection.check_constraints()

    def test_an_address_alone_adds_nothing(self) -> None:
        brand = make_brand()
        answer = self.client.get(reverse("admin:campaigns_brand_notes", args=[brand.pk]), {"text": "x"})
        self.assertEqual((answer.status_code, Note.objects.count()), (405, 0))


class WithASave(NotesTestCase):
    def test_a_save_of_the_form_adds_the_note(self) -> None:
        for row in (make_brand(), make_campaign()):
            self.save(row, self.form(row) | {"note_text": " Client asked "})
            self.assertContains(self.client.get(self.address(row)), "Added the note.")
            self.assertEqual([note.text for note in notes_on(row)], ["Client asked"])

    def test_a_refused_save_adds_none_and_shows_it_again(self) -> None:
        brand = make_brand()
        page = self.client.post(self.address(brand), self.form(brand) | {"name": "", "note_text": "Client asked"})
        self.assertContains(page, "required>Client asked</textarea>")
        self.assertFalse(Note.objects.exists())

    def test_a_note_that_is_too_long_says_so(self) -> None:
        brand = make_brand()
        self.save(brand, self.form(brand) | {"daily_budget": "7", "note_text": "x" * (MAX_NOTE + 1)})
        self.assertContains(
            self.client.get(self.address(brand)), "The note was not added: The note has 2,001 characters"
        )
        brand.refresh_from_db()
        self.assertEqual((brand.daily_budget, Note.objects.count()), (7, 0))


class Rights(NotesTestCase):
    def test_who_may_only_look_adds_notes_and_who_may_not_does_not(self) -> None:
        brand = make_brand()
        self.client.force_login(make_staff("viewer", VIEWERS))
        self.assertContains(self.post(brand, text="seen"), "seen")
        self.client.force_login(User.objects.create(username="nobody", is_staff=True))
        self.assertEqual(self.post(brand, text="x").status_code, 403)
        self.assertEqual(Note.objects.count(), 1)

    def test_notes_of_other_brands_stay_hidden(self) -> None:
        given, hidden = make_brand(), make_campaign()
        manager = make_staff("manager", BRAND_MANAGERS)
        BrandAssignment.objects.create(user=manager, brand=given)
        add_note(hidden, "secret", person=self.user)
        add_note(given, "ours", person=self.user)
        self.client.force_login(manager)
        for row, text in ((given, "ours"), (hidden, "secret"), (hidden.brand, "secret")):
            address = reverse(f"admin:campaigns_{row._meta.model_name}_history", args=[row.pk])
            shown = self.client.get(address, follow=True).content.decode()
            self.assertEqual(text in shown, row == given)
        for row in (hidden, hidden.brand):
            self.assertContains(self.post(row, text="x"), "no longer exists")
        self.assertEqual(Note.objects.count(), 2)

    def test_its_author_and_superusers_delete_a_note(self) -> None:
        brand = make_brand()
        viewer, other = make_staff("viewer", VIEWERS), make_staff("other", VIEWERS)
        notes = [add_note(brand, "x", person=viewer) for _ in range(2)]
        self.client.force_login(other)
        self.assertContains(self.post(brand, delete=notes[0].pk), "Only its author and superusers can delete a note.")
        self.assertContains(self.post(make_brand(), delete=notes[0].pk), "Only its author")
        self.assertContains(self.post(brand, delete="9" * 30), "Only its author")
        self.assertEqual(Note.objects.count(), 2)
        self.client.force_login(viewer)
        self.post(brand, delete=notes[0].pk)
        self.client.force_login(self.user)
        self.post(brand, delete=notes[1].pk)
        self.assertFalse(Note.objects.exists())

    def test_a_note_stays_when_its_author_goes(self) -> None:
        viewer = make_staff("viewer", VIEWERS)
        brand = make_brand()
        note = add_note(brand, "x", person=viewer)
        viewer.delete()
        note.refresh_from_db()
        self.assertEqual((note.author, note.who), (None, "viewer"))
        self.client.force_login(make_staff("other", VIEWERS))
        self.post(brand, delete=note.pk)
        self.assertTrue(Note.objects.exists())


class WithTheRow(NotesTestCase):
    def test_notes_go_with_a_brand_and_move_with_a_campaign(self) -> None:
        campaign, brand = make_campaign(), make_brand()
        note = add_note(campaign, "x", person=self.user)
        self.save(campaign, self.form(campaign) | {"brand": str(brand.pk)})
        note.refresh_from_db()
        self.assertEqual(note.brand, brand)
        self.client.post(reverse("admin:campaigns_campaign_delete", args=[campaign.pk]), {"post": "yes"})
        self.assertFalse(Note.objects.exists())

    def test_a_page_asks_no_more_for_many_notes(self) -> None:
        campaign = make_campaign()
        add_note(campaign, "x", person=self.user)
        self.client.get(self.address(campaign.brand))
        with CaptureQueriesContext(connection) as few:
            self.client.get(self.address(campaign.brand))
        for _ in range(30):
            add_note(campaign, "x", person=self.user)
        with CaptureQueriesContext(connection) as many:
            self.client.get(self.address(campaign.brand))
        self.assertEqual(len(many), len(few))
