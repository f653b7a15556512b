"""Executors: what is registered, health, metrics, drift."""

from django.http import HttpResponse
from rest_framework.request import Request

from api.auth import may_use, token_of
from api.documents import drift_document, executor_document, health_document, metrics_document
from api.endpoint import View, answer, endpoint
from api.parsing import Query
from api.schemas.executors import Drift, Executor, ExecutorList, ExecutorMetrics, Health
from container_manager.executors.registry import executors
from container_manager.tokens import Scope


class Executors(View):
    """All registered executors."""

    @endpoint("listExecutors", "List executors", scope=Scope.EXECUTORS_READ, answers={200: ExecutorList})
    def get(self, request: Request, query: Query) -> HttpResponse:
        """The executors that the token may use: capabilities, limits, health and utilization of each."""
        names = sorted(name for name in executors if may_use(token_of(request), name))
        return answer({"results": [executor_document(executors[name]) for name in names]})


class ExecutorStatus(View):
    """One executor."""

    @endpoint("getExecutor", "Read an executor", scope=Scope.EXECUTORS_READ, answers={200: Executor})
    def get(self, request: Request, query: Query, executor: str) -> HttpResponse:
        """What an executor can do, its limits, and how it is."""
        return answer(executor_document(executors[executor]))


class ExecutorHealth(View):
    """The health of one executor."""

    @endpoint("getExecutorHealth", "Read an executor's health", scope=Scope.EXECUTORS_READ, answers={200: Health})
    def get(self, request: Request, query: Query, executor: str) -> HttpResponse:
        """What dispatchers last saw of the engine. An unhealthy engine is an answer too: 200, with the reason."""
        return answer(health_document(executor))


class ExecutorMetricsView(View):
    """The metrics of one executor."""

    @endpoint(
        "getExecutorMetrics", "Read an executor's metrics", scope=Scope.METRICS_READ, answers={200: ExecutorMetrics}
    )
    def get(self, request: Request, query: Query, executor: str) -> HttpResponse:
        """Accounting and the namespace's jobs, which are true for all processes; counters and times by dispatcher."""
        return answer(metrics_document(executor, token_of(request).namespace))


class ExecutorDrift(View):
    """The drift of one executor."""

    @endpoint("getExecutorDrift", "Read an executor's drift", scope=Scope.ADMIN, answers={200: Drift}, operator=True)
    def get(self, request: Request, query: Query, executor: str) -> HttpResponse:
        """How the engine differed from the books, in all namespaces, when a dispatcher last compared them.

        Dispatchers remove what is unowned and end what is missing by themselves, so that this is empty again soon.
        """
        return answer(drift_document(executor))
