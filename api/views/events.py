"""What has happened to jobs."""

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from api.documents import event_document
from api.endpoint import JSON, Header, View, answer, endpoint, find_job
from api.examples import of_model
from api.following import SSE, SSE_PING, EventSource, server_sent
from api.schema import Text
from api.schemas.jobs import End, Event, EventPage
from api.schemas.queries import LARGEST_SEQ, EventQuery
from api.streaming import Followed
from container_manager import exceptions as domain
from container_manager import jobs
from container_manager.exceptions import InvalidCursor
from container_manager.models import Job
from container_manager.tokens import Scope

_STREAM = Text(
    "Server-sent events: each with the event's `type`, its `seq` as `id` and the event as in JSON, and a last `end` "
    "with `state`, `reason` and `exit_code`, or `error` with `code` and `detail` when the job itself is gone. Comments "
    "keep a silent connection open.",
    (server_sent("state", of_model(Event), "1") + server_sent("end", of_model(End))).decode(),
)

LAST_EVENT_ID = Header(
    "Last-Event-ID",
    "The `id` of the last server-sent event that was received: goes on behind it. Read for `text/event-stream` only.",
    {"type": "string"},
    "1",
)


class JobEvents(View):
    """The history of one job."""

    @endpoint(
        "list{}JobEvents",
        "Read a job's history",
        scope=Scope.JOBS_READ,
        hot=True,
        query=EventQuery,
        answers={200: {JSON: EventPage, SSE: _STREAM}},
        media_types=(JSON, SSE),
        headers=(LAST_EVENT_ID,),
        raises=(domain.UnknownJob, domain.InvalidCursor),
    )
    def get(self, request: Request, query: EventQuery, job: str, executor: str | None = None) -> HttpResponseBase:
        """Every change of the job, in order, each written with the change itself.

        `text/event-stream` goes on as things happen: each event's `id` is its `seq`, `Last-Event-ID` resumes behind
        it, and a last `end` event carries state, reason and exit code.
        """
        found = find_job(request, job, executor)
        if request.accepted_renderer.media_type == JSON:
            return _page(found, query)
        source = EventSource(found, _last_event_id(request, query.after))
        return Followed(source, ping=SSE_PING, content_type=SSE)


def _page(job: Job, query: EventQuery) -> HttpResponseBase:
    events = jobs.events(job, after=query.after, limit=query.limit)
    last = events[-1].seq if events else query.after
    return answer({"results": [event_document(event) for event in events], "last_seq": last})


def _last_event_id(request: Request, otherwise: int) -> int:
    text = request.headers.get("Last-Event-ID", "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= LARGEST_SEQ):
        raise InvalidCursor(f"Last-Event-ID {text!r} was not given out by this stream")
    return int(text)
