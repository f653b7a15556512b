"""The log store: what jobs have written, kept apart from the engine and outliving the container.

One file an attempt, in `STORAGES["logs"]`. It is a sequence of records, each the bytes of one stream as
they came: head (stream, time, number of its first line, length), bytes, and the record's whole length once
more, so that it can be read from either end. A last record without bytes says that the log is complete.

A line's number counts the lines of both streams in the order they came; a piece that has no newline yet is a
line of its own, marked partial. A cursor is opaque and names the next line to be read.
"""

import fcntl
import json
import os
import struct
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self
from uuid import UUID

from django.core.files.storage import storages

from container_manager.bell import bell, logs_topic
from container_manager.exceptions import InvalidCursor

STREAMS = ("stdout", "stderr")
_END = 255
_HEAD = struct.Struct(">BQQI")
_TAIL = struct.Struct(">I")
_MAX_RECORD = 1024 * 1024
_PAGE_BYTES = 4 * 1024 * 1024


def log_path(job_id: UUID, attempt: int) -> Path:
    """Where the log of an attempt is kept; it may not be there yet."""
    return Path(storages["logs"].path(f"{job_id.hex[-2:]}/{job_id}/{attempt}.log"))


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    stream: int
    at_ns: int
    first_line: int
    length: int

    @property
    def data_offset(self) -> int:
        return self.offset + _HEAD.size

    @property
    def end(self) -> int:
        return self.data_offset + self.length + _TAIL.size


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line, without its newline; `partial` says that it had none (yet)."""

    seq: int
    stream: str
    at: datetime
    data: bytes
    partial: bool


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines, where to go on, and whether the log has ended there. `dropped_bytes` were over the store's bound.

    `full` says that it ended at its own bounds: there may be more.
    """

    lines: list[LogLine]
    next_cursor: str
    complete: bool
    dropped_bytes: dict[str, int]
    full: bool = False


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Bytes of one stream as they came, whatever lines they hold, and where to go on behind them."""

    stream: str
    at: datetime
    data: bytes
    next_cursor: str


class LogWriter:
    """Appends to the log of one attempt. Used by one thread; a second writer at once is a BlockingIOError.

    The engine gives every log from its first byte. What an earlier writer has stored is skipped by counting
    bytes per stream, so a log that is collected again after a crash has nothing twice and nothing missing.
    """

    def __init__(self, job_id: UUID, attempt: int, *, max_bytes: int) -> None:
        self._topic = logs_topic(job_id)
        self._max_bytes = max_bytes
        self._seen = [0, 0]
        self._stored = [0, 0]
        self._next_line = 0
        self.complete = False
        path = log_path(job_id, attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._file = path.open("r+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._recover()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _recover(self) -> None:
        end = 0
        for record in _records(self._file, 0, os.fstat(self._file.fileno()).st_size):
            if record.stream == _END:
                self.complete = True
            else:
                self._stored[record.stream] += record.length
                self._next_line = record.first_line + _line_count(_data(self._file, record))
            end = record.end
        self._end = end
        self._file.truncate(end)  # a record that was being written when its writer died
        self._file.seek(end)

    def write(self, stream: str, data: bytes, at: datetime | None) -> None:
        """Store what is new of `data`, up to the bound; the rest is counted and said at the end."""
        index = STREAMS.index(stream)
        known = self._stored[index] - self._seen[index]
        self._seen[index] += len(data)
        if known > 0:
            data = data[known:]
        data = data[: max(self._max_bytes - sum(self._stored), 0)] if not self.complete else b""
        at_ns = time.time_ns() if at is None else int(at.timestamp() * 1e9)
        for start in range(0, len(data), _MAX_RECORD):
            self._append(index, at_ns, data[start : start + _MAX_RECORD])
        if data:
            bell.ring_here(self._topic)

    def finish(self, lost: Mapping[str, int] | None = None) -> None:
        """Say that nothing will follow. `lost` is what the engine itself did not keep, in bytes by stream."""
        if not self.complete:
            before = lost or {}
            dropped = {name: self._dropped(index) + before.get(name, 0) for index, name in enumerate(STREAMS)}
            self._append(_END, time.time_ns(), json.dumps(dropped).encode())
            self.complete = True
        bell.ring_here(self._topic)

    def close(self) -> None:
        self._file.close()

    def _dropped(self, index: int) -> int:
        return max(self._seen[index] - self._stored[index], 0)

    def _write(self, record: bytes) -> None:
        """All of it or nothing. Raises OSError when the disk is full."""
        rest = memoryview(record)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.truncate(self._end)
            self._file.seek(self._end)
            raise
        self._end += len(record)

    def _append(self, stream: int, at_ns: int, data: bytes) -> None:
        head = _HEAD.pack(stream, at_ns, self._next_line, len(data))
        self._write(head + data + _TAIL.pack(len(head) + len(data) + _TAIL.size))
        if stream != _END:
            self._stored[stream] += len(data)
            self._next_line += _line_count(data)


def read(
    job_id: UUID,
    attempt: int,
    *,
    cursor: str | None = None,
    streams: Collection[str] = STREAMS,
    tail: int | None = None,
    since: datetime | None = None,
    limit: int = 1000,
    most_bytes: int = _PAGE_BYTES,
) -> LogPage:
    """Read up to `limit` lines from `cursor`, or the last `tail` ones, or those stored `since` a time.

    A page ends with the record (of 1 MiB at most) that brings it to `most_bytes`, however long its lines are. A log
    that does not exist yet is empty and not complete. Raises InvalidCursor.
    """
    wanted = {STREAMS.index(stream) for stream in streams}
    since_ns = int(since.timestamp() * 1e9) if since else 0
    path = log_path(job_id, attempt)
    if not path.exists():
        return LogPage([], cursor or _cursor(0, 0), complete=False, dropped_bytes={})
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if tail is not None:
            return _read_tail(file, size, wanted, min(tail, limit), since_ns)
        offset, skip = _parse_cursor(file, cursor, size)
        return _read_forward(file, size, offset, skip, wanted, limit, since_ns, most_bytes)


def raw(
    job_id: UUID, attempt: int, *, streams: Collection[str] = STREAMS, offset: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Yield the bytes as they were written, each with the offset to go on from, up to what is stored now."""
    wanted = {STREAMS.index(stream) for stream in streams}
    path = log_path(job_id, attempt)
    if not path.exists():
        return
    with path.open("rb") as file:
        for record in _records(file, offset, os.fstat(file.fileno()).st_size):
            yield record.end, _data(file, record) if record.stream in wanted else b""


def chunks(
    job_id: UUID, attempt: int, *, cursor: str | None = None, passed: int = -1, streams: Collection[str] = STREAMS
) -> Iterator[LogChunk]:
    """Yield what was written from a cursor on, up to what is stored now, but no line whose number is `passed` or less.

    What is of another stream is a chunk without bytes. Raises InvalidCursor.
    """
    wanted = {STREAMS.index(stream) for stream in streams}
    path = log_path(job_id, attempt)
    if not path.exists():
        return
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        offset, skip = _parse_cursor(file, cursor, size)
        for record in _records(file, offset, size):
            if record.stream == _END:
                return
            data = _data(file, record) if record.stream in wanted else b""
            if (skip := max(skip, passed + 1 - record.first_line)) > 0:
                data = b"".join(_split(data)[skip:])
            yield LogChunk(STREAMS[record.stream], _time(record), data, _cursor(record.end, 0))
            skip = 0


def delete(job_id: UUID) -> None:
    """Remove the logs of all attempts of a job; none there is success."""
    directory = log_path(job_id, 0).parent
    for path in directory.glob("*.log"):
        path.unlink(missing_ok=True)
    with suppress(FileNotFoundError):  # never there, or somebody else was faster
        directory.rmdir()


def _read_forward(
    file: BinaryIO, size: int, offset: int, skip: int, wanted: set[int], limit: int, since_ns: int, most_bytes: int
) -> LogPage:
    lines: list[LogLine] = []
    size_read = 0
    for record in _records(file, offset, size):
        if record.stream == _END:
            return LogPage(lines, _cursor(record.offset, 0), complete=True, dropped_bytes=_dropped_bytes(file, record))
        if record.stream in wanted and record.at_ns >= since_ns:
            found = _lines(file, record)[skip:]
            taken = found[: limit - len(lines)]
            lines += taken
            if len(taken) < len(found):
                return LogPage(lines, _cursor(record.offset, skip + len(taken)), False, {}, full=True)
            size_read += record.length
            if size_read >= most_bytes:
                return LogPage(lines, _cursor(record.end, 0), complete=False, dropped_bytes={}, full=True)
        offset, skip = record.end, 0
    return LogPage(lines, _cursor(offset, skip), complete=False, dropped_bytes={})


def _read_tail(file: BinaryIO, size: int, wanted: set[int], count: int, since_ns: int) -> LogPage:
    lines: deque[LogLine] = deque()
    end = _end_record(file, size)
    position = after = end.offset if end else _last_boundary(file, size)
    size_read = 0
    while position > 0 and len(lines) < count and size_read < _PAGE_BYTES:
        record = _record_before(file, position)
        if record.at_ns < since_ns:
            break
        if record.stream in wanted:
            size_read += record.length
            lines.extendleft(reversed(_lines(file, record)))
        position = record.offset
    kept = list(lines)[max(len(lines) - count, 0) :]
    return LogPage(kept, _cursor(after, 0), complete=end is not None, dropped_bytes=_dropped_bytes(file, end))


def _records(file: BinaryIO, offset: int, size: int) -> Iterator[_Record]:
    """The whole records from an offset on; one that is still being written is not told."""
    while offset + _HEAD.size <= size:
        file.seek(offset)
        record = _Record(offset, *_HEAD.unpack(file.read(_HEAD.size)))
        if record.end > size:
            return
        yield record
        offset = record.end


def _record_before(file: BinaryIO, offset: int) -> _Record:
    file.seek(offset - _TAIL.size)
    start = offset - _TAIL.unpack(file.read(_TAIL.size))[0]
    file.seek(start)
    return _Record(start, *_HEAD.unpack(file.read(_HEAD.size)))


def _end_record(file: BinaryIO, size: int) -> _Record | None:
    record = _record_before(file, size) if _is_boundary(file, size) and size else None
    return record if record and record.stream == _END else None


def _is_boundary(file: BinaryIO, offset: int) -> bool:
    if offset < _HEAD.size + _TAIL.size:
        return offset == 0
    file.seek(offset - _TAIL.size)
    start = offset - _TAIL.unpack(file.read(_TAIL.size))[0]
    if not 0 <= start <= offset - _HEAD.size - _TAIL.size:
        return False
    file.seek(start)
    return _Record(start, *_HEAD.unpack(file.read(_HEAD.size))).end == offset


def _last_boundary(file: BinaryIO, size: int) -> int:
    if _is_boundary(file, size):
        return size
    return max((record.end for record in _records(file, 0, size)), default=0)


def _data(file: BinaryIO, record: _Record) -> bytes:
    file.seek(record.data_offset)
    return file.read(record.length)


def _time(record: _Record) -> datetime:
    return datetime.fromtimestamp(record.at_ns / 1e9, UTC)


def _lines(file: BinaryIO, record: _Record) -> list[LogLine]:
    at = _time(record)
    return [
        LogLine(
            record.first_line + index, STREAMS[record.stream], at, piece.removesuffix(b"\n"), not piece.endswith(b"\n")
        )
        for index, piece in enumerate(_split(_data(file, record)))
    ]


def _split(data: bytes) -> list[bytes]:
    pieces = data.split(b"\n")
    return [piece + b"\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def _line_count(data: bytes) -> int:
    return data.count(b"\n") + (not data.endswith(b"\n"))


def _dropped_bytes(file: BinaryIO, record: _Record | None) -> dict[str, int]:
    dropped: dict[str, int] = json.loads(_data(file, record)) if record else {}
    return {stream: count for stream, count in dropped.items() if count}


def _cursor(offset: int, line: int) -> str:
    return f"{offset}-{line}"


def _parse_cursor(file: BinaryIO, cursor: str | None, size: int) -> tuple[int, int]:
    if cursor is None:
        return 0, 0
    offset, _, line = cursor.partition("-")
    known = offset.isdecimal() and line.isdecimal() and len(cursor) < 40 and int(offset) <= size
    if not (known and _is_boundary(file, int(offset))):
        raise InvalidCursor(f"cursor {cursor!r} was not given out by this log")
    return int(offset), int(line)
