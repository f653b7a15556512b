"""Answers that take their time: held until something changes, or followed as it is written.

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
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import close_old_connections
from django.http import HttpResponse, StreamingHttpResponse

from container_manager.bell import bell

LOOK_SECONDS = 5.0
PEEK_SECONDS = 0.2
PING_SECONDS = 15.0

T = TypeVar("T")
Call = Callable[[Callable[[], T]], Awaitable[T]]

_wakers: set[Callable[[], None]] = set()
_closing = threading.Event()


def begin_shutdown() -> None:
    """End every stream and held request of this process now, and hold no new one."""
    _closing.set()
    for wake in tuple(_wakers):
        wake()


def is_closing() -> bool:
    """Whether this process has begun to shut down."""
    return _closing.is_set()


def _nothing() -> object:
    return None


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells that it is worth looking again."""

    topics: tuple[str, ...]
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
        for name, value in answer.items():
            self[name] = value
        return True

    def wait_here(self) -> "Held":
        """Hold the calling thread, for servers that know nothing of waiting."""
        with _listening_thread(self.signs) as pause:
            while not self.settle():
                pause(min(self.remaining, LOOK_SECONDS))
        return self

    async def wait(self, call: Call[bool]) -> None:
        """Hold no thread; `call` runs a function in one."""
        async with _listening_loop(self.signs) as pause:
            while not await call(self.settle):
                await pause(min(self.remaining, LOOK_SECONDS))


@dataclass(frozen=True, slots=True)
class Step:
    """What a follower has found: something to send, and whether more is there already, or will never be."""

    chunk: bytes = b""
    more: bool = False
    done: bool = False


class Followed(StreamingHttpResponse):
    """A stream of what `step()` finds, from the first call on until it is done. `ping` is sent in long silences."""

    def __init__(self, signs: Signs, step: Callable[[], Step], *, ping: bytes = b"", **kwargs: Any) -> None:
        self._signs, self._step, self._ping = signs, step, ping
        self._first: Step | None = step()  # what is wrong with the request is found out before the stream begins
        self._spoke = time.monotonic()
        super().__init__(self._follow_here(), **kwargs)
        self.headers["Cache-Control"] = "no-cache"
        self.headers["X-Accel-Buffering"] = "no"

    def _follow_here(self) -> Iterator[bytes]:
        with _listening_thread(self._signs) as pause:
            while True:
                step = self._next()
                if chunk := self._said(step):
                    yield chunk
                if step.done or is_closing():
                    return
                if not step.more:
                    pause(LOOK_SECONDS)

    async def chunks(self, call: Call[Step]) -> AsyncGenerator[bytes, None]:
        """The same on the event loop; `call` runs a function in a thread."""
        async with _listening_loop(self._signs) as pause:
            while True:
                step = await call(self._next)
                if chunk := self._said(step):
                    yield chunk
                if step.done or is_closing():
                    return
                if not step.more:
                    await pause(LOOK_SECONDS)

    def _next(self) -> Step:
        first, self._first = self._first, None
        return first or self._step()

    def _said(self, step: Step) -> bytes:
        now = time.monotonic()
        if not step.chunk and now - self._spoke < PING_SECONDS:
            return b""
        self._spoke = now
        return step.chunk or self._ping


async def in_thread(pool: Executor, function: Callable[[], T]) -> T:
    """Run a function that reads the database in a thread of the pool, whose connection is kept while it is good."""

    def run() -> T:
        close_old_connections()
        try:
            return function()
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(pool, run)


@contextlib.contextmanager
def _listening_thread(signs: Signs) -> Iterator[Callable[[float], None]]:
    """Yields what waits, up to some seconds, for a sign since it last did."""
    with bell.listening(*signs.topics) as rung:
        seen = signs.peek()

        def pause(seconds: float) -> None:
            nonlocal seen
            until = time.monotonic() + seconds
            while seen == signs.peek() and not is_closing() and (left := until - time.monotonic()) > 0:
                if rung.wait(min(PEEK_SECONDS, left)):
                    break
            rung.clear()
            seen = signs.peek()

        _wakers.add(rung.set)
        try:
            yield pause
        finally:
            _wakers.discard(rung.set)


@contextlib.asynccontextmanager
async def _listening_loop(signs: Signs) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
    """The same for the event loop."""
    loop, rung, seen = asyncio.get_running_loop(), asyncio.Event(), signs.peek()
    interval = LOOK_SECONDS if signs.peek is _nothing else PEEK_SECONDS

    async def pause(seconds: float) -> None:
        nonlocal seen
        until = time.monotonic() + seconds
        while seen == signs.peek() and not is_closing() and (left := until - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), min(interval, left))
                break
        rung.clear()
        seen = signs.peek()

    def ring() -> None:
        loop.call_soon_threadsafe(rung.set)

    endings = [bell.subscribe(topic, ring) for topic in signs.topics]
    _wakers.add(ring)
    try:
        yield pause
    finally:
        _wakers.discard(ring)
        for end in endings:
            end()
