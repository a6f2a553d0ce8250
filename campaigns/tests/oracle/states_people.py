"""People: they edit by the admin's own forms and lists, some by a form that they opened long ago, or by plain SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Any

from django.urls import reverse
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from campaigns.admin.brand.zone_change import CONFIRMED
from campaigns.models import Brand, Campaign
from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, Window, spends
from campaigns.tests.oracle.states_base import ZONES, States
from campaigns.tests.oracle.worlds import DAY, limits_near, windows_near
from campaigns.tests.support.browser import add_window, confirm, open_form
from campaigns.tests.support.stored import store_windows

Facts = BrandFacts | CampaignFacts
Form = dict[str, Any]

SAVED, SHOWN_AGAIN, MOST_CAMPAIGNS = 302, 200, 7


@dataclass
class OpenForm:
    """A form that somebody opened, what its limit showed, and what they will enter there."""

    facts: Facts
    form: Form
    shown: Decimal | None


class Deciding(States):
    def __init__(self) -> None:
        super().__init__()
        self.open_forms: list[OpenForm] = []

    @rule(data=st.data())
    def edit_a_brand(self, data: st.DataObject) -> None:
        brand = self.brand(data)
        changes = self.some_of(data, self.brand_changes(data, brand))
        form = self.shown(brand) | {name: entered(value) for name, value in changes.items()}
        if changes.get("timezone", brand.timezone) != brand.timezone:
            self.assert_answer(brand, form, SHOWN_AGAIN)  # with what it would do, which changes nothing
            form[CONFIRMED] = changes["timezone"]
        self.world.save(brand.campaigns, lambda: assign(brand, changes), brand)
        self.assert_answer(brand, form, SAVED)
        self.assert_nothing_left_to_do(brand.campaigns)

    @rule(data=st.data())
    def edit_a_campaign(self, data: st.DataObject) -> None:
        """Its limit, its dates, its switch, its windows: all in one form."""
        campaign = self.campaign(data)
        changes = self.some_of(data, self.campaign_changes(data, campaign))
        form = self.shown(campaign) | {name: entered(value) for name, value in changes.items()}
        windows = self.edit_windows(data, campaign, form)
        refused = ends_before_it_starts(campaign, changes)

        def change() -> None:
            if not refused:
                assign(campaign, changes)
                campaign.windows = windows

        self.save_or_be_refused(campaign, form, change, refused=refused)

    @precondition(lambda self: self.can_move)
    @rule(data=st.data())
    def move_a_campaign(self, data: st.DataObject) -> None:
        """One that has no spend, or none any more, goes to another brand (R14)."""
        campaign = data.draw(st.sampled_from(self.can_move))
        old, new = self.world.brand_of(campaign), self.brand(data)
        form = self.shown(campaign) | {"brand": str(new.pk)}

        def change() -> None:
            old.campaigns.remove(campaign)
            new.campaigns.append(campaign)

        self.world.save([campaign], change, *{old, new})
        self.assert_answer(campaign, form, SAVED)
        self.assert_nothing_left_to_do([campaign])

    @property
    def can_move(self) -> list[CampaignFacts]:
        """Campaigns without records that aren't the only one of their brand."""
        return [one for brand, one in self.world.pairs if not one.records and len(brand.campaigns) > 1]

    @precondition(lambda self: len(self.world.pairs) < MOST_CAMPAIGNS)
    @rule(data=st.data())
    def add_a_campaign(self, data: st.DataObject) -> None:
        brand = self.brand(data)
        name, campaign = self.world.new_name(), CampaignFacts()
        changes = self.some_of(data, self.campaign_changes(data, campaign, brand))
        if ends_before_it_starts(campaign, changes):
            del changes["ends_on"]
        with self.clock():
            address = reverse("admin:campaigns_campaign_add")
            form = open_form(self.person, address, "campaign_form") | {"brand": str(brand.pk), "name": name}
            answer = self.person.post(address, form | {name: entered(value) for name, value in changes.items()})
        self.same.assertEqual(answer.status_code, SAVED)
        assign(campaign, changes | {"pk": Campaign.objects.get(name=name).pk})
        self.world.save([campaign], lambda: self.world.know_campaign(brand, campaign), brand)

    @rule(data=st.data(), on=st.booleans(), of_brands=st.booleans())
    def switch_in_a_list(self, data: st.DataObject, on: bool, of_brands: bool) -> None:
        (self.switch_brands if of_brands else self.switch_campaigns)(data, on)

    def switch_brands(self, data: st.DataObject, on: bool) -> None:
        """Those that are so already are left alone, and so are their campaigns."""
        brands = data.draw(st.lists(st.sampled_from(self.world.brands), min_size=1, unique=True))
        switched = [brand for brand in brands if brand.enabled != on]
        campaigns = [campaign for brand in switched for campaign in brand.campaigns]
        self.world.save(campaigns, lambda: assign_all(switched, {"enabled": on}), *switched)
        self.act(Brand, brands, on)

    def switch_campaigns(self, data: st.DataObject, on: bool) -> None:
        every = [campaign for _, campaign in self.world.pairs]
        campaigns = data.draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
        switched = [campaign for campaign in campaigns if campaign.enabled != on]
        brands = {self.world.brand_of(campaign) for campaign in switched}
        self.world.save(switched, lambda: assign_all(switched, {"enabled": on}), *brands)
        self.act(Campaign, campaigns, on)

    @precondition(lambda self: len(self.open_forms) < 2)
    @rule(data=st.data(), of_brand=st.booleans())
    def open_a_form(self, data: st.DataObject, of_brand: bool) -> None:
        """Somebody is going to save it, perhaps days later."""
        facts: Facts = self.brand(data) if of_brand else self.campaign(data)
        self.open_forms.append(OpenForm(facts, self.shown(facts), getattr(facts, limit_of(facts))))

    @precondition(lambda self: self.open_forms)
    @rule(data=st.data())
    def save_a_form_that_is_open(self, data: st.DataObject) -> None:
        """R5: it writes what its user changed; what somebody else changed meanwhile is refused, not overwritten."""
        opened = self.open_forms.pop(0)
        facts, name = opened.facts, limit_of(opened.facts)
        if isinstance(facts, CampaignFacts) and facts.pk not in self.world.stored:
            return  # somebody has deleted it
        value, there = data.draw(self.limits(facts)), getattr(facts, name)
        refused = value != opened.shown and there not in (opened.shown, value)

        def change() -> None:
            if value != opened.shown and not refused:
                assign(facts, {name: value})

        self.save_or_be_refused(facts, opened.form | {name: entered(value)}, change, refused=refused)

    @rule(data=st.data(), of_brand=st.booleans())
    def change_by_sql(self, data: st.DataObject, of_brand: bool) -> None:
        """It takes effect at the next check."""
        (self.change_a_brand_by_sql if of_brand else self.change_a_campaign_by_sql)(data)

    def change_a_brand_by_sql(self, data: st.DataObject) -> None:
        brand = self.brand(data)
        changes = self.some_of(data, self.brand_changes(data, brand))
        self.world.waiting.add(brand.pk)
        Brand.objects.filter(pk=brand.pk).update(**changes)
        assign(brand, changes)

    def change_a_campaign_by_sql(self, data: st.DataObject) -> None:
        campaign = self.campaign(data)
        self.world.waiting.add(self.world.brand_of(campaign).pk)
        changes = self.some_of(data, self.campaign_changes(data, campaign))
        if not ends_before_it_starts(campaign, changes):
            Campaign.objects.filter(pk=campaign.pk).update(**changes)
            assign(campaign, changes)
        window = data.draw(windows_near(self.world.brand_of(campaign).wall(self.world.now)))
        store_windows(campaign, [window])
        campaign.windows = [window]

    def save_or_be_refused(self, facts: Facts, form: Form, change: Callable[[], None], *, refused: bool) -> None:
        brand = facts if isinstance(facts, BrandFacts) else self.world.brand_of(facts)
        if refused:
            self.world.books[brand.pk].close(self.world.now)
            self.assert_answer(facts, form, SHOWN_AGAIN)
            return
        touched = [facts] if isinstance(facts, CampaignFacts) else brand.campaigns
        self.world.save(touched, change, brand)
        self.assert_answer(facts, form, SAVED)
        self.assert_nothing_left_to_do(touched)

    def assert_answer(self, facts: Facts, form: Form, status: int) -> None:
        """Post the form without those fields that a browser doesn't send: boxes that aren't checked."""
        with self.clock():
            answer = self.person.post(address_of(facts), {name: value for name, value in form.items() if value != []})
        told = str(answer.context["errors"]) if status == SAVED and answer.context else ""
        self.same.assertEqual(answer.status_code, status, told)

    def shown(self, facts: Facts) -> Form:
        with self.clock():
            return open_form(self.person, address_of(facts), f"{kind_of(facts)}_form")

    def act(self, model: type[Brand] | type[Campaign], rows: Sequence[Facts], on: bool) -> None:
        with self.clock():
            preview = self.person.post(
                reverse(f"admin:campaigns_{model._meta.model_name}_changelist"),
                {"action": "switch_on" if on else "switch_off", "_selected_action": [row.pk for row in rows]},
            )
            answer = confirm(self.person, preview)
        self.same.assertEqual(answer.status_code, 200)

    def edit_windows(self, data: st.DataObject, campaign: CampaignFacts, form: Form) -> list[Window]:
        """Perhaps take away a window in the form, change one, and add one; return those that there will be."""
        what = data.draw(st.sampled_from(["nothing", "delete", "change", "add", "add"]))
        windows = [window_in(form, index) for index in range(int(form["windows-TOTAL_FORMS"][0]))]
        if what == "nothing" or (what != "add" and not windows):
            return windows
        window = data.draw(windows_near(self.world.brand_of(campaign).wall(self.world.now)))
        if what == "add":
            add_window(form, window.day_bits, f"{window.start:%H:%M}", f"{window.end:%H:%M}")
            return [*windows, window]
        index = data.draw(st.integers(0, len(windows) - 1))
        if what == "delete":
            form[f"windows-{index}-DELETE"] = "on"
            return windows[:index] + windows[index + 1 :]
        form[f"windows-{index}-days_of_week"] = [str(day) for day in window.day_bits]
        form[f"windows-{index}-start_time"] = f"{window.start:%H:%M}"
        form[f"windows-{index}-end_time"] = f"{window.end:%H:%M}"
        return [*windows[:index], window, *windows[index + 1 :]]

    def brand(self, data: st.DataObject) -> BrandFacts:
        return data.draw(st.sampled_from(self.world.brands))

    def brand_changes(self, data: st.DataObject, brand: BrandFacts) -> dict[str, st.SearchStrategy[Any]]:
        spent = spends(brand, brand.campaigns[0], self.world.now)
        return {
            "daily_budget": limits_near(spent.brand_today),
            "monthly_budget": limits_near(spent.brand_this_month),
            "enabled": st.sampled_from([True, True, False]),
            "timezone": st.sampled_from(ZONES),
        }

    def campaign_changes(
        self, data: st.DataObject, campaign: CampaignFacts, brand: BrandFacts | None = None
    ) -> dict[str, st.SearchStrategy[Any]]:
        brand = brand or self.world.brand_of(campaign)
        today = brand.wall(self.world.now).date()
        dates = st.none() | st.sampled_from([today + days * DAY for days in (-1, 0, 1, 2)])
        return {
            "daily_spend_limit": limits_near(spends(brand, campaign, self.world.now).campaign_today),
            "enabled": st.sampled_from([True, True, False]),
            "starts_on": dates,
            "ends_on": dates,
        }

    def limits(self, facts: Facts) -> st.SearchStrategy[Decimal | None]:
        brand = facts if isinstance(facts, BrandFacts) else self.world.brand_of(facts)
        campaign = facts if isinstance(facts, CampaignFacts) else brand.campaigns[0]
        spent = spends(brand, campaign, self.world.now)
        return limits_near(spent.campaign_today if facts is campaign else spent.brand_today)

    def some_of(self, data: st.DataObject, strategies: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
        names = data.draw(st.lists(st.sampled_from(sorted(strategies)), min_size=1, max_size=3, unique=True))
        return {name: data.draw(strategies[name], label=name) for name in names}


def kind_of(facts: Facts) -> str:
    return "brand" if isinstance(facts, BrandFacts) else "campaign"


def limit_of(facts: Facts) -> str:
    return "daily_budget" if isinstance(facts, BrandFacts) else "daily_spend_limit"


def address_of(facts: Facts) -> str:
    return reverse(f"admin:campaigns_{kind_of(facts)}_change", args=[facts.pk])


def assign(facts: Facts, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(facts, name, value)


def assign_all(rows: Iterable[Facts], changes: dict[str, Any]) -> None:
    for facts in rows:
        assign(facts, changes)


def entered(value: Any) -> Any:
    """Return what a person enters for a value; a box that isn't checked is no value at all."""
    if isinstance(value, bool):
        return ["on"] if value else []
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else str(value)


def ends_before_it_starts(campaign: CampaignFacts, changes: dict[str, Any]) -> bool:
    first, last = (changes.get(name, getattr(campaign, name)) for name in ("starts_on", "ends_on"))
    return bool(first and last and last < first)


def window_in(form: Form, index: int) -> Window:
    """Return the window that a row of the form shows."""
    start, end = (time.fromisoformat(form[f"windows-{index}-{side}_time"][0]) for side in ("start", "end"))
    return Window(sum(map(int, form[f"windows-{index}-days_of_week"])), start, end)
