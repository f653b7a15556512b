"""What a section has found, before anybody decides how it looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.harness.statistics import quantiles


@dataclass(frozen=True, slots=True)
class Goal:
    """What a line should reach: a bound of the figure itself, or of its ratio to the baseline."""

    limit: float
    of: Literal["figure", "ratio"] = "ratio"
    at_least: bool = False

    def is_reached(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Line:
    """One figure beside its baseline. Without a figure, `absent` says why there is none."""

    what: str
    unit: str
    figure: float | None
    baseline: float | None = None
    goal: Goal | None = None
    absent: str = ""

    @property
    def ratio(self) -> float | None:
        return self.figure / self.baseline if self.figure is not None and self.baseline else None

    @property
    def is_reached(self) -> bool | None:
        """None where there is nothing to reach, or nothing was measured."""
        measured = self.ratio if self.goal and self.goal.of == "ratio" else self.figure
        return None if self.goal is None or measured is None else self.goal.is_reached(measured)


@dataclass(frozen=True, slots=True)
class Table:
    """Further figures, as they are printed."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(slots=True)
class Findings:
    """Of one section: its lines with goals, what was run for them, further tables, and plots by file name."""

    title: str
    ran: list[str]
    lines: list[Line] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    plots: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def spread(samples: Mapping[str, Sequence[float]], unit: str, **more: Mapping[str, str]) -> Table:
    """How the values of each sample lie, and further columns by sample."""
    names = [name.replace("_", " ") for name in more]
    rows = []
    for name, values in samples.items():
        found = quantiles(values)
        shown = [number(value) for value in (found.median, found.p95, found.p99)]
        rows.append([name, str(found.count), *shown, *(column.get(name, "") for column in more.values())])
    return Table(["", "n", *(f"{part}, {unit}" for part in ("median", "p95", "p99")), *names], rows)


def number(value: float) -> str:
    """A count as it is, anything else with three digits that say something."""
    if isinstance(value, int):
        return f"{value:,}"
    digits = next((digits for digits, bound in ((0, 100), (1, 10), (2, 1)) if abs(value) >= bound), 3)
    return f"{value:,.{digits}f}"
