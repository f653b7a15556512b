"""Samples of one quantity, and how they are taken side by side."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Quantiles:
    """What is told of a sample: how many, and the values that half, 95 and 99 % of them did not exceed."""

    count: int
    median: float
    p95: float
    p99: float


def quantile(values: Sequence[float], part: float) -> float:
    """The value that this part of all did not exceed, between two neighbours in proportion. Raises ValueError."""
    if not values:
        raise ValueError("there is no quantile of nothing")
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


def median(values: Sequence[float]) -> float:
    return quantile(values, 0.5)


def quantiles(values: Sequence[float]) -> Quantiles:
    return Quantiles(len(values), *(quantile(values, part) for part in (0.5, 0.95, 0.99)))


def interleaved(ways: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """What each way gives, taken in turns: A B C, B C A, …, so that a noisy minute troubles all alike."""
    found: dict[str, list[T]] = {name: [] for name in ways}
    order = list(ways)
    for number in range(rounds):
        first = number % len(order)
        for name in order[first:] + order[:first]:
            found[name].append(ways[name]())
    return found
