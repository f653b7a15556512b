"""What each token may still ask in the present window, shared by all processes.

A process takes a twentieth of the rate at a time from the database and spends it in memory. So all of them together
never allow more than the rate, and a request costs a write only now and then; what an idle process has taken and not
spent is lost to the others until the window ends.
"""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from django.db import OperationalError
from django.db.models import F

from container_manager.models import RateWindow
from container_manager.rates import Rate

_SHARES = 20
_MOST_SUBJECTS = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether one more request is allowed, about how many are left, and the seconds until there are all again."""

    allowed: bool
    remaining: int
    reset_seconds: int


@dataclass(slots=True)
class _Held:
    window: int
    left: int  # taken and not spent
    unclaimed: int  # not taken by any process, when this one last looked


_lock = threading.Lock()
_held: OrderedDict[str, _Held] = OrderedDict()


def spend(subject: str, rate: Rate) -> Standing:
    """Count one request of the subject. A database that is busy lets it pass uncounted."""
    now = time.time()
    window = int(now // rate.seconds) * rate.seconds
    reset = max(math.ceil(window + rate.seconds - now), 1)
    held = _held_in(subject, window, rate)
    if (spent := _spend(held)) is not None:
        return Standing(True, spent, reset)
    if not held.unclaimed:
        return Standing(False, 0, reset)
    try:
        taken, unclaimed = _take(subject, window, rate.requests)
    except OperationalError:
        return Standing(True, held.unclaimed, reset)
    with _lock:
        held.left, held.unclaimed = held.left + taken, unclaimed
    spent = _spend(held)
    return Standing(spent is not None, spent or 0, reset)


def forget() -> None:
    """Take everything anew from the database."""
    with _lock:
        _held.clear()


def _held_in(subject: str, window: int, rate: Rate) -> _Held:
    with _lock:
        held = _held.get(subject)
        if held is None or held.window != window:
            held = _held[subject] = _Held(window, 0, rate.requests)
        _held.move_to_end(subject)
        if len(_held) > _MOST_SUBJECTS:
            _held.popitem(last=False)
        return held


def _spend(held: _Held) -> int | None:
    """Spend one, and say how many are left; None when there is none to spend."""
    with _lock:
        if not held.left:
            return None
        held.left -= 1
        return held.left + held.unclaimed


def _take(subject: str, window: int, most: int) -> tuple[int, int]:
    """Take a share for this process; returns how much that is, and how much is left for any."""
    rows = RateWindow.objects.filter(subject=subject)
    if not rows.filter(window__lt=window).update(window=window, used=0) and not rows.exists():
        RateWindow.objects.bulk_create([RateWindow(subject=subject, window=window)], ignore_conflicts=True)
    share = max(most // _SHARES, 1)
    taken = next((n for n in (share, 1) if rows.filter(used__lte=most - n).update(used=F("used") + n)), 0)
    used = rows.values_list("used", flat=True).get()
    return taken, max(most - used, 0)
