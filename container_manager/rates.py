"""How often something may be done: so many times in so many seconds."""

import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

RATE_FORM = "REQUESTS/SECONDS, such as 600/60, or none"

_RATE = re.compile(r"([1-9]\d{0,8})/([1-9]\d{0,4})")
_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`requests` in each window of `seconds`."""

    requests: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.requests}/{self.seconds}"

    def within(self, other: "Rate | None") -> bool:
        """Whether this allows no more than the other, at once and in the long run; None is no limit."""
        if other is None:
            return True
        return self.requests <= other.requests and self.requests * other.seconds <= other.requests * self.seconds


def parse(text: str) -> Rate | None:
    """`600/60` is 600 requests in 60 seconds, `none` is no limit. Raises ValueError."""
    if text == "none":
        return None
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} must be {RATE_FORM}")
    return Rate(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class Passage:
    """Whether one more was within the rate, how many there were too many before it, and when the window ends (s)."""

    ok: bool
    seconds: float
    missed: int = 0


@dataclass(slots=True)
class _Count:
    ends_at: float
    passed: int = 0
    missed: int = 0


class Gate:
    """Counts by key in the memory of this process; over ten thousand keys, it forgets who came the longest ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def enter(self, key: str, rate: Rate) -> Passage:
        """Count one more of that key. `missed` are those that were refused since the last that was not."""
        now = time.monotonic()
        with self._lock:
            count = self._counts.setdefault(key, _Count(now + rate.seconds))
            self._counts.move_to_end(key)
            if len(self._counts) > _MOST_KEYS:
                self._counts.popitem(last=False)
            if count.ends_at <= now:
                count.ends_at, count.passed = now + rate.seconds, 0
            if count.passed >= rate.requests:
                count.missed += 1
                return Passage(False, count.ends_at - now, count.missed)
            count.passed += 1
            missed, count.missed = count.missed, 0
            return Passage(True, count.ends_at - now, missed)

    def reset(self) -> None:
        """Forget everybody."""
        with self._lock:
            self._counts.clear()
