"""Threads for an event loop: what it gives them runs in the order it came, and a hop there and back is cheap.

`run_in_executor` with a ThreadPoolExecutor does the same in two futures, a lock and a semaphore more, which is three to
four times the cost of a hop.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """So many threads. Each is started at once, and ends with `close`."""

    def __init__(self, count: int, name: str) -> None:
        self._max_workers = count
        self._work: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._last: Callable[[], object] = _nothing
        self._threads = [threading.Thread(target=self._run, name=f"{name}_{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], object]) -> None:
        """Have it done, whatever becomes of it."""
        self._work.put(work)

    async def run(self, work: Callable[[], T]) -> T:
        """Have it done, and wait for what it gives or raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._work.put(partial(_answer, loop, future, work))
        return await future

    def close(self, last: Callable[[], object]) -> None:
        """Wait until all is done; `last` is what each thread does at its end."""
        self._last = last
        for _ in range(self._max_workers):
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while work := self._work.get():
            with contextlib.suppress(Exception):
                work()
        self._last()


def _nothing() -> None:
    pass


def _answer(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]", work: Callable[[], Any]) -> None:
    try:
        settle = partial(_settle, future, future.set_result, work())
    except BaseException as error:  # noqa: BLE001  (it is told to who waits)
        settle = partial(_settle, future, future.set_exception, error)
    with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits any more
        loop.call_soon_threadsafe(settle)


def _settle(future: "asyncio.Future[Any]", settle: Callable[[Any], None], told: Any) -> None:
    if not future.done():  # who waited for it may have gone
        settle(told)
