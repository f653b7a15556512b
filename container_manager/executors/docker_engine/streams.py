"""Open answers of the docker engine: read as they come, ended from another thread, written to."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Self

import requests

TICK_SECONDS = 0.05
GUARD_SECONDS = 0.2
PATIENCE_SECONDS = 1.0
GATHER_SECONDS = 0.002
_BATCH = 256 * 1024
_CHUNK = 64 * 1024


class StdinSocket:
    """What is sent becomes an execution's standard input; closing it ends the input."""

    def __init__(self, response: requests.Response, opened: Any) -> None:
        self._response = response
        self._socket = getattr(opened, "_sock", opened)

    def settimeout(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def send(self, data: memoryview) -> int:
        """How much of it was taken. Raises TimeoutError, or OSError when nobody reads any more."""
        return int(self._socket.send(data))

    def close(self) -> None:
        shut(self._socket)
        self._response.close()


class Stream:
    """An open answer of the engine, read as it comes."""

    def __init__(
        self, response: requests.Response, opened: Any, answering: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._response = response
        self._answering = answering
        self._socket = getattr(opened, "_sock", opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def batches(self) -> Iterator[bytes]:
        """What has come since, until the engine ends it. Raises EngineUnavailable when it breaks off."""
        chunks = self._chunks()
        while True:
            with self._answering():
                data = next(chunks, b"")
            if not data:
                return
            yield data

    def _chunks(self) -> Iterator[bytes]:
        # The engine sends a chunk per line, and an HTTP client pays for each: they are taken apart by the batch here.
        answer: Any = self._response.raw
        source = answer._fp.fp
        if not hasattr(source, "read1"):
            yield from answer.stream()
            return
        decoder = ChunkDecoder()
        while not decoder.is_complete:
            received = source.read1(_BATCH)
            if not received:
                raise ConnectionError("the answer broke off")
            if data := decoder.feed(received):
                yield data
            if len(received) < _BATCH and decoder.is_busy:
                time.sleep(GATHER_SECONDS)

    def documents(self) -> Iterator[dict[str, Any]]:
        """The JSON documents of a stream that holds one a line."""
        rest = b""
        for data in self.batches():
            *lines, rest = (rest + data).split(b"\n")
            yield from (json.loads(line) for line in lines if line.strip())

    def interrupt(self) -> None:
        """End a read that another thread is blocked in."""
        shut(self._socket)


class ChunkDecoder:
    """HTTP's chunked transfer coding, many chunks at a time."""

    def __init__(self) -> None:
        self._rest = b""
        self._fed_at = 0.0
        self.is_complete = False
        self.is_busy = False  # more came within a moment of what came before

    def feed(self, received: bytes) -> bytes:
        """The bytes of all chunks that are whole by now."""
        now = time.monotonic()
        self.is_busy, self._fed_at = now - self._fed_at < 2 * GATHER_SECONDS, now
        buffer, at, whole = self._rest + received, 0, []
        while (line_end := buffer.find(b"\r\n", at)) >= 0:
            begin = line_end + 2
            size = int(buffer[at:line_end], 16)
            if len(buffer) < begin + size + 2:
                break
            whole.append(buffer[begin : begin + size])
            at = begin + size + 2
            self.is_complete = size == 0
        self._rest = buffer[at:]
        return b"".join(whole)


def shut(opened: Any) -> None:
    """End whatever another thread does with a socket."""
    # Its other holders may still have it open, so closing it here would not be heard by the engine.
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class StreamGuard:
    """Interrupts each guarded read whose `stop` is set: one thread for all, none while there is nothing to guard."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guarded: dict[object, tuple[threading.Event, Callable[[], None]]] = {}
        self._running = False

    @contextmanager
    def guarding(self, stop: threading.Event, interrupt: Callable[[], None]) -> Iterator[None]:
        key = object()
        with self._lock:
            self._guarded[key] = (stop, interrupt)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="purser-stream-guard", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._guarded.pop(key, None)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(GUARD_SECONDS):
            with self._lock:
                if not self._guarded:
                    self._running = False
                    return
                due = [key for key, (stop, _) in self._guarded.items() if stop.is_set()]
                interrupts = [self._guarded.pop(key)[1] for key in due]
            for interrupt in interrupts:
                interrupt()


class StdinFeed:
    """Gives a text to an execution's standard input and then ends the input.

    What the connection holds is sent before the start, so that it arrives whatever becomes of this process;
    a thread sends the rest as the job reads it, until `is_alive` says that nobody will.
    """

    def __init__(self, socket: StdinSocket, data: bytes) -> None:
        self._socket = socket
        self._left = memoryview(data)
        self._socket.settimeout(TICK_SECONDS)
        if self._send():
            self._socket.close()

    def finish(self, name: str, is_alive: Callable[[], bool]) -> None:
        if self._left:
            self._socket.settimeout(PATIENCE_SECONDS)
            threading.Thread(target=self._send_rest, args=[is_alive], name=f"purser-stdin-{name}", daemon=True).start()

    def abandon(self) -> None:
        self._socket.close()

    def _send_rest(self, is_alive: Callable[[], bool]) -> None:
        try:
            while not self._send() and is_alive():
                continue
        except OSError:  # The engine closed it: the job has ended, or the engine is gone.
            return
        finally:
            self._socket.close()

    def _send(self) -> bool:
        """Send what is taken; whether that was all."""
        try:
            while self._left:
                self._left = self._left[self._socket.send(self._left[:_CHUNK]) :]
        except TimeoutError:
            return False
        return True
