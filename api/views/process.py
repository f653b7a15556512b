"""Purser itself: whether it lives, whether it is ready, what it has counted."""

from django.http import HttpResponse
from rest_framework.request import Request

from api import metrics, readiness
from api.endpoint import OpenView, View, answer, endpoint
from api.parsing import Query
from api.schema import Text
from api.schemas.process import Liveness, Readiness
from container_manager.tokens import Scope

PROMETHEUS = "text/plain"
OPENMETRICS = "application/openmetrics-text"
_TEXT = Text(
    "Metrics as Prometheus reads them.",
    "# HELP purser_jobs Jobs that have not ended, by state.\n# TYPE purser_jobs gauge\n"
    'purser_jobs{executor="docker",state="running"} 1.0\n',
)


class Livez(OpenView):
    """Whether this process answers."""

    @endpoint("getLiveness", "See whether the process answers", scope=None, answers={200: Liveness})
    def get(self, request: Request, query: Query) -> HttpResponse:
        """Always `ok`: asks nothing of anybody. For a supervisor that restarts what does not answer."""
        return answer({"status": "ok"})


class Readyz(OpenView):
    """Whether requests are of use."""

    @endpoint("getReadiness", "See whether requests are of use", scope=None, answers={200: Readiness, 503: Readiness})
    def get(self, request: Request, query: Query) -> HttpResponse:
        """Whether the database answers, its migrations are applied, and a dispatcher holds a lease; 503 if not."""
        document = readiness.document()
        return answer(document, 200 if document["ready"] else 503)


class Metrics(View):
    """What a Prometheus server scrapes."""

    @endpoint(
        "getPrometheusMetrics",
        "Scrape metrics",
        scope=Scope.METRICS_READ,
        answers={200: {PROMETHEUS: _TEXT, OPENMETRICS: _TEXT}},
        media_types=(PROMETHEUS, OPENMETRICS),
        operator=True,
    )
    def get(self, request: Request, query: Query) -> HttpResponse:
        """Jobs, allocation, executors and dispatchers from the database; requests and spans of this process."""
        body, content_type = metrics.exposition(request.headers.get("Accept", ""))
        return HttpResponse(body, content_type=content_type)
