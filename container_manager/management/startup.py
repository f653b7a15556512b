"""What every server command does before it serves: bring the database up to date, and listen to signals."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management import call_command
from django.db import connection

_MIGRATION_LOCK = 7_094_813_212  # any number that is ours: whoever migrates holds it


def migrate() -> None:
    """Apply what is missing. Several processes may call it at once."""
    with _migration_lock():
        call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def _migration_lock() -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


class StopSignal:
    """SIGTERM and SIGINT: the first asks for an orderly stop, the second ends the process at once."""

    def __init__(self, on_stop: Callable[[], None] = lambda: None) -> None:
        self.asked = threading.Event()
        self._on_stop = on_stop
        self._seen = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._seen:
            os._exit(128 + number)
        self._seen = True
        # In a thread: the one that is interrupted here may hold the very lock that this needs.
        threading.Thread(target=self._stop, name="stop").start()

    def _stop(self) -> None:
        self.asked.set()
        self._on_stop()
