"""A brand's currency is one of ISO 4217, and stays once there is spend or a final statement, at every door."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns.models import Brand, BrandPeriod, Waiting
from campaigns.services.exchange.columns import Kind
from campaigns.services.exchange.imports import ImportConflict
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.currency_lock import brands_that_keep_their_currency
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.browser import FormTestCase
from campaigns.tests.support.exchanging import ExchangeTestCase, csv_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.outside import OutsideTestCase
from campaigns.tests.support.pages import page
from campaigns.tests.totals.reports import make_account, make_link, quick_booking, report, total_of

ADVICE = "Enter a code of ISO 4217, like EUR."
UNKNOWN = f"isn&#x27;t a currency we know. {ADVICE}"
STAYS = "has spend or final statements in EUR, so its currency can&#x27;t change."
PARIS = "Europe/Paris"
CHANGE = "UPDATE campaigns_brand SET currency = 'USD' WHERE id = %s"
REFUSED = "a brand with spend or final statements keeps its currency"


class Codes(FormTestCase):
    def test_what_is_no_currency_is_refused_by_its_name(self) -> None:
        brand = make_brand(currency="EUR")
        for code in ("ZZZ", "XXX", "XTS", "XAU", "12", "DEM"):
            self.refused(brand, self.form(brand) | {"currency": code}, UNKNOWN)
        for code, advice in (("EU", "Try EUR (Euro)."), ("yenn", "Try JPY (Yen)."), ("£", "could be GBP or EGP.")):
            self.refused(brand, self.form(brand) | {"currency": code}, advice)
        self.assertEqual(Brand.objects.get().currency, "EUR")

    def test_small_letters_are_the_same_currency(self) -> None:
        brand = make_brand(currency="EUR")
        self.save(brand, self.form(brand) | {"currency": " jpy "})
        self.assertEqual(Brand.objects.get().currency, "JPY")

    def test_a_name_and_a_sign_of_one_currency_are_understood(self) -> None:
        brand = make_brand(currency="USD")
        for text, code in (("€", "EUR"), ("yen", "JPY"), ("Kuwaiti dinar", "KWD"), ("₹", "INR")):
            self.save(brand, self.form(brand) | {"currency": text})
            self.assertEqual(Brand.objects.get().currency, code)

    def test_reported_totals_that_waited_for_it_are_booked(self) -> None:
        brand = make_brand(currency="EUR")
        make_link(make_campaign(brand), account=make_account(currency="USD"))
        report(5)
        quick_booking()
        self.assertEqual(total_of().waiting, Waiting.CURRENCY)
        self.save(brand, self.form(brand) | {"currency": "USD"})
        quick_booking()
        self.assertEqual(total_of().booked, 5)

    def test_a_new_brand_has_a_known_one(self) -> None:
        form = self.new_form(Brand) | {"name": "Alpine", "currency": "ZZZ"}
        self.assertContains(self.client.post(page(Brand, "add"), form), UNKNOWN)
        self.assertEqual(self.client.post(page(Brand, "add"), form | {"currency": "kwd"}).status_code, 302)
        self.assertEqual(Brand.objects.get().currency, "KWD")

    def test_the_model_itself_takes_codes_in_capital_letters_only(self) -> None:
        for code in ("ZZZ", "eur"):
            with self.assertRaisesMessage(ValidationError, "isn't a currency we know"):
                Brand(name="Alpine", currency=code).full_clean()

    def test_a_brand_whose_code_sql_wrote_is_shown_and_edited_as_before(self) -> None:
        brand = make_brand(currency="ZZZ")
        spend(make_campaign(brand), 5)
        self.save(brand, self.form(brand) | {"daily_budget": "100"})
        self.assertEqual(Brand.objects.values_list("currency", "daily_budget").get(), ("ZZZ", 100))
        self.assertContains(self.client.get(page(Brand, "changelist")), "5.00 of 100.00 ZZZ")


class Kept(FormTestCase):
    """In the form, where the field is read-only by then; a form that was open before is refused in a sentence."""

    def test_it_changes_while_nothing_was_spent(self) -> None:
        brand = make_brand(currency="EUR", daily_budget=5)
        make_campaign(brand)
        self.save(brand, self.form(brand) | {"currency": "USD"})
        self.assertEqual(Brand.objects.get().currency, "USD")

    def test_the_field_is_read_only_once_there_is_spend(self) -> None:
        brand = make_brand(currency="EUR")
        field = r'<input type="text" name="currency"[^>]*\breadonly\b'
        self.assertNotRegex(self.client.get(self.address(brand)).content.decode(), field)
        spend(make_campaign(brand), 5)
        html = self.client.get(self.address(brand)).content.decode()
        self.assertRegex(html, field)
        self.assertIn("The brand has spend or final statements in this currency", html)

    def test_a_form_that_was_open_before_the_first_spend_is_refused(self) -> None:
        brand = make_brand(currency="EUR")
        form = self.form(brand) | {"currency": "USD"}
        spend(make_campaign(brand), 5)
        self.refused(brand, form, STAYS)
        self.assertEqual(Brand.objects.get().currency, "EUR")

    def test_other_fields_are_saved_as_ever(self) -> None:
        brand = make_brand(currency="EUR")
        spend(make_campaign(brand), 5)
        self.save(brand, self.form(brand) | {"daily_budget": "7"})
        self.assertEqual(Brand.objects.get().daily_budget, 7)


class KeptByTheDatabase(OutsideTestCase):
    """The currency stays, whether the connector, a console or another application changes it."""

    def assert_kept(self, brand: Brand) -> None:
        self.assertEqual(brands_that_keep_their_currency([brand.pk]), {brand.pk})
        self.assert_refused(REFUSED, CHANGE, brand.pk)

    def assert_changes(self, brand: Brand) -> None:
        self.assertEqual(brands_that_keep_their_currency([brand.pk]), set())
        self.run_sql(CHANGE, brand.pk)

    def test_it_stays_with_spend_pending_folded_and_closed(self) -> None:
        brand = make_brand(currency="EUR")
        make_campaign(brand)
        campaign = make_campaign(brand)
        spend(campaign, 5, timezone.now())
        self.assert_kept(brand)
        fold()
        self.assert_kept(brand)
        spend(campaign, -5, timezone.now())
        fold()
        self.assert_kept(brand)

    def test_it_stays_with_a_statement_that_was_closed_with_a_budget_alone(self) -> None:
        brand = make_brand(currency="EUR", daily_budget=5)
        close_periods(now=timezone.now())
        self.assert_changes(brand)
        Brand.objects.filter(pk=brand.pk).update(currency="EUR")
        close_periods(now=timezone.now() + timedelta(days=1))
        self.assertTrue(BrandPeriod.objects.filter(closed_at__isnull=False).exists())
        self.assert_kept(brand)

    def test_it_changes_beside_brands_that_have_spend(self) -> None:
        spend(make_campaign(make_brand(currency="EUR")), 5)
        brand = make_brand(currency="EUR")
        make_campaign(brand)
        self.assert_changes(brand)

    def test_other_columns_change_and_the_same_currency_may_be_written(self) -> None:
        brand = make_brand(currency="EUR")
        spend(make_campaign(brand), 5)
        brand.name, brand.timezone = "Renamed", "Asia/Tokyo"
        brand.save()
        self.assertEqual(Brand.objects.values_list("name", "currency").get(), ("Renamed", "EUR"))


class Files(ExchangeTestCase):
    def test_a_file_takes_codes_of_the_list_only_in_any_letters(self) -> None:
        brand = make_brand(name="Alpine", currency="EUR")
        ((line, told),) = self.problems(Kind.BRANDS, ["name", "currency"], ["Alpine", "ZZZ"])
        self.assertEqual((line, told), (2, f"currency: “ZZZ” isn't a currency we know. {ADVICE}"))
        for currency, zone, stored in (
            ("jpy", "new york", ("JPY", "America/New_York")),
            ("€", "PARIS", ("EUR", PARIS)),
        ):
            self.take_in(Kind.BRANDS, ["name", "currency", "timezone"], ["Alpine", currency, zone])
            brand.refresh_from_db()
            self.assertEqual((brand.currency, brand.timezone), stored)

    def test_a_file_changes_no_currency_that_has_spend(self) -> None:
        spend(make_campaign(make_brand(name="Alpine", currency="EUR")), 5)
        make_brand(name="Free", currency="EUR")
        ((line, told),) = self.problems(Kind.BRANDS, ["name", "currency"], ["Free", "USD"], ["Alpine", "USD"])
        self.assertEqual(line, 3)
        self.assertIn("“Alpine” has spend or final statements in EUR, so its currency can't change.", told)

    def test_what_was_spent_after_the_preview_refuses_the_import(self) -> None:
        brand = make_brand(name="Alpine", currency="EUR")
        draft = self.keep(Kind.BRANDS, csv_of(["name", "currency"], ["Alpine", "USD"]))
        self.assertEqual(self.preview(draft).plan.problems, [])
        spend(make_campaign(brand), 5)
        with self.assertRaises(ImportConflict):
            self.apply(draft)
        brand.refresh_from_db()
        self.assertEqual(brand.currency, "EUR")
