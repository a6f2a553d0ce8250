"""The forms of the wizard for downloaded reports: the file, and the answers to what it leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.db.models import QuerySet
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from budget_manager.limits.uploads import was_dropped
from campaigns.admin.shared.fields import CurrencyField, CurrencyWidget, ZoneField, ZoneWidget
from campaigns.models import Brand
from campaigns.models.brand import validate_zone
from campaigns.rules.amounts import DecimalMark
from campaigns.rules.platforms import SOURCES
from campaigns.services.naming.find_names import find_brands
from campaigns.services.platform_files.answers import EACH, MAPPED, ONCE, Answers, Ask
from campaigns.services.platform_files.cells import MAX_BYTES, MAX_ROWS
from campaigns.services.platform_files.dates import DateOrder
from campaigns.services.platform_files.download import Download
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.numbers import Parentheses
from campaigns.services.platform_files.stored_answers import Choices

MEGABYTES = MAX_BYTES // 1024**2
# Accounts of a file whose brand can be chosen.
MAX_ACCOUNTS = 30

LABELS = {
    Role.DAY: "Day",
    Role.CAMPAIGN: "Campaign",
    Role.CAMPAIGN_ID: "Campaign ID",
    Role.AMOUNT: "Spend",
    Role.CURRENCY: "Currency",
    Role.ACCOUNT: "Account",
    Role.ACCOUNT_ID: "Account ID",
}
# Before the names of fields that choose a column.
COLUMN = "column_"
CREATE, LINK, LEAVE = "create", "link", "leave"


class FileForm(forms.Form):
    """The downloaded file; its size is checked before it is read."""

    file = forms.FileField(
        label="File",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        help_text=f"CSV or XLSX as downloaded, with a column for the day; up to {MEGABYTES} MB and {MAX_ROWS:,} rows.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty. Choose another one."},
    )

    def __init__(self, request: Any) -> None:
        posted = request.method == "POST"
        super().__init__(request.POST if posted else None, request.FILES if posted else None)
        self.was_dropped = was_dropped(request)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if self.was_dropped or (file and file.size > MAX_BYTES):
            self.errors.pop("file", None)
            self.add_error("file", f"The file is larger than {MEGABYTES} MB. Download a shorter period.")
        return cleaned


class AnswersForm(forms.Form):
    """The questions that a file leaves open, and what can be corrected in how it is read.

    Fields of `questions` are shown at the top, those of `corrections` in a part of the page that is closed at first.
    """

    def __init__(
        self, data: Any, download: Download, choices: Choices, *, brands: QuerySet[Brand], may_create: bool
    ) -> None:
        super().__init__(data, auto_id="report_%s")
        self.download, self.choices, self.brands = download, choices, brands
        self.asked = {question.ask: question for question in download.questions}
        self.questions: list[str] = []
        self.corrections: list[str] = []
        self.assignment: list[str] = []
        # The name of a brand that was entered and isn't there.
        self.unknown_brand = ""
        self._add_columns()
        self._add_reading()
        self._add_account()
        self._add_brands(may_create=may_create)

    @property
    def question_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.questions]

    @property
    def correction_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.corrections]

    @property
    def assignment_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.assignment]

    def _add(self, name: str, field: forms.Field, *, asked: bool, initial: Any) -> None:
        field.required, field.initial = asked, initial
        self.fields[name] = field
        (self.questions if asked else self.corrections).append(name)

    def _add_columns(self) -> None:
        asks = {Role.DAY: Ask.DAY, Role.CAMPAIGN: Ask.CAMPAIGN, Role.AMOUNT: Ask.AMOUNT}
        table, mapping = self.download.report.table, self.download.report.mapping
        headings = [(str(place), heading) for place, heading in enumerate(table.headings) if heading]
        for role in MAPPED:
            question = self.asked.get(asks[role]) if role in asks else None
            choices = [("", "Choose a column" if question else "–"), *headings]
            field = forms.ChoiceField(
                label=question.sentence if question else LABELS[role], choices=choices, widget=UnfoldAdminSelectWidget()
            )
            if question and question.options and len(question.options) < len(headings):
                field.help_text = f"Probably {' or '.join(f'“{heading}”' for _, heading in question.options[:5])}."
            self._add(COLUMN + role.value, field, asked=question is not None, initial=_text(mapping.get(role)))

    def _add_reading(self) -> None:
        """Add how days, amounts and repeated rows are read, where that is open or was answered."""
        report, answers = self.download.report, self.choices.answers
        for ask, label, known in (
            (Ask.ORDER, "Order of dates", report.order),
            (Ask.DECIMAL, "Decimal separator", report.decimal),
            (Ask.PARENTHESES, "Amounts in parentheses", report.parentheses),
            (Ask.PERIOD, "", None),
            (Ask.REPEATED, "Repeated rows", answers.repeated),
        ):
            if question := self.asked.get(ask):
                field = forms.ChoiceField(
                    label=question.sentence, choices=list(question.options), widget=UnfoldAdminRadioSelectWidget()
                )
                self._add(ask.value, field, asked=True, initial="")
            elif ask in OPTIONS and getattr(answers, ask.value):
                field = forms.ChoiceField(label=label, choices=OPTIONS[ask], widget=UnfoldAdminSelectWidget())
                self._add(ask.value, field, asked=False, initial=known)

    def _add_account(self) -> None:
        report, answers = self.download.report, self.download.answers
        question = self.asked.get(Ask.SOURCE)
        options = [("", "Choose a platform"), *SOURCES.items()] if question else list(SOURCES.items())
        field: forms.Field = forms.ChoiceField(
            label=question.sentence if question else "Platform", choices=options, widget=UnfoldAdminSelectWidget()
        )
        self._add("source", field, asked=question is not None, initial=report.source)
        account = self.asked.get(Ask.ACCOUNT)
        if account or (not report.has_accounts and not self.asked):
            field = forms.CharField(
                label=account.sentence if account else "Account",
                max_length=200,
                widget=UnfoldAdminTextInputWidget(attrs={"list": "report-accounts", "autocomplete": "off"}),
                help_text="The account’s ID, like 123-456-7890, or its name. The file doesn’t say it.",
            )
            self._add("account", field, asked=account is not None, initial=answers.account_name or answers.account)
        if Ask.CURRENCY in self.asked:
            field = CurrencyField(label=self.asked[Ask.CURRENCY].sentence, widget=CurrencyWidget())
            self._add("currency", field, asked=True, initial="")
        self._add_zone()

    def _add_zone(self) -> None:
        """Add the time zone of the account's days, together with the account or as a question of its own."""
        report, answers, question = self.download.report, self.download.answers, self.asked.get(Ask.ZONE)
        if not question and (report.timezone or (Ask.ACCOUNT not in self.asked and answers.timezone is None)):
            return
        options = question.options if question else ()
        field = ZoneField(
            label=question.sentence if question else "Time zone of the account’s days",
            max_length=64,
            widget=ZoneWidget(),
            validators=[validate_zone],
            help_text="The platform’s settings of the account show it. Left empty, it is the brand’s time zone; without"
            " a brand, the spend waits as unassigned until the account’s time zone is set.",
        )
        initial = answers.timezone or (options[0][0] if len(options) == 1 else "")
        self._add("timezone", field, asked=bool(self.asked), initial=initial)
        field.required = False

    def _add_brands(self, *, may_create: bool) -> None:
        """Add the brand of each account whose campaigns have no link yet, and what is done with them."""
        unlinked = self.download.placed.unlinked
        accounts = {each.account.external_id: each.account for each in unlinked}
        if Ask.ACCOUNT in self.asked:
            self._add_brand("brand_", "Brand of the account’s campaigns", self._chosen_brand(""))
        for external_id, account in list(accounts.items())[:MAX_ACCOUNTS]:
            label = f"Brand for campaigns of {account}" if len(accounts) > 1 else "Brand"
            self._add_brand(f"brand_{external_id}", label, account.brand.name if account.brand else "")
        if not unlinked:
            return
        options = [(LINK, "Link by name only")]
        if may_create:
            options.append((CREATE, "Link by name, create the others"))
        options.append((LEAVE, "Leave unassigned"))
        field = forms.ChoiceField(
            label="Campaigns that aren’t linked yet",
            choices=options,
            widget=UnfoldAdminRadioSelectWidget(),
            help_text="A campaign of the platform is linked to the brand’s campaign of exactly the same name."
            " Unassigned spend waits until somebody links it.",
        )
        chosen = CREATE if self.choices.create else LINK if self.choices.link else LEAVE
        field.required, field.initial = False, chosen
        self.fields["unlinked"] = field
        self.assignment.append("unlinked")

    def _chosen_brand(self, key: str) -> str:
        pk = self.choices.brands.get(key)
        found = self.brands.filter(pk=pk).first() if pk else None
        return found.name if found else ""

    def _add_brand(self, name: str, label: str, initial: str) -> None:
        self.fields[name] = forms.CharField(
            label=label,
            required=False,
            initial=initial,
            max_length=200,
            widget=UnfoldAdminTextInputWidget(attrs={"list": "report-brands", "autocomplete": "off"}),
            help_text="Type or choose a brand’s name. Leave empty to keep the spend unassigned for now.",
        )
        self.assignment.append(name)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        names = {name: cleaned[name].strip() for name in self.assignment if name != "unlinked" and cleaned.get(name)}
        found = find_brands(set(names.values()), self.brands)
        self.chosen_brands: dict[str, int] = {}
        for field, name in names.items():
            pk, problem = found.of(name)
            if pk is None:
                self.unknown_brand = name
                sentence = f"“{name}” isn’t a brand. Choose one of the list, add it below, or leave the field empty."
                self.add_error(field, problem or sentence)
            else:
                self.chosen_brands[field.removeprefix("brand_")] = pk
        if cleaned.get("period") == "no":
            self.add_error("period", "Rows of weeks or months can’t be divided into days. Download the report by day.")
        return cleaned

    def chosen(self) -> Choices:
        """Return what was chosen, on top of what was chosen before."""
        given: Mapping[str, Any] = self.cleaned_data
        old = self.choices.answers
        columns = {role: int(given[COLUMN + role.value]) for role in MAPPED if given.get(COLUMN + role.value)}
        proposed = dict(self.download.report.mapping.columns)
        answers = replace(
            old,
            columns=columns if columns != proposed or old.columns is not None else None,
            order=DateOrder(given["order"]) if given.get("order") else old.order,
            decimal=DecimalMark(given["decimal"]) if given.get("decimal") else old.decimal,
            parentheses=Parentheses(given["parentheses"]) if given.get("parentheses") else old.parentheses,
            repeated=given.get("repeated") or old.repeated,
            is_daily=old.is_daily or given.get("period") == "yes",
            source=old.source if given.get("source") in ("", self.download.report.source) else given["source"],
            account=_account(given, self.download.answers, old),
            currency=given.get("currency") or old.currency,
            timezone=given.get("timezone", old.timezone),
        )
        brands = dict(self.choices.brands)
        for name in self.assignment:
            if name != "unlinked":
                brands.pop(name.removeprefix("brand_"), None)
        how = given.get("unlinked") or (CREATE if self.choices.create else LINK if self.choices.link else LEAVE)
        return Choices(answers, brands | self.chosen_brands, link=how != LEAVE, create=how == CREATE)


ORDERS = [
    (DateOrder.DAY_FIRST.value, "Day first, as in 26/11/2026"),
    (DateOrder.MONTH_FIRST.value, "Month first, as in 11/26/2026"),
    (DateOrder.YEAR_FIRST.value, "Year first, as in 2026-11-26"),
]
DECIMALS = [(DecimalMark.POINT.value, "Point, as in 1,250.50"), (DecimalMark.COMMA.value, "Comma, as in 1.250,50")]

PARENTHESES = [(Parentheses.CREDIT.value, "Negative: credits"), (Parentheses.SPEND.value, "Positive: spend")]
REPEATED = [(ONCE, "Count once"), (EACH, "Count each")]
OPTIONS = {Ask.ORDER: ORDERS, Ask.DECIMAL: DECIMALS, Ask.PARENTHESES: PARENTHESES, Ask.REPEATED: REPEATED}


def _text(place: int | None) -> str:
    return "" if place is None else str(place)


def _account(given: Mapping[str, Any], remembered: Answers, old: Answers) -> str:
    """Return the account that was entered; what was only remembered stays so."""
    entered = str(given.get("account") or "").strip()
    if not entered or (not old.account and entered == remembered.account):
        return old.account
    return entered
