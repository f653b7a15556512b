"""From the engine's framing of logs to the bytes that the job wrote."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from container_manager.executors.results import LogFrame

_HEADER = struct.Struct(">BxxxL")
STREAMS = {1: "stdout", 2: "stderr"}


@dataclass(slots=True)
class _Last:
    """Where one stream stands."""

    at: bytes  # RFC 3339 with nanoseconds, of fixed width, so that bytes compare as times do
    pieces: int  # in a row that bear that time
    tail: bytes  # the last byte of the last piece, if it has any


class LogReader:
    """Turns batches of engine frames into LogFrames, exact in bytes.

    A frame of the engine holds a piece: a line, or a part of one that is longer than the engine's buffer.
    The parts of one line bear the same time. An engine's `local` driver may leave out the newline that ends
    a split line; it is put back where the next piece of that stream is seen to be another line.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._last: dict[int, _Last] = {}
        self._skip: dict[int, _Last] = {}

    def feed(self, batch: bytes) -> Iterator[LogFrame]:
        """The frames that are whole by now, neighbours of one stream joined."""
        run: list[bytes] = []
        of, began = 0, b""
        for stream, at, data in self._pieces(batch):
            if self._skip and self._is_repeated(stream, at):
                continue
            if stream != of:
                yield from _joined(of, began, run)
                run, of, began = [], stream, at
            if self._ends_line(stream, at, data):
                run.append(b"\n")
            run.append(data)
        yield from _joined(of, began, run)

    def resume(self) -> int:
        """Expect the log again from a little before where it broke off: the time to ask from, in whole seconds."""
        self._rest, self._skip = b"", {stream: replace(last) for stream, last in self._last.items()}
        return int(min((_time(last.at).timestamp() for last in self._last.values()), default=1)) - 1

    def finish(self) -> Iterator[LogFrame]:
        """What the end of the log proves: an empty last piece stands for a newline alone."""
        for stream, last in self._last.items():
            if not last.tail:
                yield LogFrame(STREAMS[stream], b"\n", _time(last.at))

    def _pieces(self, batch: bytes) -> Iterator[tuple[int, bytes, bytes]]:
        """Stream, time and data of each frame that is whole."""
        buffer, at = self._rest + batch, 0
        while len(buffer) - at >= _HEADER.size:
            stream, size = _HEADER.unpack_from(buffer, at)
            begin, end = at + _HEADER.size, at + _HEADER.size + size
            if end > len(buffer):
                break
            space = buffer.index(b" ", begin, end)
            yield stream, buffer[begin:space], buffer[space + 1 : end]
            at = end
        self._rest = buffer[at:]

    def _is_repeated(self, stream: int, at: bytes) -> bool:
        known = self._skip.get(stream)
        if known is None or at > known.at or (at == known.at and known.pieces == 0):
            return False
        known.pieces -= at == known.at
        return True

    def _ends_line(self, stream: int, at: bytes, data: bytes) -> bool:
        """Take note of a piece; whether it shows that a newline is missing before it."""
        last = self._last.get(stream)
        if last is None:
            self._last[stream] = _Last(at, 1, data[-1:])
            return False
        if last.at == at:
            last.pieces += 1
            last.tail = data[-1:]
            return False
        missing = last.tail != b"\n"
        last.at, last.pieces, last.tail = at, 1, data[-1:]
        return missing


def _joined(stream: int, at: bytes, run: list[bytes]) -> Iterator[LogFrame]:
    if data := b"".join(run):
        yield LogFrame(STREAMS[stream], data, _time(at))


def _time(at: bytes) -> datetime:
    return datetime.fromisoformat(at.decode())
