"""Who did what."""

from django.http import HttpResponse
from rest_framework.request import Request

from api.auth import is_operator, token_of
from api.documents import audit_document
from api.endpoint import View, answer, endpoint
from api.schemas.audit import AuditPage
from api.schemas.queries import AuditQuery
from container_manager import audit
from container_manager import exceptions as domain
from container_manager.audit import AuditFilter
from container_manager.tokens import Scope


class Audit(View):
    """The audit log of the caller's namespace."""

    @endpoint(
        "listAudit",
        "Read the audit log",
        scope=Scope.ADMIN,
        query=AuditQuery,
        answers={200: AuditPage},
        raises=(domain.InvalidCursor,),
    )
    def get(self, request: Request, query: AuditQuery) -> HttpResponse:
        """Every change in the namespace, and every request that was refused, newest first, page by page.

        Nothing changes or removes an entry before `PURSER_AUDIT_RETENTION_SECONDS` are over. Requests without a
        usable token belong to no namespace: the operator's sees them. Most of a flood of refusals is counted in
        `missed`, not written down.
        """
        token = token_of(request)
        filters = AuditFilter(
            namespaces=(token.namespace, "") if is_operator(token) else (token.namespace,),
            operation=query.operation, token=query.token, outcome=query.outcome, since=query.since, until=query.until,
        )  # fmt: skip
        page = audit.page(filters, limit=query.limit, cursor=query.cursor)
        return answer({"results": [audit_document(entry) for entry in page.entries], "next_cursor": page.next_cursor})
