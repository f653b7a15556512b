"""Logs and events as they come: read step by step, written in the form that the client accepts."""

from dataclasses import replace
from typing import Any, Protocol

import orjson

from api.documents import end_document, event_document, log_line_document
from api.schemas.queries import LogQuery
from api.waiting import Signs, Step
from container_manager import jobs, logs
from container_manager.bell import job_topic, logs_topic
from container_manager.exceptions import InvalidCursor, LogsGone
from container_manager.logs import LogLine, LogPage
from container_manager.models import Job
from container_manager.states import TERMINAL

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
PLAIN = "text/plain"
SSE_PING = b": ping\n\n"

_PAGE_LINES = 1000
_CHUNK_BYTES = 1024 * 1024


class Form(Protocol):
    """How a stream of logs is written."""

    def line(self, line: LogLine, cursor: str) -> bytes:
        """One line, and the cursor behind it."""

    def attempt(self, number: int, dropped: dict[str, int]) -> bytes:
        """Another attempt begins; so many bytes of the one before were not kept."""

    def end(self, job: Job, dropped: dict[str, int]) -> bytes:
        """Nothing will follow."""


class SseForm:
    """Server-sent events: `log` with a resumable id, `attempt`, and a last `end`."""

    def line(self, line: LogLine, cursor: str) -> bytes:
        return server_sent("log", log_line_document(line), cursor)

    def attempt(self, number: int, dropped: dict[str, int]) -> bytes:
        return server_sent("attempt", {"attempt": number, "dropped_bytes": dropped})

    def end(self, job: Job, dropped: dict[str, int]) -> bytes:
        return server_sent("end", {**end_document(job), "dropped_bytes": dropped})


class NdjsonForm:
    """A JSON object a line: log lines, `{"attempt": …}` and a last `{"end": …}`."""

    def line(self, line: LogLine, cursor: str) -> bytes:
        return _json_line(log_line_document(line))

    def attempt(self, number: int, dropped: dict[str, int]) -> bytes:
        return _json_line({"attempt": number, "dropped_bytes": dropped})

    def end(self, job: Job, dropped: dict[str, int]) -> bytes:
        return _json_line({"end": {**end_document(job), "dropped_bytes": dropped}})


class PlainForm:
    """The bytes themselves and nothing else."""

    def line(self, line: LogLine, cursor: str) -> bytes:
        return line.data if line.partial else line.data + b"\n"

    def attempt(self, number: int, dropped: dict[str, int]) -> bytes:
        return b""

    def end(self, job: Job, dropped: dict[str, int]) -> bytes:
        return b""


FORMS: dict[str, Form] = {SSE: SseForm(), NDJSON: NdjsonForm(), PLAIN: PlainForm()}


class Place:
    """A place in a job's logs: the attempt, the store's cursor, and the last line that was passed after it.

    The last part lets every line of a page have a cursor of its own.
    """

    def __init__(self, attempt: int, cursor: str | None = None, passed: int = -1) -> None:
        self.attempt, self.cursor, self.passed = attempt, cursor, passed

    @classmethod
    def parse(cls, text: str, job: Job) -> "Place":
        """Raises InvalidCursor."""
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
    """Goes through a job's logs from a place on, page by page. Raises LogsGone for those past their retention."""

    def __init__(self, job: Job, query: LogQuery, cursor: str | None) -> None:
        if job.logs_deleted_at:
            raise LogsGone(f"the job's logs were deleted at {job.logs_deleted_at:%Y-%m-%d %H:%M:%S} UTC")
        given = cursor or query.cursor
        self.job = job
        self.place = Place.parse(given, job) if given else Place(query.attempt or job.attempt)
        self._tail = None if given else query.tail
        self._query = query

    def page(self, limit: int) -> tuple[LogPage, Place]:
        """The next lines that have not been passed, and the place they begin at."""
        while True:
            began = self.place
            found = logs.read(
                self.job.pk, began.attempt, cursor=began.cursor, streams=self._query.streams,
                tail=self._tail, since=self._query.since, limit=limit,
            )  # fmt: skip
            self._tail = None
            lines = [line for line in found.lines if line.seq > began.passed]
            self.place = Place(began.attempt, found.next_cursor, -1 if lines else began.passed)
            if lines or not found.lines:
                return replace(found, lines=lines), began

    def is_over(self, page: LogPage) -> bool:
        """Whether nothing can follow a page that has been read to its end, in this or in another attempt."""
        if self._query.attempt is not None and page.complete:
            return True
        return self.job.state in TERMINAL and (page.complete or self.job.cleaned_at is not None)

    def goes_on(self, page: LogPage) -> bool:
        """Whether another attempt follows a page that has been read to its end; the place is then its beginning."""
        attempt = self.place.attempt
        if self._query.attempt is not None or self.job.attempt <= attempt or not (page.complete or attempt == 0):
            return False
        self.place = Place(attempt + 1)
        return True

    def refresh(self) -> None:
        """Look at the job again. Raises UnknownJob when its retention has ended."""
        self.job = jobs.get(self.job.pk, namespace=self.job.namespace)


class LogFollower:
    """Says at each step what has been written since, through all attempts, and at last how the job ended."""

    def __init__(self, reader: LogReader, query: LogQuery, form: Form, *, follow: bool) -> None:
        self._reader, self._form, self._follow = reader, form, follow
        self._left = query.limit

    @property
    def signs(self) -> Signs:
        """What tells that there may be more."""
        job_id = self._reader.job.pk
        return Signs((job_topic(job_id), logs_topic(job_id)), self._size)

    def _size(self) -> int:
        try:
            return logs.log_path(self._reader.job.pk, self._reader.place.attempt).stat().st_size
        except FileNotFoundError:
            return -1

    def step(self) -> Step:
        page, began = self._reader.page(min(_PAGE_LINES, self._left or _PAGE_LINES))
        chunk = b"".join(self._form.line(line, began.behind(line)) for line in page.lines)
        if self._left is not None:
            self._left -= len(page.lines)
        if self._left == 0:
            return Step(chunk, done=True)
        if chunk or not self._follow:
            return Step(chunk, more=True, done=not chunk)
        return self._at_the_end(page)

    def _at_the_end(self, page: LogPage) -> Step:
        self._reader.refresh()
        if self._reader.goes_on(page):
            return Step(self._form.attempt(self._reader.place.attempt, page.dropped_bytes), more=True)
        if self._reader.is_over(page):
            return Step(self._form.end(self._reader.job, page.dropped_bytes), done=True)
        return Step()


class RawFollower(LogFollower):
    """The same for whole streams as plain bytes, without looking for lines."""

    def __init__(self, reader: LogReader, query: LogQuery, form: Form, *, follow: bool) -> None:
        super().__init__(reader, query, form, follow=follow)
        self._streams, self._attempt, self._offset = query.streams, reader.place.attempt, 0

    def step(self) -> Step:
        place = self._reader.place
        if place.attempt != self._attempt:
            self._attempt, self._offset = place.attempt, 0
        state = logs.read(self._reader.job.pk, place.attempt, tail=0)
        chunk = self._bytes()
        if chunk or not self._follow:
            return Step(chunk, more=True, done=not chunk)
        return self._at_the_end(state)

    def _bytes(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        for offset, data in logs.raw(self._reader.job.pk, self._attempt, streams=self._streams, offset=self._offset):
            parts.append(data)
            self._offset, size = offset, size + len(data)
            if size >= _CHUNK_BYTES:
                break
        return b"".join(parts)


class EventFollower:
    """Says at each step which events have been added since, and at last how the job ended."""

    def __init__(self, job: Job, after: int) -> None:
        self._job, self._after = job, after

    @property
    def signs(self) -> Signs:
        """What tells that there may be more."""
        return Signs((job_topic(self._job.pk),))

    def step(self) -> Step:
        job = jobs.get(self._job.pk, namespace=self._job.namespace)
        events = jobs.events(job, after=self._after, limit=_PAGE_LINES)
        self._after = events[-1].seq if events else self._after
        chunk = b"".join(server_sent(event.type, event_document(event), str(event.seq)) for event in events)
        if job.state in TERMINAL and self._after >= job.version:
            return Step(chunk + server_sent("end", end_document(job)), done=True)
        return Step(chunk, more=len(events) == _PAGE_LINES)


def server_sent(event: str, document: dict[str, Any], cursor: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"id: {cursor}\nevent: {event}\n" if cursor else f"event: {event}\n"
    return head.encode() + b"data: " + orjson.dumps(document) + b"\n\n"


def _json_line(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
