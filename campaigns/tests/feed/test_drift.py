"""Rule R18: what was applied and seen on the platforms, and when that contradicts a pause."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.test import TestCase, override_settings

from campaigns.models import AppliedStatus, Campaign, FeedBatch, StatusChange
from campaigns.services.feed.applied import Report, report_applied
from campaigns.services.feed.drift import Drift, DriftKind, drift_warning, find_drift
from campaigns.services.feed.publish import last_position
from campaigns.tests.feed.links import ACTIVE, PAUSED, acknowledge, key_of, make_link, see
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.factories import make_campaign, utc

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
HOUR = timedelta(hours=1)
NOON = utc("2026-11-20 12:00")


class DriftTestCase(TestCase):
    def setUp(self) -> None:
        self.campaign = make_campaign()
        self.link = make_link(self.campaign)
        self.start = last_position()

    def switch(self, *, on: bool) -> int:
        """Pause or resume the campaign, and return the position of the change."""
        Campaign.objects.filter(pk=self.campaign.pk).update(enabled=on)
        enforce_at(NOON)
        self.changed_at = StatusChange.objects.latest("pk").recorded_at
        return last_position()

    def kinds(self, after: timedelta) -> list[DriftKind]:
        """Return the drift at a time after the last change."""
        return [drift.kind for drift in self.drift(after)]

    def drift(self, after: timedelta) -> list[Drift]:
        return find_drift(now=self.changed_at + after)

    def ack(self, change: int, paused: bool, after: timedelta, clock: timedelta = timedelta(0), **options: str) -> None:
        """Acknowledge so long after the last change; the connector's clock is ahead of ours by so much."""
        received = self.changed_at + after
        status = PAUSED if paused else ACTIVE
        self.assertEqual(acknowledge(self.link, change, status, received + clock, received=received, **options), [])

    def see(self, paused: bool, after: timedelta, clock: timedelta = timedelta(0)) -> None:
        received = self.changed_at + after
        self.assertEqual(see(self.link, PAUSED if paused else ACTIVE, received + clock, received=received), [])


class LatePauses(DriftTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.changed_at = NOON
        self.ack(self.start, paused=False, after=SECOND)

    def test_a_pause_that_is_not_acknowledged_in_time_is_drift(self) -> None:
        self.switch(on=False)
        self.assertEqual(self.kinds(5 * MINUTE - SECOND), [])
        ((found),) = self.drift(5 * MINUTE + SECOND)
        self.assertEqual(
            found,
            Drift(self.link.pk, self.campaign.pk, self.campaign.brand_id, DriftKind.LATE, self.changed_at, ""),
        )

    def test_monitoring_is_warned_without_names(self) -> None:
        self.switch(on=False)
        self.assertEqual(drift_warning(now=self.changed_at + 5 * MINUTE - SECOND), "")
        warning = drift_warning(now=self.changed_at + 5 * MINUTE + SECOND)
        self.assertEqual(warning, "Platforms don’t follow pauses of campaigns, 1 in all: home and Alerts say which.")

    @override_settings(DRIFT_MINUTES=60)
    def test_the_time_is_a_setting(self) -> None:
        self.switch(on=False)
        self.assertEqual(self.kinds(60 * MINUTE - SECOND), [])
        self.assertEqual(self.kinds(61 * MINUTE), [DriftKind.LATE])

    def test_an_acknowledged_pause_is_none(self) -> None:
        change = self.switch(on=False)
        self.ack(change, paused=True, after=30 * SECOND)
        self.assertEqual(self.kinds(HOUR), [])

    def test_a_late_acknowledgement_ends_it(self) -> None:
        change = self.switch(on=False)
        self.assertEqual(self.kinds(HOUR), [DriftKind.LATE])
        self.ack(change, paused=True, after=2 * HOUR)
        self.assertEqual(self.kinds(2 * HOUR), [])

    def test_a_resumed_campaign_has_none(self) -> None:
        self.switch(on=False)
        self.switch(on=True)
        self.assertEqual(self.kinds(HOUR), [])

    def test_the_acknowledgement_of_an_earlier_pause_does_not_count(self) -> None:
        self.ack(self.switch(on=False), paused=True, after=SECOND)
        self.switch(on=True)  # the connector resumes it, and its acknowledgement is lost
        self.switch(on=False)
        self.assertEqual(self.kinds(4 * MINUTE), [])
        self.assertEqual(self.kinds(6 * MINUTE), [DriftKind.LATE])

    def test_an_acknowledgement_that_comes_late_is_not_taken_for_a_newer_one(self) -> None:
        resumed, paused = self.switch(on=False), self.switch(on=True)
        paused = self.switch(on=False)
        self.ack(paused, paused=True, after=SECOND)
        self.ack(resumed, paused=False, after=2 * SECOND)
        self.assertEqual(AppliedStatus.objects.get().applied_status, "paused")
        self.assertEqual(self.kinds(HOUR), [])

    def test_an_applied_pause_is_judged_without_its_position(self) -> None:
        """The acknowledgement keeps the line that began the pause; while that is the latest, history isn't read."""
        self.ack(self.switch(on=False), paused=True, after=SECOND)
        line = StatusChange.objects.latest("pk")
        self.assertEqual(AppliedStatus.objects.get().applied_line, line.pk)
        FeedBatch.objects.update(first_position=None)
        self.assertEqual(self.kinds(HOUR), [])
        self.switch(on=True)
        self.switch(on=False)
        self.assertEqual(self.kinds(HOUR), [DriftKind.LATE])

    def test_an_acknowledgement_of_less_keeps_no_line(self) -> None:
        self.ack(self.switch(on=False), paused=True, after=SECOND)
        resumed = self.switch(on=True)
        self.switch(on=False)
        self.ack(resumed, paused=True, after=2 * SECOND)
        self.assertIsNone(AppliedStatus.objects.get().applied_line)

    def test_a_pause_that_could_not_be_applied_says_why(self) -> None:
        change = self.switch(on=False)
        self.ack(change, paused=True, after=SECOND, problem="The token has expired.")
        self.assertEqual(self.kinds(MINUTE), [])
        (found,) = self.drift(6 * MINUTE)
        self.assertEqual((found.kind, found.problem), (DriftKind.LATE, "The token has expired."))
        self.ack(change, paused=True, after=7 * MINUTE)
        self.assertEqual(self.kinds(7 * MINUTE), [])
        self.assertEqual(AppliedStatus.objects.get().problem, "")

    def test_reasons_that_change_meanwhile_begin_no_new_pause(self) -> None:
        change = self.switch(on=False)
        self.ack(change, paused=True, after=SECOND)
        Campaign.objects.update(starts_on="2027-01-01")
        enforce_at(NOON)
        self.assertEqual(StatusChange.objects.count(), 2)
        self.assertEqual(self.kinds(HOUR), [])

    def test_the_connectors_clock_decides_nothing(self) -> None:
        for ahead in (-HOUR, HOUR):
            change = self.switch(on=False)
            self.ack(change, paused=True, after=SECOND, clock=ahead)
            self.assertEqual(self.kinds(HOUR), [])
            self.switch(on=True)
            self.ack(self.switch(on=False) - 1, paused=False, after=SECOND, clock=ahead)
            self.assertEqual(self.kinds(4 * MINUTE), [])
            self.assertEqual(self.kinds(6 * MINUTE), [DriftKind.LATE])
            self.switch(on=True)

    def test_an_unpublished_pause_is_late_too(self) -> None:
        """Nobody publishes while nobody asks; a connector that doesn't ask is what this is about."""
        Campaign.objects.update(enabled=False)
        enforce_at(NOON)
        self.changed_at = StatusChange.objects.latest("pk").recorded_at
        self.assertTrue(FeedBatch.objects.filter(first_position=None).exists())
        AppliedStatus.objects.update(applied_status="paused")
        self.assertEqual(self.kinds(6 * MINUTE), [DriftKind.LATE])

    def test_a_pause_of_an_older_version_counts_with_any_acknowledgement(self) -> None:
        change = self.switch(on=False)
        self.ack(change, paused=True, after=SECOND)
        FeedBatch.objects.all().delete()
        self.assertEqual(self.kinds(HOUR), [])

    def test_it_can_be_asked_of_campaigns_and_brands(self) -> None:
        self.switch(on=False)
        now, other = self.changed_at + HOUR, make_campaign()
        for found, options in (
            (1, {"campaigns": [self.campaign.pk]}),
            (0, {"campaigns": [other.pk]}),
            (1, {"brands": [self.campaign.brand_id]}),
            (0, {"brands": [other.brand_id]}),
            (0, {"brands": []}),
            (0, {"most": 0}),
        ):
            with self.subTest(options):
                self.assertEqual(len(find_drift(now=now, **options)), found)


class OnlyAcknowledgedLinks(DriftTestCase):
    def test_a_link_that_was_never_acknowledged_does_not_drift(self) -> None:
        self.switch(on=False)
        self.assertEqual(self.kinds(HOUR), [])
        for seconds in (1, 2, 3):
            self.see(paused=False, after=seconds * SECOND)
        self.assertEqual(self.kinds(HOUR), [])

    def test_a_problem_is_no_acknowledgement(self) -> None:
        change = self.switch(on=False)
        self.ack(change, paused=True, after=SECOND, problem="no rights")
        self.assertEqual(self.kinds(HOUR), [])

    def test_a_link_that_moves_to_another_campaign_begins_anew(self) -> None:
        self.changed_at = NOON
        self.ack(self.start, paused=False, after=SECOND)
        self.campaign = make_campaign(enabled=False)
        enforce_at(NOON)
        self.changed_at = StatusChange.objects.latest("pk").recorded_at
        self.link.campaign = self.campaign
        self.link.save()
        self.assertEqual(self.kinds(HOUR), [])
        self.ack(self.start, paused=False, after=SECOND)
        self.assertEqual(self.kinds(HOUR), [DriftKind.LATE])


class SeenRunning(DriftTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.change = self.switch(on=False)

    def test_seen_running_twice_after_the_acknowledgement_is_drift(self) -> None:
        self.ack(self.change, paused=True, after=SECOND)
        self.see(paused=False, after=2 * SECOND)
        self.assertEqual(self.kinds(3 * SECOND), [])
        self.see(paused=False, after=3 * SECOND)
        self.assertEqual(self.kinds(3 * SECOND), [DriftKind.RUNNING])

    def test_seen_paused_ends_it(self) -> None:
        self.ack(self.change, paused=True, after=SECOND)
        for seconds in (2, 3, 4):
            self.see(paused=False, after=seconds * SECOND)
        self.see(paused=True, after=5 * SECOND)
        self.assertEqual(self.kinds(HOUR), [])
        self.see(paused=False, after=6 * SECOND)
        self.assertEqual(self.kinds(HOUR), [])

    def test_a_new_acknowledgement_ends_it(self) -> None:
        self.ack(self.change, paused=True, after=SECOND)
        for seconds in (2, 3):
            self.see(paused=False, after=seconds * SECOND)
        self.ack(self.change, paused=True, after=4 * SECOND)
        self.assertEqual(self.kinds(HOUR), [])

    def test_reports_from_before_the_acknowledgement_do_not_count(self) -> None:
        """Read before the connector paused, and delivered after."""
        self.see(paused=False, after=SECOND)
        self.see(paused=False, after=2 * SECOND)
        self.ack(self.change, paused=True, after=3 * SECOND)
        self.assertEqual(self.kinds(HOUR), [])
        self.see(paused=False, after=4 * SECOND)
        self.assertEqual(self.kinds(HOUR), [])
        self.see(paused=False, after=5 * SECOND)
        self.assertEqual(self.kinds(HOUR), [DriftKind.RUNNING])

    def test_reports_that_were_read_before_and_arrive_after_do_not_count(self) -> None:
        self.ack(self.change, paused=True, after=10 * SECOND)
        for seconds in (11, 12):
            self.see(paused=False, after=seconds * SECOND, clock=-5 * SECOND)
        self.assertEqual(self.kinds(HOUR), [])

    def test_the_same_report_twice_counts_once(self) -> None:
        self.ack(self.change, paused=True, after=SECOND)
        for seconds in (2, 3, 4):
            self.see(paused=False, after=seconds * SECOND, clock=2 * SECOND - seconds * SECOND)
        self.assertEqual(self.kinds(HOUR), [])

    def test_a_clock_that_is_wrong_counts_the_same(self) -> None:
        for ahead in (-HOUR, HOUR):
            self.ack(self.change, paused=True, after=2 * HOUR, clock=ahead)
            self.see(paused=False, after=2 * HOUR + SECOND, clock=ahead)
            self.assertEqual(self.kinds(3 * HOUR), [])
            self.see(paused=False, after=2 * HOUR + 2 * SECOND, clock=ahead)
            self.assertEqual(self.kinds(3 * HOUR), [DriftKind.RUNNING])
            AppliedStatus.objects.all().delete()

    def test_a_clock_that_is_put_right_stops_nothing(self) -> None:
        self.ack(self.change, paused=True, after=SECOND, clock=timedelta(days=365))
        self.see(paused=False, after=2 * SECOND, clock=timedelta(days=365))
        for seconds in (3, 4):
            self.see(paused=False, after=seconds * SECOND)
        self.assertEqual(self.kinds(MINUTE), [DriftKind.RUNNING])

    def test_reports_of_a_time_when_it_could_run_do_not_count(self) -> None:
        """The acknowledgement of the resume was lost, and the pause that follows was acknowledged by the list."""
        self.ack(self.change, paused=True, after=SECOND)
        self.switch(on=True)
        for seconds in (1, 2):
            self.see(paused=False, after=seconds * SECOND + HOUR)
        change = self.switch(on=False)
        AppliedStatus.objects.update(
            applied_position=change,
            applied_received=self.changed_at - HOUR,
            seen_before_received=self.changed_at - SECOND,
        )
        self.assertEqual(self.kinds(MINUTE), [])
        AppliedStatus.objects.update(seen_before_received=self.changed_at + SECOND)
        self.assertEqual(self.kinds(MINUTE), [DriftKind.RUNNING])

    def test_a_running_campaign_that_may_run_is_none(self) -> None:
        self.ack(self.change, paused=True, after=SECOND)
        self.switch(on=True)
        for seconds in (1, 2, 3):
            self.see(paused=False, after=seconds * SECOND)
        self.assertEqual(self.kinds(HOUR), [])


class Reports(DriftTestCase):
    def report(self, *reports: Report, now: datetime = NOON, **options: list[int]) -> list[tuple[int, str]]:
        return [(refused.report.row, refused.reason) for refused in report_applied(reports, now=now, **options).refused]

    def test_unlinked_campaigns_and_unknown_positions_are_refused_and_the_others_stored(self) -> None:
        key, unlinked = key_of(self.link), key_of(make_link(None))
        reports = [
            Report(1, key, PAUSED, NOON, self.start),
            Report(2, unlinked, PAUSED, NOON, self.start),
            Report(3, ("google_ads", "1", "2"), PAUSED, NOON),
            Report(4, key, PAUSED, NOON, self.start + 1),
            Report(5, key, PAUSED, NOON, -1),
            Report(6, key, ACTIVE, NOON),
        ]
        refused = [(2, "unlinked-campaign"), (3, "unlinked-campaign"), (4, "unknown-change"), (5, "unknown-change")]
        self.assertEqual(self.report(*reports), refused)
        row = AppliedStatus.objects.get()
        self.assertEqual((row.applied_status, row.applied_position, row.seen_status), (PAUSED, self.start, ACTIVE))

    def test_other_brands_look_unlinked(self) -> None:
        report = Report(1, key_of(self.link), PAUSED, NOON, self.start)
        other = make_campaign().brand_id
        self.assertEqual(self.report(report, brands=[other]), [(1, "unlinked-campaign")])
        self.assertEqual(self.report(report, brands=[self.campaign.brand_id]), [])

    def test_sending_a_batch_again_changes_nothing(self) -> None:
        reports = [Report(1, key_of(self.link), PAUSED, NOON, self.start), Report(2, key_of(self.link), ACTIVE, NOON)]
        self.report(*reports)
        before = AppliedStatus.objects.values().get()
        self.report(*reports, now=NOON + HOUR)
        self.assertEqual(AppliedStatus.objects.values().get(), before)

    def test_it_takes_as_many_statements_for_many_reports(self) -> None:
        links = [make_link(make_campaign()) for _ in range(50)]
        with self.assertNumQueries(7):
            self.report(*(Report(row, key_of(link), PAUSED, NOON, self.start) for row, link in enumerate(links)))
