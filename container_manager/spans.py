"""Named spans of work, told to whoever observes: metrics, traces, and tests that inject faults.

A span is opened around each step whose time matters or whose interruption must be survived. What
observers do is their business; the code that is observed does not know them.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Literal

from container_manager.exceptions import PurserError


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """A span begins or ends. `seconds` is None at its begin."""

    name: str
    edge: Literal["begin", "end"]
    executor: str
    execution_id: str
    seconds: float | None = None


class Interrupted(PurserError):
    """An observer has broken off a step, for a cause that lies in neither the job nor its executor."""

    code: ClassVar[str] = "interrupted"


STAGES: Mapping[str, str] = {
    "accept": "accepted",
    "wake": "woken",
    "claim": "claimed",
    "reserve": "reserved",
    "create": "created",
    "start": "started",
    "run": "ended",
    "notice": "noticed",
    "release": "recorded",
}
"""The span that leads to each stage of a job, in their order, from its request to the end that can be seen."""

Observer = Callable[[SpanEvent], None]
_observers: list[Observer] = []


def observe(observer: Observer) -> Callable[[], None]:
    """Tell `observer` of every span from now on; returns what ends that."""
    _observers.append(observer)
    return lambda: _observers.remove(observer)


@contextmanager
def timing() -> Iterator[Mapping[str, float]]:
    """Gives the seconds of each span that ends in this thread within it, by name; of several the sum."""
    seconds: dict[str, float] = {}
    thread = threading.get_ident()

    def note(event: SpanEvent) -> None:
        if event.seconds is not None and threading.get_ident() == thread:
            seconds[event.name] = seconds.get(event.name, 0) + event.seconds

    end = observe(note)
    try:
        yield seconds
    finally:
        end()


@contextmanager
def at_begin_of(name: str, tell: Callable[[], object]) -> Iterator[None]:
    """Call `tell` when a span of this name begins in this thread within it. What it raises interrupts the step."""
    thread = threading.get_ident()

    def note(event: SpanEvent) -> None:
        if (event.name, event.edge) == (name, "begin") and threading.get_ident() == thread:
            tell()

    end = observe(note)
    try:
        yield
    finally:
        end()


@contextmanager
def span(name: str, executor: str = "", execution_id: str = "") -> Iterator[None]:
    """Open the span `name` around a step; it is told as ended also when the step raises."""
    _tell(SpanEvent(name, "begin", executor, execution_id))
    began = time.perf_counter()
    try:
        yield
    finally:
        _tell(SpanEvent(name, "end", executor, execution_id, time.perf_counter() - began))


def passed(name: str, seconds: float, executor: str = "", execution_id: str = "") -> None:
    """Tell of a step that no code stood around, such as the way from one thread to another, at its end.

    Clocks of engine and service may differ: it is told with no less than 0 seconds.
    """
    _tell(SpanEvent(name, "end", executor, execution_id, max(seconds, 0)))


def _tell(event: SpanEvent) -> None:
    for observer in tuple(_observers):
        observer(event)
