"""What the base observes of an executor: calls, times, and failures in a row."""

import functools
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from container_manager.circuit import CLOSED, Circuit, Rule
from container_manager.exceptions import PurserError
from container_manager.executors.results import Health
from container_manager.spans import STAGES, Interrupted, SpanEvent, observe
from container_manager.states import Reason

if TYPE_CHECKING:
    from container_manager.executors.base import ContainerExecutor

logger = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])

WINDOW = 1024
_SAID = 1000
_inside: ContextVar[frozenset[tuple[int, str]]] = ContextVar("inside", default=frozenset())


class CallStats:
    """Counts and times of one executor in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._calls: Counter[str] = Counter()
        self._raised: Counter[str] = Counter()
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._total = 0.0
        self.launched = 0
        self.errors = 0

    def called(self, verb: str, raised: bool) -> None:
        with self._lock:
            self._calls[verb] += 1
            self._raised[verb] += raised

    def launch_took(self, seconds: float, ok: bool) -> None:
        with self._lock:
            self._recent.append(seconds)
            self._total += seconds
            self.launched += ok
            self.errors += not ok

    def metrics(self) -> dict[str, Any]:
        with self._lock:
            return {
                "jobs_launched": self.launched,
                "errors": self.errors,
                "uptime": time.monotonic() - self._began,
                "calls": {verb: {"count": n, "raised": self._raised[verb]} for verb, n in sorted(self._calls.items())},
            }

    def performance(self) -> dict[str, Any]:
        with self._lock:
            recent, total, count = list(self._recent), self._total, self.launched + self.errors
        return {
            "operation_times": recent,
            "average_time": total / count if count else 0.0,
            "total_time": total,
            **percentiles(recent),
        }


class StageTimes:
    """How long each stage took of the jobs of every executor in this process, the last 1024 times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: dict[tuple[str, str], deque[float]] = {}

    def note(self, event: SpanEvent) -> None:
        if event.seconds is not None and event.name in STAGES:
            key = (event.executor, event.name)
            with self._lock:
                self._recent.setdefault(key, deque(maxlen=WINDOW)).append(event.seconds)

    def of(self, executor: str) -> dict[str, dict[str, float | None]]:
        """p50, p95 and p99 in seconds by stage; a stage that no job has come to is left out."""
        with self._lock:
            found = {stage: list(self._recent.get((executor, name), ())) for name, stage in STAGES.items()}
        return {stage: percentiles(seconds) for stage, seconds in found.items() if seconds}


def percentiles(values: list[float]) -> dict[str, float | None]:
    """p50, p95 and p99 by nearest rank, each None for no values."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {f"p{rank}": ordered[round(last * rank / 100)] if ordered else None for rank in (50, 95, 99)}


stage_times = StageTimes()
observe(stage_times.note)


class Observations:
    """What the base makes of the calls of one executor: counts, times, and steps of its breaker."""

    def __init__(self, rule: Rule) -> None:
        self.stats = CallStats()
        self.rule = rule

    def raised(self, executor: "ContainerExecutor", verb: str, seconds: float, error: Exception) -> None:
        self.stats.called(verb, raised=True)
        if verb == "launch_job" and not isinstance(error, Interrupted):
            self.stats.launch_took(seconds, ok=False)
            self._failed(executor, error.code if isinstance(error, PurserError) else type(error).__name__)

    def returned(self, executor: "ContainerExecutor", verb: str, seconds: float, result: Any) -> Any:
        """What the caller is given: the result itself, but for a health check also the breaker's verdict."""
        self.stats.called(verb, raised=False)
        if verb == "launch_job":
            self._launched(executor, seconds, result)
        return self._judge(executor, result) if verb == "health_check" else result

    def _launched(self, executor: "ContainerExecutor", seconds: float, result: tuple[bool, str]) -> None:
        ok, _ = result
        self.stats.launch_took(seconds, ok=bool(ok))
        if ok:
            executor.breaker.change(Circuit.launch_succeeded)
        elif getattr(result, "is_held_against_executor", True):
            self._failed(executor, getattr(result, "reason", None) or Reason.LAUNCH_ERROR)

    def _failed(self, executor: "ContainerExecutor", cause: str) -> None:
        executor.breaker.change(lambda circuit: circuit.launch_failed(cause, self.rule, datetime.now(UTC)))

    def _judge(self, executor: "ContainerExecutor", verdict: bool | Health) -> bool | Health:
        well = bool(verdict)
        circuit = executor.breaker.change(lambda circuit: circuit.looked(well, self.rule, datetime.now(UTC)))
        return verdict if circuit.state == CLOSED or not well else Health(False, circuit.told(), launches_pause=True)


def measured(method: F) -> F:
    """Wrap a public verb: timed, counted and told to the breaker, once also when it calls `super()`."""
    verb = method.__name__

    @functools.wraps(method)
    def observed(self: "ContainerExecutor", *args: Any, **kwargs: Any) -> Any:
        outer = _inside.get()
        if (id(self), verb) in outer:
            return method(self, *args, **kwargs)
        token = _inside.set(outer | {(id(self), verb)})
        began = time.perf_counter()
        try:
            result = method(self, *args, **kwargs)
        except Exception as error:
            seconds = time.perf_counter() - began
            _say(self, verb, args, seconds, f"{type(error).__name__}: {error}")
            self.observations.raised(self, verb, seconds, error)
            raise
        finally:
            _inside.reset(token)
        seconds = time.perf_counter() - began
        _say(self, verb, args, seconds, result)
        return self.observations.returned(self, verb, seconds, result)

    return cast("F", observed)


def _say(executor: "ContainerExecutor", verb: str, args: tuple[Any, ...], seconds: float, answer: object) -> None:
    """One record a call, where the config asks for it. What a job has written is not for the service's own log."""
    if not executor.debug_mode:
        return
    subject = getattr(args[0], "execution_id", args[0]) if args else ""
    told = f"{len(answer)} of them" if verb == "list_executions" and isinstance(answer, list) else answer
    fields = {"executor": executor.name, "call": verb, "execution_id": str(subject), "seconds": round(seconds, 6)}
    logger.info("engine call", extra=fields | ({} if verb == "get_logs" else {"answer": str(told)[:_SAID]}))
