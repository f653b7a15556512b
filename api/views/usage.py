"""What was used."""

from datetime import timedelta

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from api.auth import token_of
from api.documents import usage_document
from api.endpoint import View, answer, endpoint
from api.schemas.queries import UsageQuery
from api.schemas.usage import UsageReport
from container_manager import usage
from container_manager.tokens import Scope

_DEFAULT = timedelta(days=30)


class Usage(View):
    """What the token's namespace has used."""

    @endpoint("getUsage", "Sum up usage", scope=Scope.METRICS_READ, query=UsageQuery, answers={200: UsageReport})
    def get(self, request: Request, query: UsageQuery) -> HttpResponse:
        """By executor, the sums of the namespace's attempts that ended in a time; of what retention has kept."""
        token = token_of(request)
        until = query.until or timezone.now()
        since = query.since or until - _DEFAULT
        found = usage.sums(token.namespace, since, until, executor=query.executor, executors=token.executors)
        return answer(usage_document(token.namespace, since, until, found))
