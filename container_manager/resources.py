"""What a job needs and what an executor has: memory in MiB, cpu in cores."""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from container_manager.exceptions import InvalidResources

_UNITS = {"memory": "MiB", "cpu": "cores"}


@dataclass(frozen=True, slots=True)
class Resources:
    """An amount of memory (MiB) and cpu (cores)."""

    memory: float = 0
    cpu: float = 0

    @classmethod
    def parse(cls, amounts: Mapping[str, float]) -> "Resources":
        """Read `{"memory": MiB, "cpu": cores}`; either may be left out and is then 0.

        Raises InvalidResources for an unknown key, a negative amount or no number.
        """
        for key, amount in amounts.items():
            if key not in _UNITS:
                raise InvalidResources(f"resource {key!r} is unknown; known are 'memory' and 'cpu'")
            if isinstance(amount, bool) or not isinstance(amount, int | float):
                raise InvalidResources(f"{key} is {amount!r}; it must be a number of {_UNITS[key]}")
            if not math.isfinite(amount) or amount < 0:
                raise InvalidResources(f"{key} is {amount!r}; it must be 0 or more {_UNITS[key]}")
        return cls(**amounts)

    def as_dict(self) -> dict[str, float]:
        return {"memory": self.memory, "cpu": self.cpu}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may ask for and what there is in all. None is unlimited."""

    max_memory: float | None = None
    max_cpu: float | None = None
    total_memory: float | None = None
    total_cpu: float | None = None
    total_jobs: int | None = None

    def allows(self, wanted: Resources) -> bool:
        """Whether one job may ask for this much at all, with nothing else running."""
        return _within(wanted.memory, self.max_memory, self.total_memory) and _within(
            wanted.cpu, self.max_cpu, self.total_cpu
        )

    def has_room(self, used: Resources, jobs: int, wanted: Resources) -> bool:
        """Whether one job more with this much fits beside the jobs that there are and what they use."""
        return (
            _within(used.memory + wanted.memory, self.total_memory)
            and _within(used.cpu + wanted.cpu, self.total_cpu)
            and _within(jobs + 1, self.total_jobs)
        )


def _within(amount: float, *bounds: float | None) -> bool:
    return all(bound is None or amount <= bound for bound in bounds)


class Ledger(Protocol):
    """Keeps what is reserved on one executor. Every call is atomic."""

    def reserve(self, job_id: str, wanted: Resources, limits: Limits) -> bool:
        """Reserve for a job, or say False. The same job and amount again is True and counts once."""

    def release(self, job_id: str) -> bool:
        """Give back what the job holds; False if it held nothing."""

    def held_by(self, job_id: str) -> Resources | None:
        """What the job holds, or None."""

    def set_aside(self, memory: int, limits: Limits) -> bool:
        """Hold so many MiB beside all jobs, in place of what was before, or say False. The same again is True."""

    def used(self) -> Resources:
        """What all jobs hold together, and what is set aside."""

    def count(self) -> int:
        """How many jobs hold something."""


class InMemoryLedger:
    """A ledger for one process, for direct use of an executor and for tests."""

    def __init__(self) -> None:
        self._held: dict[str, Resources] = {}
        self._aside = 0
        self._lock = threading.Lock()

    def reserve(self, job_id: str, wanted: Resources, limits: Limits) -> bool:
        with self._lock:
            if job_id in self._held:
                return self._held[job_id] == wanted
            if not (limits.allows(wanted) and limits.has_room(self._sum(), len(self._held), wanted)):
                return False
            self._held[job_id] = wanted
            return True

    def release(self, job_id: str) -> bool:
        with self._lock:
            return self._held.pop(job_id, None) is not None

    def held_by(self, job_id: str) -> Resources | None:
        return self._held.get(job_id)

    def set_aside(self, memory: int, limits: Limits) -> bool:
        with self._lock:
            used = self._sum().memory - self._aside + memory
            if memory > self._aside and not _within(used, limits.total_memory):
                return False
            self._aside = memory
            return True

    def used(self) -> Resources:
        with self._lock:
            return self._sum()

    def count(self) -> int:
        return len(self._held)

    def _sum(self) -> Resources:
        # Summed afresh each time: running totals of floats would not return to exactly 0.
        return Resources(
            sum((held.memory for held in self._held.values()), start=self._aside),
            sum(held.cpu for held in self._held.values()),
        )
