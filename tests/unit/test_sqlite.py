"""SQLite as the service uses it: what is committed is on the disk, and threads write in turn."""

import threading
from collections.abc import Callable
from queue import Queue

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F

from api.database_url import django_settings
from container_manager.models import JobCount
from container_manager.sqlite.base import DatabaseWrapper
from container_manager.sqlite.turn import Turn


def in_thread(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def waiting(turn: Turn, count: int) -> None:
    """Wait until so many wait for it."""
    while len(vars(turn)["_waiting"]) < count:
        threading.Event().wait(0.001)


def test_a_turn_is_given_in_the_order_it_was_asked_for() -> None:
    turn, order = Turn(), []

    def take(number: int) -> None:
        assert turn.take(30)
        order.append(number)
        turn.give()

    assert turn.take(0)
    threads = []
    for number in range(5):
        threads.append(in_thread(lambda number=number: take(number)))  # type: ignore[misc]
        waiting(turn, number + 1)
    turn.give()
    for thread in threads:
        thread.join()

    assert order == [0, 1, 2, 3, 4]


def test_who_waits_in_vain_leaves_the_turn_to_others() -> None:
    turn = Turn()
    assert turn.take(0)
    assert not turn.take(0.01)
    turn.give()
    assert turn.take(0)


def connected(path: object) -> DatabaseWrapper:
    settings = {
        **django_settings(f"sqlite:///{path}/books.sqlite3"), "TIME_ZONE": None, "ATOMIC_REQUESTS": False,
        "AUTOCOMMIT": True, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False,
    }  # fmt: skip
    return DatabaseWrapper(settings)


@pytest.mark.django_db
def test_what_is_committed_outlives_a_power_cut(tmp_path: object) -> None:
    books = connected(tmp_path)
    with books.cursor() as cursor:
        modes = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    books.close()

    assert modes == ["wal", 2]


@pytest.mark.django_db
def test_a_transaction_waits_for_that_of_another_thread_and_then_comes_at_once(tmp_path: object) -> None:
    first = connected(tmp_path)
    told: Queue[str] = Queue()

    def write() -> None:
        second = connected(tmp_path)
        second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        told.put("second")
        second.rollback()
        second.close()

    first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    thread = in_thread(write)
    while thread.is_alive() and told.empty():
        if vars(vars(first)["_turn"])["_waiting"]:
            told.put("first")
            break
    first.rollback()
    thread.join()
    first.close()

    assert [told.get(), told.get()] == ["first", "second"]


@pytest.mark.django_db
def test_a_connection_that_is_closed_within_a_transaction_gives_its_turn(tmp_path: object) -> None:
    first, second = connected(tmp_path), connected(tmp_path)
    first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    first.close()
    second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    second.rollback()
    second.close()


@pytest.mark.django_db
def test_a_transaction_that_waits_too_long_is_told_that_the_database_is_locked(tmp_path: object) -> None:
    first, second = connected(tmp_path), connected(tmp_path)
    second.settings_dict["OPTIONS"]["timeout"] = 0.01
    first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    with pytest.raises(OperationalError, match="locked"):
        second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    first.rollback()
    first.close()
    second.close()


@pytest.mark.django_db(transaction=True)
def test_many_threads_that_write_at_once_all_come_to_it() -> None:
    def write() -> None:
        for _ in range(20):
            with transaction.atomic():
                JobCount.objects.update(count=F("count") + 1)
        connection.close()

    JobCount.objects.create(executor="mock", namespace="default", state="queued", reason="")
    for thread in [in_thread(write) for _ in range(8)]:
        thread.join()

    assert JobCount.objects.get().count == 8 * 20
