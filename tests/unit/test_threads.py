"""Threads that an event loop gives its work to."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from api.threads import Threads


@pytest.fixture
def threads() -> Iterator[Threads]:
    running = Threads(2, "test")
    yield running
    running.close(lambda: None)


def test_what_work_gives_comes_back_to_the_loop(threads: Threads) -> None:
    name = asyncio.run(threads.run(lambda: threading.current_thread().name))

    assert name in ("test_0", "test_1")


def test_what_work_raises_comes_back_to_the_loop(threads: Threads) -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(threads.run(lambda: 1 / 0))


def test_a_thread_outlives_work_that_fails_where_nobody_waits(threads: Threads) -> None:
    for _ in range(4):
        threads.submit(lambda: 1 / 0)

    assert asyncio.run(threads.run(lambda: "still here")) == "still here"


def test_who_has_gone_is_not_told_and_harms_nobody(threads: Threads) -> None:
    let_go = threading.Event()

    async def leave() -> str:
        waiting = asyncio.create_task(threads.run(let_go.wait))
        await asyncio.sleep(0)
        waiting.cancel()
        let_go.set()
        return await threads.run(lambda: "here")

    assert asyncio.run(leave()) == "here"


def test_work_whose_loop_is_closed_ends_in_silence(threads: Threads) -> None:
    let_go, done = threading.Event(), threading.Event()

    def work() -> None:
        let_go.wait()
        done.set()

    async def leave() -> None:
        waiting = asyncio.create_task(threads.run(work))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(leave())
    let_go.set()
    assert done.wait(10)


def test_closing_does_what_was_given_and_then_the_last_thing_in_each_thread() -> None:
    done: list[str] = []
    threads = Threads(3, "test")
    threads.submit(lambda: done.append("work"))
    threads.close(lambda: done.append("last"))

    assert sorted(done) == ["last", "last", "last", "work"]
    assert not any(thread.name.startswith("test_") for thread in threading.enumerate())
