"""What jobs write, in the form that the client accepts."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from api.documents import log_page_document
from api.endpoint import ETAG, IF_NONE_MATCH, JSON, Header, Tagged, View, endpoint, find_job
from api.errors import InvalidQuery
from api.examples import of_model
from api.following import (
    NDJSON,
    PLAIN,
    SSE,
    SSE_PING,
    ChunkSource,
    LogReader,
    LogSource,
    RawSource,
    json_line,
    server_sent,
)
from api.schema import Text
from api.schemas.jobs import LogEnd, LogLine, LogPage
from api.schemas.queries import LogQuery
from api.streaming import Followed
from container_manager import exceptions as domain
from container_manager import logs
from container_manager.exceptions import FieldError
from container_manager.models import Job
from container_manager.tokens import Scope

_PAGE_LINES = 1000
_LINE, _END = of_model(LogLine), of_model(LogEnd)
_ATTEMPT = {"attempt": 2, "dropped_bytes": {"stdout": 1048576}}
_TEXTS = {
    PLAIN: Text("The bytes as they were written, and nothing else.", "hello\n"),
    SSE: Text(
        "Server-sent events: `log` with a line as in JSON and a resumable `id`, or `chunk` with `stream`, `at`, and "
        "`text` or `data_base64`; `attempt` when another begins, with its number as `attempt` and the `dropped_bytes` "
        "of the one before; and a last `end` with `state`, `reason`, `exit_code` and `dropped_bytes`, or `error` with "
        "`code` and `detail` when the rest cannot be had, such as of logs that are deleted meanwhile. A stream that "
        "breaks off without either is taken up behind the last `id`. Comments keep a silent connection open.",
        (server_sent("log", _LINE, "1.0-0.0") + server_sent("attempt", _ATTEMPT) + server_sent("end", _END)).decode(),
    ),
    NDJSON: Text(
        'A JSON object a line: a line as in JSON, `{"attempt": …, "dropped_bytes": …}` when another begins, and, when '
        'it is followed, a last `{"end": …}`, or `{"error": {"code": …, "detail": …}}` when the rest cannot be had.',
        (json_line(_LINE) + json_line(_ATTEMPT) + json_line({"end": _END})).decode(),
    ),
}

LAST_EVENT_ID = Header(
    "Last-Event-ID",
    "The `id` of the last server-sent event that was received: goes on behind it. Read for `text/event-stream` only.",
    {"type": "string"},
    "1.0-0.41",
)
_DROPPED = Header(
    "Purser-Dropped-Bytes",
    "Bytes that were written but not kept, in `text/plain` of a log that is complete; left out when there are none.",
    {"type": "integer", "format": "int64", "minimum": 1},
    1048576,
    (200,),
)


class JobLogs(View):
    """What one job has written."""

    @endpoint(
        "get{}JobLogs",
        "Read a job's logs",
        scope=Scope.JOBS_READ,
        hot=True,
        query=LogQuery,
        answers={200: {JSON: LogPage, **_TEXTS}, 304: None},
        media_types=(JSON, PLAIN, SSE, NDJSON),
        headers=(LAST_EVENT_ID, _DROPPED, IF_NONE_MATCH, ETAG),
        raises=(domain.UnknownJob, domain.InvalidCursor, domain.LogsGone),
    )
    def get(self, request: Request, query: LogQuery, job: str, executor: str | None = None) -> HttpResponseBase:
        """stdout and stderr, apart or together, as they were written; kept when the container is gone.

        `application/json` is one page of lines. `text/plain` is the bytes, exactly. `application/x-ndjson` is a
        line as in JSON a line, and a last `{"end": …}` when it is followed. `text/event-stream` sends `log` events
        whose `id` can be given as `Last-Event-ID` or `cursor` to go on without loss, an `attempt` event when the
        job is launched again, a comment in silences, and a last `end` event with state, reason and exit code. With
        `unit=chunk` it sends `chunk` events instead: `{stream, at, text | data_base64}`, the bytes of one stream as
        they came, with their newlines.
        """
        found = find_job(request, job, executor)
        _require_attempt(found, query.attempt)
        form = request.accepted_renderer.media_type
        _require_sse(query, form)
        reader = LogReader(found, query, request.headers.get("Last-Event-ID") if form == SSE else None)
        return _page(request, reader, query) if form == JSON else _stream(reader, query, form)


def _require_attempt(job: Job, attempt: int | None) -> None:
    last = max(job.attempt, 1)
    if attempt is not None and attempt > last:
        raise InvalidQuery([FieldError("attempt", "no_such_attempt", f"allowed is 1 to {last}; got {attempt}")])


def _source(query: LogQuery, form: str) -> type[LogSource]:
    if query.unit == "chunk":
        return ChunkSource
    whole = form == PLAIN and not any((query.limit, query.tail is not None, query.since, query.cursor))
    return RawSource if whole else LogSource


def _require_sse(query: LogQuery, form: str) -> None:
    if query.unit == "chunk" and form != SSE:
        raise InvalidQuery([FieldError("unit", "only_in_sse", f"chunk needs Accept: {SSE}")])


def _page(request: Request, reader: LogReader, query: LogQuery) -> HttpResponse:
    if query.follow:
        raise InvalidQuery([FieldError("follow", "not_in_json", f"needs Accept: {SSE}, {NDJSON} or {PLAIN}")])
    page, began, after = reader.page(reader.start, query.limit or _PAGE_LINES, tail=reader.tail)
    following = reader.next_attempt(after, page)
    over = following is None and reader.is_over(page)
    return Tagged.of(log_page_document(began.attempt, page, str(following or after), over)).to(request)


def _stream(reader: LogReader, query: LogQuery, form: str) -> HttpResponseBase:
    follow = form == SSE if query.follow is None else query.follow
    source = _source(query, form)(reader, query, form, follow=follow)
    response = Followed(source, ping=SSE_PING if form == SSE else b"", content_type=form)
    if not follow and (dropped := logs.read(reader.job.pk, reader.start.attempt, tail=0).dropped_bytes):
        response["Purser-Dropped-Bytes"] = str(sum(dropped[stream] for stream in dropped if stream in query.streams))
    return response
