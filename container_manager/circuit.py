"""The circuit breaker of an executor: launches that fail in a row pause all launches. This is its rule.

closed -> open after `threshold` failures in a row that were no fault of the job. open -> half-open when the cool-down
has passed: one launch is let through, and when nothing is heard of it for another cool-down, the next one. A launch
that succeeds closes it at any time; one that fails while it is half-open opens it again.

Looks at the engine's health count too, for an executor that nobody launches on: a bad one while it is half-open opens
it again. A good one makes it half-open, and a later one closes it when another cool-down has brought no launch.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"
STATES = (CLOSED, OPEN, HALF_OPEN)


@dataclass(frozen=True, slots=True)
class Rule:
    """How many failures in a row are too many, and how long launches then pause."""

    threshold: int
    cooldown: timedelta


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is known of the launches on an executor, and what becomes of it. A step that changes nothing is equal."""

    failures: int = 0
    causes: tuple[str, ...] = ()
    state: str = CLOSED
    until: datetime | None = None  # when the next launch is let through, while it is not closed

    def state_at(self, now: datetime) -> str:
        """`open` reads as `half-open` once the next launch may go through."""
        return HALF_OPEN if self.state == OPEN and self._is_due(now) else self.state

    def admits(self, now: datetime) -> bool:
        """Whether a launch may go through: any while it is closed, one a cool-down while it is half-open."""
        return self.state == CLOSED or self._is_due(now)

    def let_through(self, rule: Rule, now: datetime) -> "Circuit":
        """A launch goes through; while it is not closed, that is the one that tries it."""
        return self if self.state == CLOSED else replace(self, state=HALF_OPEN, until=now + rule.cooldown)

    def launch_succeeded(self) -> "Circuit":
        return Circuit()

    def launch_failed(self, cause: str, rule: Rule, now: datetime) -> "Circuit":
        """`cause` is shown to everybody: a word for it, never the text of one job's failure."""
        counted = replace(self, failures=self.failures + 1, causes=tuple(sorted({*self.causes, cause})))
        is_open = self.state == OPEN and not self._is_due(now)
        return counted if is_open or counted.failures < rule.threshold else counted._opened(rule, now)

    def looked(self, well: bool, rule: Rule, now: datetime) -> "Circuit":
        """Somebody has looked at the engine's health."""
        if self.state == CLOSED or not self._is_due(now):
            return self
        if not well:
            return self._opened(rule, now)
        if self.state == HALF_OPEN and self._is_due(now - rule.cooldown):
            return Circuit()
        return replace(self, state=HALF_OPEN)

    def told(self) -> str:
        """Why launches pause, as a sentence."""
        return f"{self.failures} launches in a row failed with: {', '.join(self.causes)}"

    def _opened(self, rule: Rule, now: datetime) -> "Circuit":
        return replace(self, state=OPEN, until=now + rule.cooldown)

    def _is_due(self, now: datetime) -> bool:
        return self.until is not None and self.until <= now


Step = Callable[[Circuit], Circuit]


class Breaker(Protocol):
    """Where the circuit of one executor is kept."""

    def circuit(self) -> Circuit:
        """As it is now."""

    def change(self, step: Step) -> Circuit:
        """Take a step from what it is now, whoever else does; returns what it has become."""


class InMemoryBreaker:
    """Keeps it for this process only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._circuit = Circuit()

    def circuit(self) -> Circuit:
        return self._circuit

    def change(self, step: Step) -> Circuit:
        with self._lock:
            self._circuit = step(self._circuit)
            return self._circuit
