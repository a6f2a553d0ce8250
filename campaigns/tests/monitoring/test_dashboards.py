"""docs/grafana and docs/prometheus use the metrics, labels and label values that a scrape exports, and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

from django.test import override_settings

from campaigns.tests.monitoring.scraping import families
from campaigns.tests.monitoring.test_metrics import TOKEN, MetricsTestCase
from campaigns.tests.support.factories import make_campaign, spend
from campaigns.tests.support.processes import BASE_DIR

DOCS = BASE_DIR / "docs"
DASHBOARD = DOCS / "grafana" / "budget_manager.json"
ALERTS = DOCS / "prometheus" / "alerts.yml"
NAME = re.compile(r"\bbudget_manager_\w+")
SELECTOR = re.compile(r'(budget_manager_\w+)\{(\w+)="([^"]*)"\}')
BY = re.compile(r"by \((\w+)\) \((?:rate\()?(budget_manager_\w+)")


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return read


def expressions_of_dashboard() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]


def expressions_of_alerts() -> list[str]:
    return re.findall(r"^ +expr: (.+)$", ALERTS.read_text(), re.MULTILINE)


@override_settings(METRICS_TOKEN=TOKEN)
class Dashboards(MetricsTestCase):
    def setUp(self) -> None:
        super().setUp()
        spend(make_campaign(), 1)
        self.text = self.scrape()

    def test_the_dashboard_shows_exactly_what_is_exported(self) -> None:
        used = {name for expression in expressions_of_dashboard() for name in NAME.findall(expression)}
        self.assertEqual(used, set(families(self.text)))

    def test_alerts_use_what_is_exported(self) -> None:
        used = {name for expression in expressions_of_alerts() for name in NAME.findall(expression)}
        self.assertGreater(len(used), 8)
        self.assertLessEqual(used, set(families(self.text)))

    def test_selectors_name_labels_and_values_that_there_are(self) -> None:
        expressions = expressions_of_dashboard() + expressions_of_alerts()
        selected = [found for expression in expressions for found in SELECTOR.findall(expression)]
        self.assertGreater(len(selected), 5)
        for name, label, value in selected:
            self.assertIn(f'{name}{{{label}="{value}"}}', self.text)
        for expression in expressions:
            for label, name in BY.findall(expression):
                self.assertIn(f"{name}{{{label}=", self.text)
            self.assertEqual(expression.count("("), expression.count(")"), expression)

    def test_counters_are_shown_as_rates_and_nothing_else_is(self) -> None:
        kinds = families(self.text)
        for expression in expressions_of_dashboard() + expressions_of_alerts():
            for name in NAME.findall(expression):
                self.assertEqual("rate(" in expression, kinds[name] == "counter", expression)

    def test_each_panel_has_a_place_a_title_and_a_description(self) -> None:
        panels = dashboard()["panels"]
        places = set()
        for panel in panels:
            place = panel["gridPos"]
            places |= {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
            self.assertTrue(panel["title"])
            self.assertTrue(panel["type"] == "row" or panel["description"], panel["title"])
        area = sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels)
        self.assertEqual(len(places), area, "Panels overlap.")
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))

    def test_each_alert_has_a_severity_and_a_summary(self) -> None:
        rules = ALERTS.read_text().split("- alert: ")[1:]
        self.assertEqual(len(rules), len(expressions_of_alerts()))
        for rule in rules:
            self.assertRegex(rule, r"^BudgetManager\w+\n")
            self.assertRegex(rule, r"labels: \{severity: (critical|warning|info)\}")
            self.assertRegex(rule, r"\n +summary: .+")
