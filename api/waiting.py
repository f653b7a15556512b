"""Answers that take their time: held until something changes. What is followed as it is written is in `streaming`.

Both say what they wait for (`topics` of the bell) and what to do when it rings (a plain function, that may
read the database). Our ASGI handler waits on the event loop, so that a quiet waiter costs no thread and no
connection; any other server waits in the request's own thread. The bell may lose a ring, and logs of another
process do not ring here: `peek`, which must be cheap, is looked at now and then, and after `LOOK_SECONDS`
the function is called anyhow.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from django.db import close_old_connections
from django.http import HttpResponse

from api.threads import Threads
from container_manager.bell import bell

LOOK_SECONDS = 5.0
PEEK_SECONDS = 0.1

T = TypeVar("T")
Call = Callable[[Callable[[], T]], Awaitable[T]]

_wakers: set[Callable[[], None]] = set()
_closing = threading.Event()


def begin_shutdown() -> None:
    """End every stream and held request of this process now, and hold no new one."""
    _closing.set()
    for wake in tuple(_wakers):
        wake()


@contextlib.contextmanager
def wakes(wake: Callable[[], None]) -> Iterator[None]:
    """Have `wake` called, from any thread, when this process begins to shut down."""
    _wakers.add(wake)
    try:
        yield
    finally:
        _wakers.discard(wake)


def is_closing() -> bool:
    """Whether this process has begun to shut down."""
    return _closing.is_set()


def _nothing() -> object:
    return None


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells that it is worth looking again.

    `topics` ring for a change, `writes` for more of the same, of which `peek` also tells.
    """

    topics: tuple[str, ...]
    writes: tuple[str, ...] = ()
    peek: Callable[[], object] = _nothing


class Held(HttpResponse):
    """An answer that is given when `attempt(False)` has one, or at the latest, by `attempt(True)`, after `seconds`."""

    def __init__(self, signs: Signs, seconds: float, attempt: Callable[[bool], HttpResponse | None]) -> None:
        super().__init__()
        self.signs = signs
        self._until = time.monotonic() + seconds
        self._attempt = attempt

    @property
    def remaining(self) -> float:
        """Seconds until it must be answered; 0 in a process that shuts down."""
        return 0 if is_closing() else max(self._until - time.monotonic(), 0)

    def settle(self) -> bool:
        """Take the answer, if there is one or its time is over. The headers set so far stay."""
        answer = self._attempt(self.remaining <= 0)
        if answer is None:
            return False
        self.status_code, self.content = answer.status_code, answer.content
        del self["Content-Type"]
        for name, value in answer.items():
            self[name] = value
        return True

    def wait_here(self) -> "Held":
        """Hold the calling thread, for servers that know nothing of waiting."""
        with listening(self.signs) as pause:
            while not self.settle():
                pause(min(self.remaining, LOOK_SECONDS))
        return self

    async def wait(self, call: Call[bool]) -> None:
        """Hold no thread; `call` runs a function in one."""
        async with _listening_loop(self.signs) as pause:
            while not await call(self.settle):
                await pause(min(self.remaining, LOOK_SECONDS))


async def in_thread(pool: Threads, function: Callable[[], T]) -> T:
    """Run a function that reads the database in a thread of the pool, whose connection is kept while it is good."""

    def run() -> T:
        close_old_connections()
        try:
            return function()
        finally:
            close_old_connections()

    return await pool.run(run)


@contextlib.contextmanager
def listening(signs: Signs) -> Iterator[Callable[[float], None]]:
    """Yields what waits in the calling thread, up to some seconds, for a sign since it last did."""
    with bell.listening(*signs.topics, *signs.writes) as rung:
        seen = signs.peek()

        def pause(seconds: float) -> None:
            nonlocal seen
            until = time.monotonic() + seconds
            while seen == signs.peek() and not is_closing() and (left := until - time.monotonic()) > 0:
                if rung.wait(min(PEEK_SECONDS, left)):
                    break
            rung.clear()
            seen = signs.peek()

        with wakes(rung.set):
            yield pause


@contextlib.asynccontextmanager
async def _listening_loop(signs: Signs) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
    """The same for the event loop, without a peek."""
    loop, rung = asyncio.get_running_loop(), asyncio.Event()

    async def pause(seconds: float) -> None:
        if not is_closing():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), seconds)
        rung.clear()

    def ring() -> None:
        loop.call_soon_threadsafe(rung.set)

    endings = [bell.subscribe(topic, ring) for topic in signs.topics]
    try:
        with wakes(ring):
            yield pause
    finally:
        for end in endings:
            end()
