"""Many at once."""

import queue
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import TypeVar

C = TypeVar("C")
T = TypeVar("T")


def crowd(
    size: int, opened: Callable[[], AbstractContextManager[C]], items: Iterable[T], act: Callable[[C, T], object]
) -> None:
    """So many threads open something of their own, and act on the next item until none is left.

    Raises what the first of them raised.
    """
    todo: queue.SimpleQueue[T] = queue.SimpleQueue()
    for item in items:
        todo.put(item)

    def work() -> None:
        with opened() as own, suppress(queue.Empty):
            while True:
                act(own, todo.get_nowait())

    with ThreadPoolExecutor(size) as pool:
        for done in [pool.submit(work) for _ in range(size)]:
            done.result()
