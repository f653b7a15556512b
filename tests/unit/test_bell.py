"""Who waits for a change is told after it is committed, in this process and in others."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from container_manager.bell import Bell, bell
from tests.listening import listening_bell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    with listening_bell():
        yield


def test_a_ring_is_heard_only_after_the_commit() -> None:
    with bell.listening("topic") as rung:
        with transaction.atomic():
            bell.ring("topic")
            assert not rung.is_set()
        assert rung.is_set()


def test_a_ring_that_is_rolled_back_is_never_heard() -> None:
    with bell.listening("topic") as rung:
        with pytest.raises(RuntimeError), transaction.atomic():
            bell.ring("topic")
            raise RuntimeError
        assert not rung.wait(0.2)


def test_only_the_topic_that_rings_is_told() -> None:
    with bell.listening("other") as rung:
        bell.ring("topic")
        assert not rung.is_set()


def test_nobody_is_told_after_unsubscribing_and_unsubscribing_twice_does_no_harm() -> None:
    heard: list[int] = []
    end = bell.subscribe("topic", lambda: heard.append(1))
    bell.ring("topic")
    end()
    end()
    bell.ring("topic")

    assert heard == [1]


def test_ring_all_tells_every_subscriber() -> None:
    with bell.listening("a") as first, bell.listening("b") as second:
        bell.ring_all()
        assert first.is_set()
        assert second.is_set()


RINGER = """
import os, django
django.setup()
from django.db import connections
connections["default"].settings_dict.update(eval(os.environ["DATABASE"]))
from container_manager.bell import bell
bell.ring("topic")
"""


def test_a_ring_is_heard_in_another_process() -> None:
    settings = {key: str(value) for key, value in connection.settings_dict.items() if key in ("NAME", "HOST", "PORT")}
    with bell.listening("topic") as rung:
        subprocess.run(
            [sys.executable, "-c", RINGER], check=True, timeout=60, env={**_environment(), "DATABASE": repr(settings)}
        )
        assert rung.wait(5)


def test_a_bell_can_be_closed_and_used_again() -> None:
    another = Bell()
    for _ in range(2):
        with another.listening("topic") as rung:
            another.ring("topic")
            assert rung.is_set()
        another.close()
    assert len([thread for thread in threading.enumerate() if thread.name == "bell"]) == 1  # the shared one's


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
