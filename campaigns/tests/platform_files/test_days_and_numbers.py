"""Days and amounts in any form: what is written is what is read, or a question."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.amounts import DecimalMark
from campaigns.services.platform_files.dates import (
    FIRST,
    LAST,
    DateOrder,
    NotADay,
    excel_day,
    find_orders,
    read_day,
)
from campaigns.services.platform_files.numbers import (
    is_no_amount,
    mark_of_columns,
    parentheses_are_clear,
    possible_marks,
    read_with,
)

D26 = date(2026, 11, 26)
days = st.dates(FIRST, LAST)
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
SHORT = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "de": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "es": "ene feb mar abr may jun jul ago sept oct nov dic",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "pt": "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    "nl": "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
}


def certain(text: str) -> date:
    read = read_day(text)
    assert read.is_certain, text
    return read.days[DateOrder.YEAR_FIRST]


class DayTests(SimpleTestCase):
    @given(days)
    def test_numbers(self, day: date) -> None:
        self.assertEqual(certain(day.isoformat()), day)
        self.assertEqual(certain(f"{day:%Y/%m/%d}"), day)
        self.assertEqual(certain(f"{day:%Y%m%d}"), day)
        self.assertEqual(certain(f"{day:%d.%m.%Y}"), day)
        self.assertEqual(certain(f"{day.day}.{day.month}.{day.year}"), day)
        self.assertEqual(read_day(f"{day:%d/%m/%Y}").days[DateOrder.DAY_FIRST], day)
        self.assertEqual(read_day(f"{day:%m/%d/%Y}").days[DateOrder.MONTH_FIRST], day)
        self.assertEqual(read_day(f"{day.month}/{day.day}/{day.year}").days[DateOrder.MONTH_FIRST], day)

    @given(days, st.sampled_from(sorted(MONTHS)), st.sampled_from([MONTHS, SHORT]))
    def test_names_of_months(self, day: date, language: str, names: dict[str, str]) -> None:
        month = names[language].split()[day.month - 1]
        for text in (
            f"{day.day} {month} {day.year}",
            f"{day.day}. {month} {day.year}",
            f"{month} {day.day}, {day.year}",
            f"{day.day} de {month} de {day.year}",
            f"{day:%d}-{month}-{day.year}",
            f"{day.day} {month.upper()} {day.year}",
        ):
            self.assertEqual(certain(text), day, text)

    def test_with_a_weekday(self) -> None:
        for text in (
            "Thu, Nov 26, 2026",
            "Donnerstag, 26. November 2026",
            "jeu. 26 nov. 2026",
            "jueves, 26 de noviembre de 2026",
            "qui., 26 de nov. de 2026",
        ):
            self.assertEqual(certain(text), D26)
        # “mar” is a Tuesday and a month.
        self.assertEqual(certain("mar. 24 nov. 2026"), date(2026, 11, 24))
        self.assertEqual(certain("24 mar. 2026"), date(2026, 3, 24))

    def test_with_a_time(self) -> None:
        for text in (
            "2026-11-26 00:00:00",
            "2026-11-26T13:00",
            "2026-11-26 1:00 PM",
            "2026-11-26T00:00:00.000-08:00",
            "2026-11-26T00:00:00Z",
            "11/26/2026 12:00:00 AM",
        ):
            self.assertEqual(read_day(text).days[DateOrder.MONTH_FIRST], D26)
        with self.assertRaisesMessage(NotADay, "is a time in UTC, not a day of the account"):
            read_day("2026-11-26T23:00:00Z")

    def test_periods_are_refused(self) -> None:
        for text, sentence in (
            ("2026-11-23 - 2026-11-29", "is a period of several days"),
            ("2026-11-01 ~ 2026-11-30", "is a period of several days"),
            ("November 2026", "is a month"),
            ("nov. de 2026", "is a month"),
            ("2026-11", "is a month"),
            ("Week 48", "is a week"),
            ("2026-W48", "is a week"),
            ("KW 48", "is a week"),
        ):
            with self.subTest(text), self.assertRaisesMessage(NotADay, sentence):
                read_day(text)
        self.assertEqual(certain("2026-11-26 - 2026-11-26"), D26)

    def test_what_isn_t_a_day(self) -> None:
        for text in (
            "",
            "--",
            "Total",
            "2026-02-30",
            "31.06.2026",
            "1999-01-01",
            "12",
            "12345678901",
            "26",
            "May",
            "x" * 500,
        ):
            with self.subTest(text), self.assertRaises(NotADay):
                read_day(text)

    @given(st.text(max_size=100))
    def test_any_text_is_a_day_or_refused(self, text: str) -> None:
        try:
            read = read_day(text)
        except NotADay:
            return
        self.assertTrue(all(FIRST <= day <= LAST for day in read.days.values()))

    def test_unformatted_days_of_a_workbook(self) -> None:
        self.assertEqual(excel_day("46352", is_1904=False), D26)
        self.assertEqual(excel_day("44890.0", is_1904=True), D26)
        for text in ("1", "99999999999", "x"):
            with self.assertRaises(NotADay):
                excel_day(text, is_1904=False)


class OrderTests(SimpleTestCase):
    def orders(self, *texts: str) -> tuple[set[DateOrder], bool]:
        return find_orders([read_day(text) for text in texts])

    def test_one_cell_decides_for_all(self) -> None:
        self.assertEqual(self.orders("05/11/2026", "26/11/2026"), ({DateOrder.DAY_FIRST}, False))
        self.assertEqual(self.orders("11/05/2026", "11/26/2026"), ({DateOrder.MONTH_FIRST}, False))

    def test_nothing_decides(self) -> None:
        orders, differs = self.orders("05/11/2026", "06/11/2026")
        self.assertEqual(orders, {DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST})
        self.assertTrue(differs)

    def test_nothing_has_to_be_decided(self) -> None:
        self.assertFalse(self.orders("11/11/2026", "2026-11-05")[1])

    def test_years_of_two_digits(self) -> None:
        self.assertEqual(len(self.orders("12/11/13")[0]), 3)
        self.assertEqual(self.orders("26/11/28")[0], {DateOrder.DAY_FIRST, DateOrder.YEAR_FIRST})

    @given(st.lists(days, min_size=1, max_size=20), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y"]))
    def test_a_column_is_never_read_wrongly(self, column: list[date], form: str) -> None:
        written = [read_day(day.strftime(form)) for day in column]
        orders, differs = find_orders(written)
        right = DateOrder.DAY_FIRST if form.startswith("%d") else DateOrder.MONTH_FIRST
        self.assertIn(right, orders)
        if not differs:
            self.assertEqual([day.days[min(orders)] for day in written], column)


def point(amount: Decimal, group: str) -> str:
    return f"{amount:,.2f}".replace(",", group)


def comma(amount: Decimal, group: str) -> str:
    return f"{amount:,.2f}".replace(",", "x").replace(".", ",").replace("x", group)


amounts = st.decimals(min_value=-1_000_000, max_value=100_000_000, places=2)


class NumberTests(SimpleTestCase):
    @given(amounts, st.sampled_from([",", "", " ", "\u00a0", "\u202f", "'", "’"]))
    def test_decimal_points(self, amount: Decimal, group: str) -> None:
        self.assertEqual(read_with(point(amount, group), DecimalMark.POINT).value, amount)

    @given(amounts, st.sampled_from([".", "", " ", "\u00a0", "\u202f", "'"]))
    def test_decimal_commas(self, amount: Decimal, group: str) -> None:
        self.assertEqual(read_with(comma(amount, group), DecimalMark.COMMA).value, amount)

    @given(st.lists(amounts, min_size=1, max_size=10), st.booleans())
    def test_a_column_is_never_read_wrongly(self, column: list[Decimal], has_points: bool) -> None:
        texts = [point(amount, ",") if has_points else comma(amount, ".") for amount in column]
        marks, differs = possible_marks(texts)
        right = DecimalMark.POINT if has_points else DecimalMark.COMMA
        self.assertIn(right, marks)
        if not differs:
            self.assertEqual([read_with(text, next(iter(marks))).value for text in texts], column)

    def test_what_is_ambiguous(self) -> None:
        for text in ("1,234", "1.234", "12,000", "$1,234"):
            self.assertTrue(possible_marks([text])[1], text)
        for text in ("0.125", "0,125", "1,234.5", "1.234,5", "12", "12.5", "12,50", "1 234", "1.234.567"):
            self.assertFalse(possible_marks([text])[1], text)
        self.assertEqual(possible_marks(["1,234", "12.5"]), ({DecimalMark.POINT}, False))

    def test_other_columns_decide(self) -> None:
        self.assertEqual(mark_of_columns([["12,034", "842"], ["40.50", "--"]]), DecimalMark.POINT)
        self.assertEqual(mark_of_columns([["3,45 %"], ["12.034"]]), DecimalMark.COMMA)
        self.assertEqual(mark_of_columns([["12,034"], ["text 4.5"]]), None)
        self.assertEqual(mark_of_columns([["40.50"], ["40,50"]]), None)

    def test_long_texts_are_refused_at_once(self) -> None:
        with self.assertRaises(ValueError):
            read_with("1" * 2_000, DecimalMark.POINT)

    def test_neighbouring_days_of_an_excel_sheet(self) -> None:
        self.assertEqual(excel_day("46353", is_1904=False), D26 + timedelta(days=1))


class SignTests(SimpleTestCase):
    def test_negative_amounts_in_every_notation(self) -> None:
        for text in (
            "-12.34",
            "\u221212.34",
            "12.34-",
            "12.34 -",
            "12.34\u2212",
            "(12.34)",
            "( 12.34 )",
            "$(12.34)",
            "($12.34)",
            "(12.34) $",
            "-$12.34",
            "$-12.34",
            "$12.34-",
            "12.34 €-",
            "12.34- €",
            "(12.34\u00a0€)",
            "-12.34\u202f€",
            "EUR -12.34",
            "(EUR\u00a012.34)",
        ):
            with self.subTest(text):
                self.assertEqual(read_with(text, DecimalMark.POINT).value, Decimal("-12.34"))
        self.assertEqual(read_with("(1.234,50 €)", DecimalMark.COMMA).value, Decimal("-1234.5"))
        self.assertEqual(read_with("1\u202f234,50-", DecimalMark.COMMA).value, Decimal("-1234.5"))
        self.assertEqual(read_with("($1,234.50)", DecimalMark.POINT).currencies[:1], ("USD",))

    def test_currency_signs_and_spaces_around_positive_amounts(self) -> None:
        for text in ("€12.34", "€ 12.34", "12.34 €", "12.34\u00a0€", "€\u202f12.34", "EUR 12.34", "12.34EUR", "+12.34"):
            with self.subTest(text):
                self.assertEqual(read_with(text, DecimalMark.POINT).value, Decimal("12.34"))

    def test_signs_that_contradict_each_other_are_refused(self) -> None:
        for text in ("(-12.34)", "-(12.34)", "-12.34-", "((12.34))", "(12.34", "12.34)", "()", "(12.34) USD 5", "12.-"):
            with self.subTest(text), self.assertRaises(ValueError):
                read_with(text, DecimalMark.POINT)
        # Twelve without cents, in Dutch and German.
        with self.assertRaises(ValueError):
            read_with("12,-", DecimalMark.COMMA)

    def test_zero_in_accounting_formats(self) -> None:
        for text in ("-", " - ", "$ -", "- €", "$-", "€\u00a0--", "USD -"):
            self.assertTrue(is_no_amount(text), text)
        for text in ("$", "EUR", "$-1", "0"):
            self.assertFalse(is_no_amount(text), text)

    def test_when_parentheses_are_clear(self) -> None:
        def is_clear(*texts: str) -> bool:
            return parentheses_are_clear([(text, read_with(text, DecimalMark.POINT).value) for text in texts])

        self.assertTrue(is_clear("(12.34)", "5.00", "0.00"))
        self.assertFalse(is_clear("(12.34)", "0.00"))
        self.assertFalse(is_clear("(12.34)", "5.00", "-1.00"))
