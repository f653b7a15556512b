"""Logs and events as they come: sources that are read step by step, written in the form that the client accepts."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Protocol

import orjson

from api.documents import end_document, event_document, log_chunk_document, log_line_document
from api.schemas.queries import LogQuery
from api.streaming import Step
from api.waiting import Signs
from container_manager import jobs, logs
from container_manager.bell import job_topic, logs_topic
from container_manager.exceptions import InvalidCursor, LogsGone, PurserError, UnknownJob
from container_manager.logs import LogChunk, LogLine, LogPage
from container_manager.models import Job
from container_manager.states import TERMINAL

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
PLAIN = "text/plain"
SSE_PING = b": ping\n\n"

_PAGE_LINES = 1000
_CHUNK_BYTES = 128 * 1024
"""What a follower that does not read holds, more or less."""

START = "start"
"""The cursor of the first attempt's first line, whatever has been launched since."""


class Form(Protocol):
    """How a stream of logs is written."""

    def line(self, line: LogLine, cursor: str) -> bytes:
        """One line, and the cursor behind it."""

    def attempt(self, number: int, dropped: dict[str, int]) -> bytes:
        """Another attempt begins; so many bytes of the one before were not kept."""

    def end(self, job: Job, dropped: dict[str, int]) -> bytes:
        """Nothing will follow."""

    def broken(self, error: PurserError) -> bytes:
        """What should follow cannot be had any more. Raises it where the form has no words for that."""


class SseForm:
    """Server-sent events: `log` with a resumable id, `attempt`, and a last `end`."""

    def line(self, line: LogLine, cursor: str) -> bytes:
        return server_sent("log", log_line_document(line), cursor)

    def attempt(self, number: int, dropped: dict[str, int]) -> bytes:
        return server_sent("attempt", {"attempt": number, "dropped_bytes": dropped})

    def end(self, job: Job, dropped: dict[str, int]) -> bytes:
        return server_sent("end", {**end_document(job), "dropped_bytes": dropped})

    def broken(self, error: PurserError) -> bytes:
        return _error_event(error)


class NdjsonForm:
    """A JSON object a line: log lines, `{"attempt": …}` and a last `{"end": …}`."""

    def line(self, line: LogLine, cursor: str) -> bytes:
        return json_line(log_line_document(line))

    def attempt(self, number: int, dropped: dict[str, int]) -> bytes:
        return json_line({"attempt": number, "dropped_bytes": dropped})

    def end(self, job: Job, dropped: dict[str, int]) -> bytes:
        return json_line({"end": {**end_document(job), "dropped_bytes": dropped}})

    def broken(self, error: PurserError) -> bytes:
        return json_line({"error": _error_document(error)})


class PlainForm:
    """The bytes themselves and nothing else."""

    def line(self, line: LogLine, cursor: str) -> bytes:
        return line.data if line.partial else line.data + b"\n"

    def attempt(self, number: int, dropped: dict[str, int]) -> bytes:
        return b""

    def end(self, job: Job, dropped: dict[str, int]) -> bytes:
        return b""

    def broken(self, error: PurserError) -> bytes:
        raise error


FORMS: dict[str, Form] = {SSE: SseForm(), NDJSON: NdjsonForm(), PLAIN: PlainForm()}


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a job's logs: the attempt, the store's cursor, and the last line that was passed after it.

    The last part lets every line of a page have a cursor of its own.
    """

    attempt: int
    cursor: str | None = None
    passed: int = -1

    @classmethod
    def parse(cls, text: str, job: Job) -> "Place":
        """Raises InvalidCursor."""
        if text == START:
            return cls(0)
        attempt, *rest = text.split(".")
        if not (len(rest) in (1, 2) and all(part.isascii() and part.isdecimal() for part in (attempt, *rest[1:]))):
            raise InvalidCursor(f"cursor {text!r} was not given out by this log")
        if len(text) > 80 or int(attempt) > job.attempt:
            raise InvalidCursor(f"cursor {text!r} was not given out by this log")
        return cls(int(attempt), rest[0], int(rest[1]) if len(rest) == 2 else -1)

    def __str__(self) -> str:
        return f"{self.attempt}.{self.cursor or '0-0'}" + (f".{self.passed}" if self.passed >= 0 else "")

    def behind(self, line: LogLine) -> str:
        """The cursor behind a line of the page that begins here."""
        return str(Place(self.attempt, self.cursor or "0-0", line.seq))


class LogReader:
    """Reads a job's logs page by page. Raises LogsGone for those past their retention."""

    def __init__(self, job: Job, query: LogQuery, cursor: str | None) -> None:
        _require_logs(job)
        given = cursor or query.cursor
        self.job = job
        self.start = Place.parse(given, job) if given else Place(query.attempt or job.attempt)
        self.tail = None if given else query.tail
        self._query = query

    def page(
        self, place: Place, limit: int, *, tail: int | None = None, most_bytes: int | None = None
    ) -> tuple[LogPage, Place, Place]:
        """The next lines that have not been passed, the place they begin at, and the one behind them."""
        bound = {} if most_bytes is None else {"most_bytes": most_bytes}
        while True:
            found = logs.read(
                self.job.pk, place.attempt, cursor=place.cursor, streams=self._query.streams,
                tail=tail, since=self._query.since, limit=limit, **bound,
            )  # fmt: skip
            tail = None
            lines = [line for line in found.lines if line.seq > place.passed]
            after = Place(place.attempt, found.next_cursor, -1 if lines else place.passed)
            if lines or not found.lines:
                return replace(found, lines=lines), place, after
            place = after

    def is_over(self, page: LogPage) -> bool:
        """Whether nothing can follow a page that has been read to its end, in this or in another attempt."""
        if self._query.attempt is not None and page.complete:
            return True
        return self.job.state in TERMINAL and (page.complete or self.job.cleaned_at is not None)

    def next_attempt(self, place: Place, page: LogPage) -> Place | None:
        """The beginning of the attempt that follows a page that has been read to its end at that place."""
        attempt = place.attempt
        if self._query.attempt is not None or self.job.attempt <= attempt or not (page.complete or attempt == 0):
            return None
        return Place(attempt + 1)

    def refresh(self) -> None:
        """Look at the job again. Raises UnknownJob when its retention has ended."""
        self.job = jobs.get(self.job.pk, namespace=self.job.namespace)


def _require_logs(job: Job) -> None:
    if job.logs_deleted_at:
        raise LogsGone(f"the job's logs were deleted at {job.logs_deleted_at:%Y-%m-%d %H:%M:%S} UTC")


@dataclass(frozen=True, slots=True)
class At:
    """Where a follower is, and how many lines it still wants: of those to begin with, and in all.

    Who follows the bytes themselves is at an offset of the attempt's log instead.
    """

    place: Place
    tail: int | None = None
    left: int | None = None
    offset: int = 0


class LogSource:
    """Says what a job has written since, through all attempts, and at last how the job ended.

    A log that is deleted while it is followed is an error that is told, never an end.
    """

    def __init__(self, reader: LogReader, query: LogQuery, form: str, *, follow: bool) -> None:
        self._reader, self._form, self._follow = reader, FORMS[form], follow
        self._left = query.limit
        self._streams = query.streams
        self._path = self._log(reader.start.attempt)
        job_id = reader.job.pk
        self.key = (type(self), job_id, query.streams, query.attempt, query.since, form, follow)
        self.signs = Signs((job_topic(job_id),), (logs_topic(job_id),), self._size)

    def start(self) -> At:
        return At(self._reader.start, self._reader.tail, self._left)

    def step(self, place: At, *, look: bool) -> Step[At]:
        step, page = self._read(place)
        if step.chunk or step.done:
            return step
        if look:
            # The job is looked at before the last reading, so that nothing is written after what is taken for its end.
            if gone := self._look():
                return Step(place, self._form.broken(gone), done=True)
            step, page = self._read(place)
        return step if step.chunk else self._at_the_end(page, step)

    def _read(self, at: At) -> tuple[Step[At], LogPage]:
        most = min(_PAGE_LINES, at.left or _PAGE_LINES)
        page, began, after = self._reader.page(at.place, most, tail=at.tail, most_bytes=_CHUNK_BYTES)
        then = At(after, None, None if at.left is None else at.left - len(page.lines))
        chunk = b"".join(self._form.line(line, began.behind(line)) for line in page.lines)
        done = then.left == 0 or not (self._follow or chunk)
        return Step(then, chunk, more=page.full or page.complete, done=done), page

    def _look(self) -> PurserError | None:
        """See how the job is. Returns why its logs cannot be had any more."""
        try:
            self._reader.refresh()
            _require_logs(self._reader.job)
        except (LogsGone, UnknownJob) as error:
            return error
        return None

    def _at_the_end(self, page: LogPage, read: Step[At]) -> Step[At]:
        if following := self._reader.next_attempt(read.then.place, page):
            self._path = self._log(following.attempt)
            chunk = self._form.attempt(following.attempt, page.dropped_bytes)
            return Step(At(following, left=read.then.left), chunk, more=True)
        if self._reader.is_over(page):
            return replace(read, chunk=self._form.end(self._reader.job, page.dropped_bytes), done=True)
        return replace(read, more=False)

    def _log(self, attempt: int) -> str:
        return str(logs.log_path(self._reader.job.pk, attempt))

    def _size(self) -> int:
        try:
            return os.stat(self._path).st_size
        except OSError:
            return -1


class RawSource(LogSource):
    """The same for whole streams as plain bytes, without looking for lines."""

    def _read(self, at: At) -> tuple[Step[At], LogPage]:
        page = logs.read(self._reader.job.pk, at.place.attempt, tail=0)
        parts: list[bytes] = []
        size, offset = 0, at.offset
        for after, data in logs.raw(self._reader.job.pk, at.place.attempt, streams=self._streams, offset=offset):
            parts.append(data)
            offset, size = after, size + len(data)
            if size >= _CHUNK_BYTES:
                break
        more = size >= _CHUNK_BYTES or page.complete
        then = replace(at, offset=offset)
        return Step(then, b"".join(parts), more=more, done=not (self._follow or size)), page


class ChunkSource(LogSource):
    """The same as server-sent `chunk` events: bytes of one stream as they came, each with the id to go on behind."""

    def _read(self, at: At) -> tuple[Step[At], LogPage]:
        job_id, place = self._reader.job.pk, at.place
        page = logs.read(job_id, place.attempt, tail=0)
        stored = logs.chunks(job_id, place.attempt, cursor=place.cursor, passed=place.passed, streams=self._streams)
        found = list(_up_to(_CHUNK_BYTES, stored))
        told = b"".join(
            _chunk_event(place.attempt, list(run)) for _, run in groupby(found, key=lambda chunk: chunk.stream)
        )
        then = replace(at, place=Place(place.attempt, found[-1].next_cursor)) if found else at
        return Step(then, told, more=bool(told) or page.complete, done=not (self._follow or told)), page


def _up_to(most_bytes: int, chunks: Iterable[LogChunk]) -> Iterator[LogChunk]:
    size = 0
    for chunk in chunks:
        yield chunk
        size += len(chunk.data)
        if size >= most_bytes:
            return


def _chunk_event(attempt: int, run: list[LogChunk]) -> bytes:
    """Neighbours of one stream as one event; nothing for those of a stream that is not asked for."""
    whole = replace(run[-1], at=run[0].at, data=b"".join(chunk.data for chunk in run))
    cursor = str(Place(attempt, whole.next_cursor))
    return server_sent("chunk", log_chunk_document(whole), cursor) if whole.data else b""


class EventSource:
    """Says which events have been added since, and at last how the job ended, or that it is gone."""

    def __init__(self, job: Job, after: int) -> None:
        self._job, self._after = job, after
        self.key = (type(self), job.pk)
        self.signs = Signs((job_topic(job.pk),))

    def start(self) -> int:
        return self._after

    def step(self, place: int, *, look: bool) -> Step[int]:
        try:
            job = jobs.get(self._job.pk, namespace=self._job.namespace)
        except UnknownJob as error:
            return Step(place, _error_event(error), done=True)
        events = jobs.events(job, after=place, limit=_PAGE_LINES)
        last = events[-1].seq if events else place
        chunk = b"".join(server_sent(event.type, event_document(event), str(event.seq)) for event in events)
        if job.state in TERMINAL and last >= job.version:
            return Step(last, chunk + server_sent("end", end_document(job)), done=True)
        return Step(last, chunk, more=len(events) == _PAGE_LINES)


def server_sent(event: str, document: dict[str, Any], cursor: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"id: {cursor}\nevent: {event}\n" if cursor else f"event: {event}\n"
    return head.encode() + b"data: " + orjson.dumps(document) + b"\n\n"


def json_line(document: dict[str, Any]) -> bytes:
    """One line of newline-delimited JSON."""
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _error_event(error: PurserError) -> bytes:
    return server_sent("error", _error_document(error))


def _error_document(error: PurserError) -> dict[str, Any]:
    return {"code": error.code, "detail": str(error)}
