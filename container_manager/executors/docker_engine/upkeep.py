"""The one thread of an executor that keeps ready what launches use: it gives way to them, and outlives an outage."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from container_manager.exceptions import PurserError

logger = logging.getLogger(__name__)

IDLE_SECONDS = 10.0
PATIENCE_SECONDS = 1.0
RETRY_SECONDS = 5.0
CLOSE_SECONDS = 5.0


class Pool(Protocol):
    """Things of one kind that are made ahead."""

    def step(self) -> bool:
        """Make, look at or remove one thing; says whether there is more to do now. Raises PurserError."""

    def empty(self) -> None:
        """Remove what is free, in a few seconds; what is left is for the next process. Raises PurserError."""


class Upkeep:
    """Has each pool do its steps, one at a time, when it is woken and every IDLE_SECONDS.

    A step waits until no launch is under way, but no longer than PATIENCE_SECONDS: under a load that never ends, pools
    must fill too. A pool whose step fails is left alone for RETRY_SECONDS.
    """

    def __init__(self, executor: str, pools: Sequence[Pool]) -> None:
        self._executor = executor
        self._pools = pools
        self._changed = threading.Condition()
        self._launching = 0
        self._woken = False
        self._closed = False
        self._failing: set[Pool] = set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; again does nothing."""
        with self._changed:
            self._closed = False
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"upkeep {self._executor}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread, and have what was begun here leave nothing free behind, where the engine answers."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        thread.join(CLOSE_SECONDS)
        for pool in self._pools:
            with contextlib.suppress(PurserError):
                pool.empty()

    def wake(self) -> None:
        """There may be something to do."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    @contextmanager
    def launching(self) -> Iterator[None]:
        """A launch is under way: no step begins within it, if it does not take long."""
        with self._changed:
            self._launching += 1
        try:
            yield
        finally:
            with self._changed:
                self._launching -= 1
                self._woken = True
                self._changed.notify_all()

    def _run(self) -> None:
        while not self._closed:
            self._woken = False
            more = [self._step(pool) for pool in self._pools if self._has_turn()]
            if self._failing:
                self._wait(lambda: self._closed, RETRY_SECONDS)
            elif not any(more):
                self._wait(lambda: self._closed or self._woken, IDLE_SECONDS)

    def _has_turn(self) -> bool:
        self._wait(lambda: self._closed or not self._launching, PATIENCE_SECONDS)
        return not self._closed

    def _wait(self, condition: Callable[[], bool], seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(condition, seconds)

    def _step(self, pool: Pool) -> bool:
        try:
            more = pool.step()
        except Exception as error:  # the edge of a thread: it goes on, most often the engine was away
            if pool not in self._failing:
                told = {"executor": self._executor, "error": str(error)}
                logger.warning("upkeep fails", extra=told, exc_info=not isinstance(error, PurserError))
            self._failing.add(pool)
            return False
        self._failing.discard(pool)
        return more
