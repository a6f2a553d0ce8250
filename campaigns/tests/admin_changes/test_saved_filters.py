"""Saved filters of lists: one's own and the team's, with parameters of the list only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from campaigns.models import SavedFilter
from campaigns.services.groups import BRAND_MANAGERS, VIEWERS
from campaigns.services.people.saved_filters import MAX_FILTERS, MAX_NAME, MAX_QUERY
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand

LISTS = ("brand", "campaign", "statuschange")


def make_staff(name: str, group: str) -> User:
    person = User.objects.create(username=name, is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    return person


class FiltersTestCase(AdminTestCase):
    def address(self, of_list: str = "brand") -> str:
        return reverse(f"admin:campaigns_{of_list}_changelist")

    def post(self, query: dict[str, Any], of_list: str = "brand", **data: Any) -> Any:
        address = reverse(f"admin:campaigns_{of_list}_filters", query=query or None)
        return self.client.post(address, data, follow=True)

    def chips(self, of_list: str = "brand") -> list[str]:
        page = self.client.get(self.address(of_list))
        self.assertEqual(page.status_code, 200)
        return [saved.name for saved in page.context["saved_filters"]]


class Saving(FiltersTestCase):
    def test_a_saved_filter_leads_back_to_the_list_as_it_was(self) -> None:
        for of_list in LISTS:
            with self.subTest(of_list):
                page = self.post({"q": "alp & co", "o": "1"}, of_list, name="  Alpine   late ")
                self.assertContains(page, "Saved the filter “Alpine late”.")
                self.assertContains(page, 'href="?o=1&amp;q=alp+%26+co" aria-current="page"')
                self.assertEqual(self.client.get(f"{self.address(of_list)}?o=1&q=alp+%26+co").status_code, 200)

    def test_each_list_has_its_own(self) -> None:
        self.post({"q": "a"}, "campaign", name="A")
        self.assertEqual([self.chips(of_list) for of_list in LISTS], [[], ["A"], []])

    def test_filters_of_the_list_are_kept_and_nothing_else(self) -> None:
        query = {"enabled__exact": "0", "archived": "all", "p": "3", "e": "1", "evil": "x", "owner": ""}
        self.post({key: value for key, value in query.items() if key not in ("evil", "e")}, name="A")
        self.assertEqual(SavedFilter.objects.get().query, "archived=all&enabled__exact=0")
        self.post(query, name="B")
        self.assertFalse(SavedFilter.objects.filter(query__contains="evil").exists())

    def test_it_says_why_something_can_not_be_saved(self) -> None:
        self.post({"q": "a"}, name="Taken")
        for query, name, sentence in (
            ({"q": "a"}, " ", "Enter a name for the filter."),
            ({"q": "a"}, "x" * (MAX_NAME + 1), f"at most {MAX_NAME} are possible"),
            ({}, "A", "Nothing to save: search, filter or sort the list first."),
            ({"p": "2"}, "A", "Nothing to save"),
            ({"q": "x" * MAX_QUERY}, "A", "too long to be saved"),
            ({"q": "b"}, "Taken", "You already have a saved filter “Taken”."),
            ({"enabled__exact": "\0"}, "A", "one of its filters isn't valid"),
            ({"name__regex": "(a+)+"}, "A", "one of its filters isn't valid"),
        ):
            with self.subTest(sentence, name=name):
                self.assertIn(sentence, next(str(each) for each in self.post(query, name=name).context["messages"]))
        self.assertEqual(SavedFilter.objects.count(), 1)

    def test_a_person_has_so_many_for_a_list(self) -> None:
        for number in range(MAX_FILTERS):
            SavedFilter.objects.create(user=self.user, list="brand", name=f"F{number}", query="q=a")
        self.assertContains(self.post({"q": "a"}, name="One more"), f"You have {MAX_FILTERS} saved filters")
        self.assertContains(self.post({"q": "a"}, "campaign", name="One more"), "Saved the filter")

    def test_the_database_keeps_names_apart(self) -> None:
        for _ in range(2):
            with transaction.atomic():
                if SavedFilter.objects.exists():
                    with self.assertRaises(IntegrityError):
                        SavedFilter.objects.create(user=self.user, list="brand", name="A", query="q=a")
                    break
                SavedFilter.objects.create(user=self.user, list="brand", name="A", query="q=a")

    def test_it_belongs_to_a_user_that_exists(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            SavedFilter.objects.create(user_id=0, list="brand", name="A", query="q=a")
            connection.check_constraints()

    def test_an_address_alone_saves_nothing(self) -> None:
        address = reverse("admin:campaigns_brand_filters", query={"q": "a", "name": "A"})
        self.assertEqual(self.client.get(address).status_code, 405)


class Sharing(FiltersTestCase):
    def test_the_team_sees_what_is_shared_only(self) -> None:
        self.post({"q": "a"}, name="Ours", is_shared="on")
        self.post({"q": "a"}, name="Mine")
        self.client.force_login(make_staff("viewer", VIEWERS))
        self.assertEqual(self.chips(), ["Ours"])
        self.assertContains(self.client.get(self.address()), "(amara)")

    def test_who_sees_only_assigned_brands_sees_no_filters_of_others(self) -> None:
        self.post({"q": "a"}, name="Secret client", is_shared="on")
        self.client.force_login(make_staff("manager", BRAND_MANAGERS))
        self.post({"q": "b"}, name="Own")
        self.assertEqual(self.chips(), ["Own"])

    def test_its_owner_and_superusers_delete_it(self) -> None:
        self.post({"q": "a"}, name="Ours", is_shared="on")
        saved = SavedFilter.objects.get()
        viewer = make_staff("viewer", VIEWERS)
        self.client.force_login(viewer)
        for key in (saved.pk, "x", "9" * 30):
            self.assertContains(self.post({}, delete=key), "This filter no longer exists, or isn&#x27;t yours.")
        self.post({"q": "a"}, name="Viewer's")
        self.client.force_login(self.user)
        for each in SavedFilter.objects.all():
            self.assertContains(self.post({}, delete=each.pk), "Deleted the filter.")
        self.assertFalse(SavedFilter.objects.exists())

    def test_who_may_not_see_the_list_saves_nothing(self) -> None:
        self.client.force_login(User.objects.create(username="nobody", is_staff=True))
        self.assertEqual(self.post({"q": "a"}, name="A").status_code, 403)

    def test_names_are_shown_as_text(self) -> None:
        make_brand()
        page = self.post({"q": '"><script>'}, name="<b>bold</b>")
        self.assertContains(page, "&lt;b&gt;bold&lt;/b&gt;")
        self.assertNotContains(page, '"><script>')
