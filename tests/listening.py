"""A bell that surely hears the other processes, for tests that say what it must not hear."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from container_manager.bell import bell


@contextmanager
def listening_bell() -> Iterator[None]:
    """On SQLite a bell listens from its first subscription on; on PostgreSQL once it has connected."""
    with bell.listening("ready") as ready:
        deadline = time.monotonic() + 10
        while connection.vendor == "postgresql" and not ready.wait(0.05):
            assert time.monotonic() < deadline, "the bell does not hear"
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify('purser', '0 ready')")
        yield
    bell.close()
