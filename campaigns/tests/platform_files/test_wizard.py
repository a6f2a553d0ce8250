"""The pages that import a downloaded report."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse
from django.utils.html import strip_tags

from campaigns.admin.shared.display import change_address
from campaigns.models import Campaign, CampaignLink, FileFormat, ImportDraft, PlatformAccount, SpendTotal
from campaigns.tests.platform_files import files
from campaigns.tests.support.factories import make_brand, make_campaign

UPLOAD = "admin:campaigns_fileformat_import"


class WizardCase(TestCase):
    def setUp(self) -> None:
        self.amara = User.objects.create_user("amara", is_staff=True, is_superuser=True)
        self.client.force_login(self.amara)
        self.acme = make_brand(name="Acme", currency="USD")

    def upload(self, text: str | bytes, name: str = "report.csv") -> Any:
        data = text.encode() if isinstance(text, str) else text
        page = self.client.post(reverse(UPLOAD), {"file": SimpleUploadedFile(name, data)}, follow=True)
        return self.accept_zone(page)

    def post(self, page: Any, **answers: str) -> Any:
        """Send the form of a page as a browser would, with some answers."""
        form = page.context["form"]
        given = {name: form[name].value() or "" for name in form.fields}
        page = self.client.post(page.request["PATH_INFO"], given | answers, follow=True)
        return self.accept_zone(page) if "timezone" not in answers else page

    def accept_zone(self, page: Any) -> Any:
        """Where only the account's time zone is asked, take what is proposed: the brand's."""
        form = page.context.get("form")
        if getattr(form, "questions", None) != ["timezone"]:
            return page
        return self.post(page, timezone=form["timezone"].value() or "")


class ThreeClickTests(WizardCase):
    def test_upload_answer_import(self) -> None:
        make_campaign(self.acme, name="PMax - Herbst 2026")
        page = self.upload(files.GOOGLE_EN)
        self.assertContains(page, "Which account of the platform is the report of?")
        page = self.post(page, account="123-456-7890", brand_="Acme", answer="")
        self.assertContains(page, "1,234.50 USD for 26 November 2026")
        self.assertContains(page, "Acme / PMax - Herbst 2026 (same name)")
        self.assertContains(page, "new campaign in Acme")
        page = self.post(page, **{"import": ""})
        self.assertContains(page, "2 totals imported, 1 campaign linked, 1 campaign created.")
        self.assertEqual(page.request["PATH_INFO"], reverse("admin:campaigns_brand_change", args=[self.acme.pk]))
        self.assertEqual(SpendTotal.objects.count(), 2)
        self.assertEqual(CampaignLink.objects.filter(campaign__brand=self.acme).count(), 2)
        self.assertFalse(ImportDraft.objects.exists())

    def test_the_next_file_asks_nothing(self) -> None:
        page = self.upload(files.GOOGLE_EN)
        page = self.post(page, account="123-456-7890", brand_="Acme")
        self.post(page, **{"import": ""})
        page = self.upload(files.GOOGLE_EN)
        self.assertContains(page, "Read as the format “Google Ads”.")
        self.assertEqual(page.context["form"].questions, [])
        self.assertContains(page, "<dt>unchanged</dt><dd>2</dd>", html=True)

    def test_choices_that_change_the_preview_are_shown_first(self) -> None:
        page = self.upload(files.MICROSOFT)
        page = self.post(page, unlinked="leave", **{"import": ""})
        self.assertContains(page, "Your choices have changed the preview. Check it, then import.")
        self.assertEqual(SpendTotal.objects.count(), 0)
        page = self.post(page, **{"import": ""})
        self.assertEqual(CampaignLink.objects.get().campaign, None)
        self.assertContains(page, "1 campaign unassigned. Unassigned spend counts for no budget")
        self.assertNotContains(page, "The spend is booked")


class WordsTests(WizardCase):
    def test_summary_lines_of_the_file_are_no_totals(self) -> None:
        page = self.post(self.upload(files.GOOGLE_EN), account="1", brand_="Acme")
        self.assertContains(page, "<dt>new totals</dt><dd>2</dd>", html=True)
        self.assertContains(page, "<dt>summary lines of the file, left out</dt><dd>2</dd>", html=True)
        self.assertContains(page, "<dt>row without spend in the file, left out</dt><dd>1</dd>", html=True)

    def test_an_id_that_stands_for_a_name_is_shown_as_one(self) -> None:
        self.post(self.upload(files.MICROSOFT), unlinked="leave")
        self.post(self.upload(files.MICROSOFT), **{"import": ""})
        account, link = PlatformAccount.objects.get(), CampaignLink.objects.get()
        self.assertEqual((account.external_id, link.external_id), ("name:acme", "name:display"))
        for page in (
            reverse("admin:campaigns_platformaccount_changelist"),
            reverse("admin:campaigns_platformaccount_change", args=[account.pk]),
            reverse("admin:campaigns_campaignlink_changelist"),
            reverse("admin:campaigns_campaignlink_change", args=[link.pk]),
            reverse("admin:campaigns_campaignlink_unassigned"),
        ):
            shown = strip_tags(self.client.get(page).content.decode())
            self.assertNotIn("name:acme", shown)
            self.assertNotIn("name:display", shown)
        PlatformAccount.objects.update(name="")
        self.assertContains(self.client.get(reverse("admin:campaigns_platformaccount_changelist")), "acme (by name)")

    def test_the_pages_of_a_nameless_account_and_campaign_show_no_stored_id(self) -> None:
        self.post(self.upload(files.MICROSOFT), unlinked="leave")
        self.post(self.upload(files.MICROSOFT), **{"import": ""})
        PlatformAccount.objects.update(name="")
        CampaignLink.objects.update(name="")
        for page, title in (
            (change_address(PlatformAccount.objects.get()), "acme (by name)"),
            (change_address(CampaignLink.objects.get()), "display (by name)"),
        ):
            shown = strip_tags(self.client.get(page).content.decode())
            self.assertIn(title, shown)
            self.assertNotIn("name:acme", shown)
            self.assertNotIn("name:display", shown)


class QuestionTests(WizardCase):
    def test_the_order_of_a_date_is_asked(self) -> None:
        page = self.upload("Day,Campaign,Campaign ID,Account ID,Cost (USD)\n05/11/2026,A,1,77,5.10\n")
        self.assertContains(page, "Which day is “05/11/2026”?")
        self.assertContains(page, "5 November 2026")
        self.assertContains(page, "11 May 2026")
        page = self.post(page, order="dmy", source="google_ads")
        self.assertContains(page, "5.10 USD for 5 November 2026")

    def test_parentheses_are_asked_once(self) -> None:
        text = "Day,Campaign,Campaign ID,Account ID,Cost (USD)\n2026-11-26,A,1,77,(5.10)\n"
        page = self.post(self.upload(text), source="google_ads")
        self.assertContains(page, "Which amount is “(5.10)”?")
        page = self.post(page, parentheses="spend")
        self.assertContains(page, "5.10 USD for 26 November 2026")
        self.post(page, **{"import": ""})
        page = self.upload(text.replace("5.10", "6.10"))
        self.assertContains(page, "6.10 USD for 26 November 2026")
        self.assertEqual(FileFormat.objects.get().parentheses, "spend")

    def test_columns_in_unknown_words_are_chosen(self) -> None:
        page = self.upload("Nap,Megnevezés,Összeg\n2026-11-26,A,5.10\n")
        self.assertContains(page, "Which column is the spend?")
        answers = {"column_campaign": "1", "column_amount": "2", "column_day": "0", "source": "other"}
        page = self.post(page, **answers)
        page = self.post(page, account="77", currency="USD")
        page = self.post(page, currency="USD")
        self.assertContains(page, "5.10 USD for 26 November 2026")

    def test_a_brand_that_is_unknown(self) -> None:
        page = self.post(self.upload(files.GOOGLE_EN), account="1", brand_="Nobody")
        self.assertContains(page, "“Nobody” isn’t a brand.")
        self.assertContains(page, f"{reverse('admin:campaigns_brand_add')}?name=Nobody")
        adding = self.client.get(f"{reverse('admin:campaigns_brand_add')}?name=Nobody&currency=EUR")
        initial = adding.context["adminform"].form.initial
        self.assertEqual((initial["name"], initial["currency"]), ("Nobody", "EUR"))

    def test_what_may_be_a_week_is_asked_and_refused(self) -> None:
        text = "Start date,Campaign,Campaign ID,Account ID,Cost (USD)\n2026-11-02,A,1,77,5.10\n"
        page = self.post(self.upload(text), source="google_ads")
        self.assertContains(page, "Does each row hold the spend of a single day")
        page = self.post(page, period="no")
        self.assertContains(page, "Download the report by day.")
        page = self.post(page, period="yes")
        self.assertContains(page, "5.10 USD for 2 November 2026")


class RefusalTests(WizardCase):
    def test_a_file_without_a_table(self) -> None:
        self.assertContains(self.upload("hello\n"), "No table was found in this file")

    def test_a_report_without_days(self) -> None:
        self.assertContains(
            self.upload("Campaign,Currency code,Cost\nA,USD,5\n"), "The report has no column for the day"
        )

    def test_a_draft_of_somebody_else(self) -> None:
        self.upload(files.GOOGLE_EN)
        draft = ImportDraft.objects.get()
        self.client.force_login(User.objects.create_user("boris", is_staff=True, is_superuser=True))
        page = self.client.get(reverse("admin:campaigns_fileformat_report", args=[draft.pk]), follow=True)
        self.assertContains(page, "This file has expired. Choose it again.")

    def test_somebody_without_the_permission(self) -> None:
        self.client.force_login(User.objects.create_user("boris", is_staff=True))
        self.assertEqual(self.client.get(reverse(UPLOAD)).status_code, 403)

    def test_somebody_who_may_not_add_campaigns_creates_none(self) -> None:
        boris = User.objects.create_user("boris", is_staff=True)
        boris.user_permissions.add(Permission.objects.get(codename="add_spendupload"))
        self.client.force_login(boris)
        page = self.upload(files.MICROSOFT)
        self.assertNotContains(page, "create the others")
        self.post(page, **{"import": ""})
        self.assertEqual((Campaign.objects.count(), SpendTotal.objects.count()), (0, 2))
        self.assertEqual(FileFormat.objects.get().who, "boris")
