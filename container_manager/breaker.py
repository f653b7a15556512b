"""The circuit breaker of an executor, shared by all processes: launches that fail in a row pause all launches.

closed -> open after `threshold` failures in a row that were not the job's fault; open -> half-open when the
cool-down has passed, and one launch is let through; that launch closes it, or opens it again. When nothing is
heard of it for another cool-down, the next one is let through.
"""

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from container_manager.models import Breaker

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"
STATES = (CLOSED, OPEN, HALF_OPEN)


def find(executor: str) -> Breaker:
    """The breaker as it is now: `open` reads as `half-open` once the next launch may go through."""
    row = Breaker.objects.filter(executor=executor).first() or Breaker(executor=executor)
    if row.state == OPEN and row.until and row.until <= timezone.now():
        row.state = HALF_OPEN
    return row


def admits(row: Breaker) -> bool:
    """Whether a launch may go through now: any while it is closed, one a cool-down while it is half-open."""
    return row.state == CLOSED or (row.state == HALF_OPEN and row.until is not None and row.until <= timezone.now())


def let_through(executor: str, cooldown_seconds: float) -> bool:
    """Take the one launch that is let through; False when somebody else has taken it."""
    waiting = Breaker.objects.filter(executor=executor, until__lte=timezone.now())
    return waiting.update(state=HALF_OPEN, until=_after(cooldown_seconds)) == 1


def launch_succeeded(executor: str) -> None:
    """Close it and start the count of failures again."""
    Breaker.objects.filter(executor=executor, failures__gt=0).update(failures=0, state=CLOSED, until=None, cause="")


def launch_failed(executor: str, cause: str, threshold: int, cooldown_seconds: float) -> None:
    """Count a failed launch that was not the job's fault; open the breaker when they are too many."""
    Breaker.objects.get_or_create(executor=executor)
    Breaker.objects.filter(executor=executor).update(failures=F("failures") + 1, cause=cause[:1000])
    too_many = Breaker.objects.filter(executor=executor, failures__gte=threshold)
    too_many.exclude(state=OPEN, until__gt=timezone.now()).update(state=OPEN, until=_after(cooldown_seconds))


def told(row: Breaker) -> str:
    """Why launches are paused, as a sentence."""
    return f"{row.failures} launches in a row failed, the last with: {row.cause}"


def _after(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)
