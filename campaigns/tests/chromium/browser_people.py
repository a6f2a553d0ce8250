"""A superuser makes a Brand manager from nothing, and she signs in and works."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from campaigns.models import BrandAssignment
from campaigns.services.groups import BRAND_MANAGERS
from campaigns.tests.chromium.case import PHONE, BrowserTestCase
from campaigns.tests.support.factories import make_brand

PASSWORD = "tulips in november"


class NewManager(BrowserTestCase):
    def test_she_is_made_from_nothing_and_signs_in(self) -> None:
        make_brand(name="Alpine")
        make_brand(name="Kawabe")
        self.add_user()
        self.assertEqual([given.brand.name for given in BrandAssignment.objects.all()], ["Alpine"])
        page = self.sign_in()
        expect(page.get_by_role("link", name="Alpine")).to_be_visible()
        expect(page.get_by_text("Kawabe")).to_have_count(0)
        page.context.close()

    def add_user(self) -> None:
        """Open the list of users, press the button that adds one, and fill in its form."""
        page = self.open(reverse("admin:auth_user_changelist"))
        self.follow(page.locator(f"a[href^='{reverse('admin:auth_user_add')}']").first)
        self.look()
        page.get_by_label("Username").fill("zofia")
        page.locator("#id_password1").fill(PASSWORD)
        page.get_by_label("Password confirmation").fill(PASSWORD)
        page.get_by_label("Role").select_option(label=BRAND_MANAGERS)
        page.locator("#id_brands + .select2").click()
        page.locator(".select2-search__field").last.fill("alp")
        page.get_by_role("option", name="Alpine").click()
        self.look()
        self.proceed("Save")
        self.assertTrue(User.objects.get(username="zofia").is_staff)

    def sign_in(self) -> Page:
        """Sign in as her in a browser of her own, and look at the brands."""
        window = self.browser.new_context(base_url=self.live_server_url, viewport=self.viewport)
        page = window.new_page()
        page.goto(reverse("admin:login"))
        page.get_by_label("Username").fill("zofia")
        page.get_by_label("Password").fill(PASSWORD)
        with page.expect_navigation(wait_until="load"):
            page.locator("[type=submit]").click()
        # The password was handed over: she chooses one of her own first.
        page.locator("#id_old_password").fill(PASSWORD)
        for field in ("#id_new_password1", "#id_new_password2"):
            page.locator(field).fill(f"{PASSWORD} too")
        with page.expect_navigation(wait_until="load"):
            page.locator("main [type=submit]").last.click()
        page.goto(reverse("admin:campaigns_brand_changelist"))
        return page


class NewManagerOnAPhone(NewManager):
    viewport = PHONE
    colours = "dark"
