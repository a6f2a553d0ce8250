"""Each page has one headline of the first level, inside <main>, where the link that skips the menu leads."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from django.urls import reverse

from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.pages import every_model, every_page, make_a_row_of_each


class Headlines(HTMLParser):
    """Counts h1 inside <main> and outside, and the ids on a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.depth = self.inside = self.outside = 0
        self.skips_to = ""
        self.main_id = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "main":
            self.depth += 1
            self.main_id = values.get("id") or ""
        elif tag == "h1":
            self.inside += self.depth == 1
            self.outside += self.depth != 1
        elif tag == "a" and values.get("class") == "campaigns-skip":
            self.skips_to = values.get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "main"


class HeadlineOfEachPage(AdminTestCase):
    def addresses(self) -> Iterator[str]:
        yield reverse("admin:index")
        for model in every_model():
            yield from (address for _, address in every_page(model))

    def test_it_is_in_main(self) -> None:
        make_a_row_of_each()
        seen = 0
        for address in self.addresses():
            answer = self.client.get(address)
            if answer.status_code == 200:
                found = Headlines(answer.content.decode())
                self.assertEqual((found.inside, found.outside, found.depth), (1, 0, 0), address)
                self.assertEqual(found.skips_to, f"#{found.main_id}", address)
                seen += 1
        self.assertGreater(seen, 40)

    def test_it_is_in_main_for_people_who_are_not_signed_in(self) -> None:
        self.client.logout()
        found = Headlines(self.client.get(reverse("admin:login")).content.decode())
        self.assertEqual((found.inside, found.outside, found.depth), (1, 0, 0))
