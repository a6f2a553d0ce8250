"""Reads /metrics as Prometheus does, with the client library's own parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]


def families(text: str) -> dict[str, str]:
    """Return the type of each metric by its name; a counter's name ends with _total, as in queries."""
    found = {}
    for family in text_string_to_metric_families(text):
        found[f"{family.name}_total" if family.type == "counter" else family.name] = family.type
    return found


def samples(text: str) -> dict[str, dict[str, float]]:
    """Return the values of each metric by label, "" where there is none."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[",".join(sample.labels.values())] = sample.value
    return found
