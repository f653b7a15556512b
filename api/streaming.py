"""Answers that go on: what a source says, from a place on, until it is done.

Who follows the same source on our ASGI handler shares its feed. The feed listens and looks once for all of them,
reads in a thread, and gives the bytes that it has read from a place to everyone who is there; the last ones are kept
for those who come a little later. A follower that is slower, or joins at another place, has that place read anew. So
a line costs one reading and one framing, however many follow; a follower holds no thread, and one piece at most.

Any other server follows in the request's own thread.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from django.http import StreamingHttpResponse

from api.waiting import LOOK_SECONDS, PEEK_SECONDS, Call, Signs, is_closing, listening, wakes
from container_manager.bell import bell

PING_SECONDS = 15.0
GATHER_SECONDS = 0.02
"""What is written within this time after a reading is read together."""

_KEPT_BYTES = 256 * 1024
_KEPT_STEPS = 64


P = TypeVar("P", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Step(Generic[P]):
    """What a source says from a place on, and where that leads.

    `more` says that more is there already, `done` that there will never be more.
    """

    then: P
    chunk: bytes = b""
    more: bool = False
    done: bool = False


class Source(Protocol):
    """What can be followed. Sources with the same `key` say the same at the same place."""

    @property
    def key(self) -> Hashable: ...

    @property
    def signs(self) -> Signs: ...

    def start(self) -> Hashable:
        """The place where this follower begins."""

    def step(self, place: Any, *, look: bool) -> Step[Any]:
        """Read on from a place, and with `look` also whether it is done. Runs in any thread, several at once."""


class Followed(StreamingHttpResponse):
    """A stream of what a source says. `ping` is sent in long silences."""

    def __init__(self, source: Source, *, ping: bytes = b"", **kwargs: Any) -> None:
        self._source, self._ping = source, ping
        # What is wrong with the request is found out before the stream begins.
        self._first = source.step(source.start(), look=True)
        self._spoke = time.monotonic()
        super().__init__(self._follow_here(), **kwargs)
        self.headers["Cache-Control"] = "no-cache"
        self.headers["X-Accel-Buffering"] = "no"

    def _follow_here(self) -> Iterator[bytes]:
        with listening(self._source.signs) as pause:
            step = self._first
            while True:
                if chunk := self._said(step):
                    yield chunk
                if step.done or is_closing():
                    return
                if not (step.chunk or step.more):
                    pause(LOOK_SECONDS)
                step = self._source.step(step.then, look=True)

    async def chunks(self, feeds: "Feeds") -> AsyncGenerator[bytes, None]:
        """The same on the event loop."""
        with feeds.following(self._source) as feed:
            step = self._first
            while True:
                if chunk := self._said(step):
                    yield chunk
                if step.done or is_closing():
                    return
                step = await feed.step(step.then)

    def _said(self, step: Step[Any]) -> bytes:
        now = time.monotonic()
        if not step.chunk and now - self._spoke < PING_SECONDS:
            return b""
        self._spoke = now
        return step.chunk or self._ping


class Feeds:
    """The feeds of one event loop. `call` runs a function in a thread."""

    def __init__(self, call: Call[Step[Any]]) -> None:
        self._call = call
        self._feeds: dict[Hashable, Feed] = {}

    @contextlib.contextmanager
    def following(self, source: Source) -> Iterator["Feed"]:
        """The feed of the source, which is there while somebody follows it."""
        feed = self._feeds.get(source.key)
        if feed is None:
            feed = self._feeds[source.key] = Feed(source, self._call)
        feed.followers += 1
        try:
            yield feed
        finally:
            feed.followers -= 1
            if not feed.followers:
                del self._feeds[source.key]
                feed.close()


class Feed:
    """One source for all who follow it.

    `turn` counts how often there may have been more to read, `looks` how often that may have been the end.
    """

    def __init__(self, source: Source, call: Call[Step[Any]]) -> None:
        self.followers = 0
        self._source, self._call = source, call
        self._loop = asyncio.get_running_loop()
        self._turn = self._looks = self._looked = 0
        self._turned, self._turned_at, self._rung = asyncio.Event(), 0.0, False
        self._seen = source.signs.peek()
        self._front: tuple[Hashable, int] = (None, -1)
        self._kept: dict[Hashable, Step[Any]] = {}
        self._kept_bytes = 0
        self._readers: dict[Hashable, _Reader] = {}
        self._endings = contextlib.ExitStack()
        for topic in source.signs.topics:
            self._endings.callback(bell.subscribe(topic, self._ring_for_a_look))
        for topic in source.signs.writes:
            self._endings.callback(bell.subscribe(topic, self._ring))
        self._endings.enter_context(wakes(self._ring_for_a_look))
        self._watcher = self._loop.create_task(self._watch())

    def close(self) -> None:
        self._watcher.cancel()
        self._endings.close()

    async def step(self, place: Hashable) -> Step[Any]:
        """What the source says from a place on, once there is something; an empty step now and then in silences."""
        if kept := self._kept.get(place):
            return kept
        reader = self._readers.get(place)
        if reader is None:
            reader = self._readers[place] = _Reader(self._loop.create_task(self._read_on(place)))
            reader.task.add_done_callback(partial(self._end, place, reader))
        reader.waiting += 1
        try:
            await reader.told.wait()
        finally:
            reader.waiting -= 1
            if not (reader.waiting or reader.task.done()):
                reader.task.cancel()
                self._readers.pop(place, None)
        return reader.task.result() if reader.task.done() else Step(place)

    async def _read_on(self, place: Hashable) -> Step[Any]:
        """Read from a place at every turn until there is something."""
        at = place
        if self._front == (place, self._turn) and self._looks == self._looked:
            await self._next_turn(self._turn)
        while True:
            turn, looks = self._turn, self._looks
            step = await self._call(partial(self._source.step, at, look=looks != self._looked))
            if step.chunk or step.done:
                break
            self._looked = looks
            at = step.then
            if not step.more:
                await self._next_turn(turn)
        if not step.done:
            self._keep(place, step)
        if not step.more:
            self._front = (step.then, turn)
        return step

    def _keep(self, place: Hashable, step: Step[Any]) -> None:
        self._kept[place] = step
        self._kept_bytes += len(step.chunk)
        while len(self._kept) > _KEPT_STEPS or self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= len(self._kept.pop(next(iter(self._kept))).chunk)

    def _end(self, place: Hashable, reader: "_Reader", task: asyncio.Task[Step[Any]]) -> None:
        if self._readers.get(place) is reader:
            del self._readers[place]
        if not task.cancelled():
            task.exception()  # is told to those who wait for it; there may be none left
        reader.told.set()

    async def _next_turn(self, turn: int) -> None:
        while self._turn == turn:
            await self._turned.wait()

    async def _watch(self) -> None:
        """Rings may be lost, and logs of another process do not ring here."""
        peeks = bool(self._source.signs.writes)
        look_at = self._loop.time() + LOOK_SECONDS
        while True:
            await asyncio.sleep(min(PEEK_SECONDS, LOOK_SECONDS) if peeks else LOOK_SECONDS)
            if self._loop.time() >= look_at:
                look_at = self._loop.time() + LOOK_SECONDS
                self._look()
                for reader in self._readers.values():
                    reader.stir()
            elif self._source.signs.peek() != self._seen:
                self._soon()

    def _ring_for_a_look(self) -> None:
        self._loop.call_soon_threadsafe(self._look)

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            self._loop.call_soon_threadsafe(self._soon)

    def _look(self) -> None:
        self._looks += 1
        self._take_turn()
        if is_closing():
            for reader in self._readers.values():
                reader.stir()

    def _soon(self) -> None:
        wait = self._turned_at + GATHER_SECONDS - self._loop.time()
        if wait > 0:
            self._loop.call_later(wait, self._take_turn)
        else:
            self._take_turn()

    def _take_turn(self) -> None:
        self._rung = False
        self._seen = self._source.signs.peek()
        self._turned_at = self._loop.time()
        self._turn += 1
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()


class _Reader:
    """Who reads on from one place, for those who wait there."""

    def __init__(self, task: asyncio.Task[Step[Any]]) -> None:
        self.task, self.told, self.waiting = task, asyncio.Event(), 0

    def stir(self) -> None:
        """Have those who wait go round once, with nothing."""
        told, self.told = self.told, asyncio.Event()
        told.set()
