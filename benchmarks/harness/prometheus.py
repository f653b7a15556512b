"""Span times from `/metrics` of the service."""

import re
from collections.abc import Mapping

from benchmarks.harness.http import Connection

_SPAN = re.compile(r'^purser_span_seconds_(sum|count)\{executor="([^"]*)",span="([^"]*)"\} (\S+)$', re.M)
Totals = Mapping[tuple[str, str], tuple[float, float]]


def spans(asked: Connection) -> Totals:
    """Of each executor's span so far: how many seconds in all, and how often."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for kind, executor, span, value in _SPAN.findall(asked.text("/metrics")):
        found.setdefault((executor, span), {})[kind] = float(value)
    return {key: (both["sum"], both["count"]) for key, both in found.items()}


def between(before: Totals, after: Totals, executor: str) -> dict[str, tuple[float, int]]:
    """The mean milliseconds of each span of an executor between two looks, and how often it was."""
    means = {}
    for (name, span), (seconds, count) in after.items():
        seconds_before, count_before = before.get((name, span), (0.0, 0.0))
        if name == executor and count > count_before:
            means[span] = ((seconds - seconds_before) / (count - count_before) * 1000, round(count - count_before))
    return means
