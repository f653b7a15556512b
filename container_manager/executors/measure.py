"""What the base observes of an executor: calls, times, and failures in a row."""

import functools
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

from container_manager.exceptions import PurserError
from container_manager.executors.results import Health
from container_manager.states import Reason

if TYPE_CHECKING:
    from container_manager.executors.base import ContainerExecutor

F = TypeVar("F", bound=Callable[..., Any])

WINDOW = 1024
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


def percentiles(values: list[float]) -> dict[str, float | None]:
    """p50, p95 and p99 by nearest rank, each None for no values."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {f"p{rank}": ordered[round(last * rank / 100)] if ordered else None for rank in (50, 95, 99)}


class FailureDetector:
    """Launches that failed in a row for no fault of the job make an executor unhealthy.

    It opens after `threshold` of them. A successful launch closes it; so does a good probe after the
    cool-down, but not for the call that probed: the first good probe makes it half open, the next closes it.
    """

    def __init__(self, threshold: int, cooldown_seconds: float) -> None:
        self._threshold = threshold
        self._cooldown = cooldown_seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._half_open = False
        self._causes: set[str] = set()

    @property
    def state(self) -> str:
        """One of `closed`, `open` and `half-open`."""
        if self._opened_at is None:
            return "closed"
        return "half-open" if self._half_open else "open"

    def launch_succeeded(self) -> None:
        with self._lock:
            self._close()

    def launch_failed(self, cause: str) -> None:
        """`cause` is shown to everybody: a word for it, never the text of one job's failure."""
        with self._lock:
            self._failures += 1
            self._causes.add(cause)
            if self._failures >= self._threshold:
                self._opened_at, self._half_open = time.monotonic(), False

    def judge(self, verdict: bool | Health) -> bool | Health:
        """The answer of a health check: the engine's verdict and the detector's."""
        with self._lock:
            if self._opened_at is None:
                return verdict
            if not verdict:
                self._opened_at, self._half_open = time.monotonic(), False
                return verdict
            if self._half_open:
                self._close()
                return verdict
            self._half_open = time.monotonic() - self._opened_at >= self._cooldown
            return Health(False, f"{self._failures} launches in a row failed with: {', '.join(sorted(self._causes))}")

    def _close(self) -> None:
        self._failures, self._opened_at, self._half_open = 0, None, False
        self._causes.clear()


class Observations:
    """What the base has seen of one executor in this process."""

    def __init__(self, failure_threshold: int, failure_cooldown_seconds: float) -> None:
        self.stats = CallStats()
        self.detector = FailureDetector(failure_threshold, failure_cooldown_seconds)

    def raised(self, verb: str, seconds: float, error: Exception) -> None:
        self.stats.called(verb, raised=True)
        if verb == "launch_job":
            self.stats.launch_took(seconds, ok=False)
            self.detector.launch_failed(error.code if isinstance(error, PurserError) else type(error).__name__)

    def returned(self, verb: str, seconds: float, result: Any) -> Any:
        """What the caller is given: the result itself, but for a health check also the detector's verdict."""
        self.stats.called(verb, raised=False)
        if verb == "launch_job":
            self._launched(seconds, result)
        return self.detector.judge(result) if verb == "health_check" else result

    def _launched(self, seconds: float, result: tuple[bool, str]) -> None:
        ok, _ = result
        self.stats.launch_took(seconds, ok=bool(ok))
        if ok:
            self.detector.launch_succeeded()
        elif getattr(result, "is_held_against_executor", True):
            self.detector.launch_failed(getattr(result, "reason", None) or Reason.LAUNCH_ERROR)


def measured(method: F) -> F:
    """Wrap a public verb: timed, counted and fed to the detector, once also when it calls `super()`."""
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
            self.observations.raised(verb, time.perf_counter() - began, error)
            raise
        finally:
            _inside.reset(token)
        return self.observations.returned(verb, time.perf_counter() - began, result)

    return cast("F", observed)
