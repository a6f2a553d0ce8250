"""/metrics for Prometheus, read from the database with each scrape, so right under any number of web processes.

Like the health endpoints it is answered before all other middleware. It is closed (404) unless METRICS_TOKEN or
METRICS_ALLOW is set or DEBUG is on, and 403 for a client that has neither the token nor an allowed address.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotAllowed, HttpResponseNotFound
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from budget_manager.launcher import broker
from budget_manager.observe.release import release
from budget_manager.sign_in import peer_address
from campaigns.services.metrics.read import Outcome, read_metrics
from campaigns.services.metrics.table import METRICS

PATH = "/metrics"
PREFIX = "budget_manager_"
BROKER_TIMEOUT = 1

# Headers that proxies add. Without TRUST_PROXY_HEADER they mean that the peer's address is only the proxy's.
PROXY_HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


class MetricsMiddleware:
    """Answers PATH; passes every other request on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != PATH:
            return self.get_response(request)
        response = answer(request)
        response["Cache-Control"] = "no-store"
        response["Content-Length"] = len(response.content)  # Django's middleware that adds it isn't reached
        return response


def answer(request: HttpRequest) -> HttpResponse:
    if not (settings.METRICS_TOKEN or settings.METRICS_ALLOW or settings.DEBUG):
        return HttpResponseNotFound("Metrics are off: set METRICS_TOKEN or METRICS_ALLOW.\n", content_type="text/plain")
    if not is_allowed(request):
        return HttpResponseForbidden("Not for this client: send the token.\n", content_type="text/plain")
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(DatabaseCollector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


def is_allowed(request: HttpRequest) -> bool:
    if settings.DEBUG and not (settings.METRICS_TOKEN or settings.METRICS_ALLOW):
        return True
    return has_token(request) or has_allowed_address(request)


def has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.METRICS_TOKEN
    # compare_digest takes the same time wherever the two differ.
    is_right = hmac.compare_digest(token.strip().encode(), expected.encode())
    return bool(expected) and scheme.lower() == "bearer" and is_right


def has_allowed_address(request: HttpRequest) -> bool:
    if not settings.BEHIND_PROXY and any(name in request.headers for name in PROXY_HEADERS):
        return False
    address = peer_address(request)
    return address is not None and any(address in network for network in settings.METRICS_ALLOW)


class DatabaseCollector(Collector):
    """Reads everything anew each time that it is collected."""

    def collect(self) -> Iterator[Metric]:
        reading = read_metrics()
        for metric in METRICS:
            kind = CounterMetricFamily if metric.is_counter else GaugeMetricFamily
            family = kind(PREFIX + metric.name, metric.help, labels=[metric.label] if metric.label else [])
            for label, value in reading.samples.get(metric.name, []):
                family.add_metric([label] if metric.label else [], float(value or 0))
            yield family
        yield from _of_the_scrape(reading.outcomes)
        is_up = broker.problem(settings.REDIS_URL, seconds=BROKER_TIMEOUT) is None
        yield GaugeMetricFamily(f"{PREFIX}broker_up", "Whether the broker answers a PING.", value=float(is_up))
        info = GaugeMetricFamily(f"{PREFIX}build_info", "1, with the version as a label.", labels=["version"])
        info.add_metric([release()], 1)
        yield info


def _of_the_scrape(outcomes: dict[str, Outcome]) -> Iterator[Metric]:
    """Without a database everything else is missing, and the scrape succeeds all the same."""
    success = GaugeMetricFamily(
        f"{PREFIX}scrape_collector_success", "Whether this part could be read from the database.", labels=["collector"]
    )
    duration = GaugeMetricFamily(
        f"{PREFIX}scrape_collector_duration_seconds", "How long reading this part took.", labels=["collector"]
    )
    for name, outcome in outcomes.items():
        success.add_metric([name], float(outcome.succeeded))
        duration.add_metric([name], outcome.seconds)
    yield success
    yield duration
