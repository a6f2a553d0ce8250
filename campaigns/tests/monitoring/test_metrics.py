"""/metrics: right values from the database, no customer's name, and only for those who may read it."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, SimpleTestCase, override_settings
from django.utils import timezone
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from budget_manager import monitoring
from budget_manager.launcher.broker import private_broker
from campaigns.models import (
    Alert,
    AlertEmail,
    AlertRule,
    Brand,
    Campaign,
    CheckShard,
    Heartbeat,
    JobRun,
    SpendTotal,
    SpendUpload,
    StatusChange,
    Waiting,
)
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs.schedule import JOBS
from campaigns.services.metrics.table import METRICS
from campaigns.tests.jobs.test_health_probes import broker_at, database_at, database_settings, nobody_listens
from campaigns.tests.monitoring.scraping import families, samples
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.outside import POSTGRESQL, open_client

TOKEN = "a-token-of-more-than-sixteen-characters"


@override_settings(METRICS_TOKEN=TOKEN)
class MetricsTestCase(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = timezone.now()
        for job in JOBS:
            JobRun.objects.create(
                name=job.run_name, started_at=self.now - timedelta(seconds=2.5), succeeded_at=self.now
            )
        for kind in Heartbeat.Kind.values:
            Heartbeat.objects.create(kind=kind, name="host-of-ours", seen_at=self.now)

    def scrape(self, **headers: str) -> str:
        response = self.client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"} | headers)
        self.assertEqual(response.status_code, 200, response.content)
        return response.content.decode()

    def values(self, name: str) -> dict[str, float]:
        return samples(self.scrape()).get(f"budget_manager_{name}", {})


class Values(MetricsTestCase):
    def test_what_waits_to_be_booked_or_sent_and_what_is_open_is_counted(self) -> None:
        rule = AlertRule.objects.create(kind="drift", threshold=0)
        for number, resolved_at in enumerate((None, None, self.now)):
            subject, times = f"link {number}", {"opened_at": self.now, "resolved_at": resolved_at}
            Alert.objects.create(rule=rule, kind="drift", subject=subject, threshold=0, **times)
        key = {"source": "meta_ads", "account": "1", "day": self.now.date(), "total": 5}
        for campaign in ("1", "2"):
            SpendTotal.objects.create(**key, campaign=campaign, waiting=Waiting.UNLINKED)
        user = User.objects.create_user("anna", email="anna@example.com")
        for state in (AlertEmail.State.WAITING, AlertEmail.State.SENT):
            times = {"written_at": self.now, "next_attempt_at": self.now}
            AlertEmail.objects.create(person=user, state=state, message_id=f"<{state}@example.com>", **times)
        self.assertEqual(self.values("open_alerts")["drift"], 2)
        self.assertEqual(self.values("open_alerts")["silent"], 0)
        self.assertEqual(self.values("waiting_totals")["unlinked"], 2)
        self.assertEqual(self.values("waiting_totals")["held"], 0)
        self.assertEqual(self.values("waiting_alert_emails"), {"": 1})
        self.assertEqual(self.values("waiting_deliveries"), {"": 0})

    def test_campaigns_are_counted_by_status_and_by_each_reason(self) -> None:
        brand = make_brand()
        for reasons in (
            PauseReason(0),
            PauseReason(0),
            PauseReason.ENDED,
            PauseReason.ENDED | PauseReason.BRAND_DAILY_BUDGET,
        ):
            Campaign.objects.filter(pk=make_campaign(brand).pk).update(pause_reasons=reasons)
        Campaign.objects.filter(pk=make_campaign(brand).pk).update(enabled=False, archived_at=self.now)
        archived = make_campaign(make_brand())
        Brand.objects.filter(pk=archived.brand_id).update(enabled=False, archived_at=self.now)
        self.assertEqual(self.values("campaigns"), {"active": 2, "paused": 2, "archived": 2})
        by_reason = self.values("paused_campaigns")
        self.assertEqual(
            {name: count for name, count in by_reason.items() if count}, {"ended": 2, "brand_daily_budget": 1}
        )
        self.assertEqual(list(by_reason), [str(reason.name).lower() for reason in PauseReason])

    def test_brands_are_counted_by_state(self) -> None:
        make_brand()
        make_brand(enabled=False)
        self.assertEqual(self.values("brands"), {"on": 1, "off": 1, "archived": 0})

    def test_spend_is_counted_and_dated(self) -> None:
        self.assertEqual(self.values("last_spend_record_timestamp_seconds"), {})
        self.assertEqual(self.values("oldest_pending_spend_timestamp_seconds"), {})
        campaign = make_campaign()
        before = self.values("spend_records_total")[""]
        spend(campaign, 1)
        spend(campaign, 2)
        text = self.scrape()
        found = samples(text)
        for name in ("last_spend_record_timestamp_seconds", "oldest_pending_spend_timestamp_seconds"):
            self.assertLess(abs(found[f"budget_manager_{name}"][""] - time.time()), 60, name)
        self.assertEqual(found["budget_manager_pending_spend_rows"], {"": 2})
        self.assertGreaterEqual(found["budget_manager_spend_records_total"][""], before + 2)
        self.assertEqual(families(text)["budget_manager_spend_records_total"], "counter")

    def test_status_changes_are_counted(self) -> None:
        change = StatusChange.objects.create(
            campaign=make_campaign(),
            at=self.now,
            reasons_before=0,
            reasons_after=8,
            actor="x",
            campaign_spend=0,
            brand_day_spend=0,
            brand_month_spend=0,
        )
        self.assertEqual(self.values("status_changes_total"), {"": change.pk})

    def test_jobs_have_success_duration_and_lateness(self) -> None:
        late = self.now - timedelta(hours=1)
        JobRun.objects.filter(name="check_budgets").update(succeeded_at=late, problem="A customer of ours")
        found = samples(self.scrape())
        success = found["budget_manager_job_last_success_timestamp_seconds"]
        self.assertAlmostEqual(success["check_budgets"], late.timestamp(), places=3)
        self.assertEqual(found["budget_manager_job_late"], dict.fromkeys(success, 0) | {"check_budgets": 1})
        self.assertEqual(found["budget_manager_job_unfinished"], dict.fromkeys(success, 0) | {"check_budgets": 1})
        self.assertEqual(found["budget_manager_health_problems"], {"": 1})
        durations = found["budget_manager_job_last_duration_seconds"]
        self.assertEqual(durations["quick_check"], 2.5)
        self.assertNotIn("check_budgets", durations)  # its last run started after its last success

    def test_processes_uploads_and_shards_are_counted(self) -> None:
        Heartbeat.objects.filter(kind="worker").update(seen_at=self.now - timedelta(hours=1))
        SpendUpload.objects.create(who="x", name="x.csv", size=1, state="failed", created_at=self.now)
        CheckShard.objects.create(check_id="0" * 32, job="check_budgets", number=0, of=2, begun_at=self.now)
        found = samples(self.scrape())
        self.assertEqual(found["budget_manager_processes"], {"beat": 1, "worker": 0})
        self.assertEqual(found["budget_manager_unfinished_check_shards"], {"": 1})
        self.assertEqual(found["budget_manager_spend_uploads"]["failed"], 1)
        self.assertEqual(found["budget_manager_spend_uploads"]["done"], 0)

    def test_the_database_has_a_size(self) -> None:
        self.assertGreater(self.values("database_size_bytes")[""], 100_000)

    def test_the_broker_is_up_or_down(self) -> None:
        with private_broker() as url, override_settings(REDIS_URL=url):
            self.assertEqual(self.values("broker_up"), {"": 1})
        with nobody_listens() as port, broker_at(port):
            self.assertEqual(self.values("broker_up"), {"": 0})


class Form(MetricsTestCase):
    def test_each_metric_of_the_table_is_shown_with_a_prefix_and_help(self) -> None:
        shown = families(self.scrape())
        for metric in METRICS:
            self.assertIn(f"budget_manager_{metric.name}", shown)
            self.assertTrue(metric.help.endswith("."), metric.name)
            self.assertEqual(metric.is_counter, metric.name.endswith("_total"), metric.name)
        for name in shown:
            self.assertRegex(name, r"^budget_manager_[a-z_]+$")

    def test_it_speaks_openmetrics_if_asked(self) -> None:
        plain = self.client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        self.assertEqual(plain["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        accept = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3"
        response = self.client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}", "accept": accept})
        self.assertTrue(response["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"))
        text = response.content.decode()
        self.assertTrue(text.endswith("# EOF\n"))
        parsed = list(parse_openmetrics(text))  # type: ignore[no-untyped-call]
        self.assertGreater(len(parsed), len(METRICS))

    def test_no_name_or_host_is_shown(self) -> None:
        spend(make_campaign(make_brand(name="Customer Inc"), name="Secret launch"), 1)
        JobRun.objects.update(problem="Another transaction locks the brand “Customer Inc”", summary="Customer Inc")
        text = self.scrape()
        for word in ("Customer", "Secret", "host-of-ours", TOKEN):
            self.assertNotIn(word, text)
        labels = set(re.findall(r'(\w+)="', text))
        # Without job and instance, which Prometheus would rename to exported_job and exported_instance.
        self.assertEqual(labels, {"status", "reason", "state", "task", "kind", "collector", "version"})

    def test_a_scrape_takes_few_statements_on_connections_of_its_own(self) -> None:
        debug = override_settings(DEBUG=True)  # which logs statements
        with self.assertNumQueries(0), debug, self.assertLogs("django.db.backends", "DEBUG") as logged:
            self.scrape()
        statements = [record.getMessage().partition(") ")[2] for record in logged.records]
        selects = [text for text in statements if text.startswith(("SELECT", "\nSELECT")) and "set_config" not in text]
        self.assertEqual(len(selects), 8, selects)  # and one for the clock of the database, which tests replace


class Failures(MetricsTestCase):
    def test_without_a_database_the_scrape_says_so(self) -> None:
        with nobody_listens() as port, database_settings(**database_at(port)), self.assertLogs(level="WARNING"):
            found = samples(self.scrape())
        self.assertEqual(found["budget_manager_scrape_collector_success"], {"tables": 0, "jobs": 0, "campaigns": 0})
        self.assertNotIn("budget_manager_campaigns", found)
        self.assertIn("budget_manager_broker_up", found)

    if POSTGRESQL:

        def test_a_locked_table_takes_no_other_metrics_with_it(self) -> None:
            with open_client() as outside, self.assertLogs(level="WARNING") as told:
                outside.execute("BEGIN")
                outside.execute("LOCK TABLE campaigns_campaign")
                began = time.monotonic()
                found = samples(self.scrape())
                self.assertLess(time.monotonic() - began, 10)
                outside.execute("ROLLBACK")
            self.assertEqual(found["budget_manager_scrape_collector_success"], {"tables": 1, "jobs": 1, "campaigns": 0})
            self.assertIn("statement timeout", str(told.output))
            self.assertIn("budget_manager_brands", found)


class Access(CommittedTestCase):
    def status(self, method: str = "get", *, remote: str = "203.0.113.9", **headers: str) -> int:
        response = getattr(Client(REMOTE_ADDR=remote), method)("/metrics", headers=headers)
        self.assertEqual(response["Cache-Control"], "no-store")
        return int(response.status_code)

    def test_it_is_closed_unless_it_is_set_up(self) -> None:
        self.assertEqual(self.status(), 404)
        self.assertEqual(self.status(authorization="Bearer "), 404)
        with override_settings(DEBUG=True):
            self.assertEqual(self.status(), 200)

    @override_settings(METRICS_TOKEN=TOKEN)
    def test_the_token_opens_it(self) -> None:
        self.assertEqual(self.status(authorization=f"Bearer {TOKEN}"), 200)
        self.assertEqual(self.status(authorization=f"bearer {TOKEN}"), 200)
        for wrong in ("", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", "Bearer é"):
            with self.subTest(wrong):
                self.assertEqual(self.status(authorization=wrong), 403)
        with override_settings(DEBUG=True):
            self.assertEqual(self.status(), 403)

    @override_settings(METRICS_ALLOW=[ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"), ip_network("2001:db8::1")])
    def test_an_allowed_network_opens_it(self) -> None:
        for remote in ("127.0.0.1", "10.9.8.7", "::ffff:10.1.1.1", "2001:db8::1"):
            self.assertEqual(self.status(remote=remote), 200, remote)
        for remote in ("127.0.0.2", "11.0.0.1", "2001:db8::2", ""):
            self.assertEqual(self.status(remote=remote), 403, remote)
        self.assertEqual(self.status(authorization="Bearer "), 403)

    @override_settings(METRICS_ALLOW=[ip_network("127.0.0.1/32")])
    def test_a_proxy_on_this_machine_opens_it_for_nobody(self) -> None:
        for name in ("x-forwarded-for", "forwarded", "x-real-ip", "via"):
            self.assertEqual(self.status(remote="127.0.0.1", **{name: "127.0.0.1"}), 403, name)
        with override_settings(BEHIND_PROXY=True):
            through_proxy: dict[str, Any] = {"remote": "127.0.0.1", "x-forwarded-for": "127.0.0.1, 203.0.113.9"}
            self.assertEqual(self.status(**through_proxy), 403)
            through_proxy["x-forwarded-for"] = "203.0.113.9, 127.0.0.1"
            self.assertEqual(self.status(**through_proxy), 200)

    @override_settings(METRICS_ALLOW=[ip_network("127.0.0.1/32")], SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=[])
    def test_it_answers_get_and_head_whatever_the_host_and_without_https(self) -> None:
        self.assertEqual(self.status(remote="127.0.0.1", host="10.1.2.3:8000"), 200)
        self.assertEqual(self.status("head", remote="127.0.0.1"), 200)
        self.assertEqual(self.status("post", remote="127.0.0.1"), 405)


class Settings(SimpleTestCase):
    def test_networks_are_addresses_or_networks(self) -> None:
        with patch.dict("os.environ", METRICS_ALLOW="127.0.0.1, 10.0.0.0/8,::1/128"):
            self.assertEqual(
                [str(each) for each in monitoring.metrics_allow()], ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]
            )
        for wrong in ("10.0.0.1/8", "localhost", "10.0.0.0/33", "*"):
            with (
                patch.dict("os.environ", METRICS_ALLOW=wrong),
                self.assertRaisesMessage(ImproperlyConfigured, f"METRICS_ALLOW: {wrong} isn't a network"),
            ):
                monitoring.metrics_allow()

    def test_a_token_is_long_and_not_shown(self) -> None:
        with patch.dict("os.environ", METRICS_TOKEN="x" * 16):
            self.assertEqual(monitoring.metrics_token(), "x" * 16)
        for wrong in ("short-secret", "x" * 16 + "é", "secret secret secret"):
            with patch.dict("os.environ", METRICS_TOKEN=wrong), self.assertRaises(ImproperlyConfigured) as refusal:
                monitoring.metrics_token()
            self.assertNotIn(wrong, str(refusal.exception))
