"""Tokens: create, list, show, rotate, revoke. A token manages its own namespace, and gives nothing it has not."""

from django.http import HttpResponse
from rest_framework.request import Request

from api.auth import token_of
from api.documents import new_token_document, token_document
from api.endpoint import Header, View, answer, endpoint
from api.parsing import Query, read_body, read_nothing
from api.schemas.queries import TokenListQuery
from api.schemas.tokens import Token, TokenPage, TokenRequest, TokenRotation, TokenWithSecret
from container_manager import exceptions as domain
from container_manager import tokens
from container_manager.exceptions import FieldError, InvalidBody, InvalidTokenRequest
from container_manager.executors.registry import executors
from container_manager.tokens import Scope

_SECRET = {"Cache-Control": "no-store"}
_LOCATION = Header(
    "Location",
    "Where the token is.",
    {"type": "string", "format": "uri-reference"},
    "/api/v1/tokens/7b9de2b64ed7",
    (201,),
)


class Tokens(View):
    """The tokens of the caller's namespace."""

    @endpoint(
        "createToken",
        "Create a token",
        scope=Scope.ADMIN,
        body=TokenRequest,
        answers={201: TokenWithSecret},
        headers=(_LOCATION,),
        raises=(domain.TokenExceeds, domain.UnknownExecutor, InvalidTokenRequest),
    )
    def post(self, request: Request, query: Query) -> HttpResponse:
        """Make a token of the caller's namespace; its text is in this answer and cannot be had again.

        It may do nothing that the caller's token may not: no further executor, no later expiry, no higher rate. What is
        left out is as the caller has it. A token of another namespace is made on the host, by `manage.py token create`.
        """
        asked = read_body(TokenRequest, request)
        maker = token_of(request)
        _require_known(asked.executors, tuple(maker.executors))
        made = tokens.create_by(
            maker, name=asked.name, scopes=asked.scopes, executors=asked.executors, expires_at=asked.expires_at,
            rate_limit=asked.rate_limit or "",
        )  # fmt: skip
        return answer(new_token_document(*made), 201, Location=f"/api/v1/tokens/{made[0].pk}", **_SECRET)

    @endpoint(
        "listTokens",
        "List tokens",
        scope=Scope.ADMIN,
        query=TokenListQuery,
        answers={200: TokenPage},
        raises=(domain.InvalidCursor,),
    )
    def get(self, request: Request, query: TokenListQuery) -> HttpResponse:
        """The namespace's tokens without their secrets, newest first, page by page; those that have ended too."""
        page = tokens.page(token_of(request).namespace, limit=query.limit, cursor=query.cursor)
        return answer({"results": [token_document(token) for token in page.tokens], "next_cursor": page.next_cursor})


class TokenStatus(View):
    """One token."""

    @endpoint("getToken", "Read a token", scope=Scope.ADMIN, answers={200: Token}, raises=(domain.UnknownToken,))
    def get(self, request: Request, query: Query, token: str) -> HttpResponse:
        """What a token of the namespace may do, until when, and when it was last used."""
        return answer(token_document(tokens.get(token, namespace=token_of(request).namespace)))

    @endpoint("revokeToken", "Revoke a token", scope=Scope.ADMIN, answers={204: None}, raises=(domain.UnknownToken,))
    def delete(self, request: Request, query: Query, token: str) -> HttpResponse:
        """End a token's use at once, in every process; again is no change. Its record stays."""
        read_nothing(request)
        tokens.revoke(token, namespace=token_of(request).namespace)
        return HttpResponse(status=204)


class TokenRotate(View):
    """A new secret for a token."""

    @endpoint(
        "rotateToken",
        "Rotate a token",
        scope=Scope.ADMIN,
        body=TokenRotation,
        answers={200: TokenWithSecret},
        raises=(domain.UnknownToken, domain.TokenEnded, domain.TokenExceeds),
    )
    def post(self, request: Request, query: Query, token: str) -> HttpResponse:
        """Give a token a new secret; id, scopes, executors and expiry stay. The text is shown this once.

        The secret before opens for `overlap_seconds` more, by default not at all; the one before that, if it still did,
        no longer. A token that may do more than the caller's cannot be rotated with it.
        """
        asked = read_body(TokenRotation, request)
        caller = token_of(request)
        made = tokens.rotate(token, overlap_seconds=asked.overlap_seconds, namespace=caller.namespace, by=caller)
        return answer(new_token_document(*made), 200, **_SECRET)


def _require_known(names: list[str], own: tuple[str, ...]) -> None:
    """Raises InvalidBody. A token of some executors is told of no others."""
    known = own or tuple(sorted(executors))
    errors = [
        FieldError(f"/executors/{index}", "unknown_executor", f"{name!r} must be one of {', '.join(known)}")
        for index, name in enumerate(names)
        if name not in executors and name not in own
    ]
    if errors:
        raise InvalidBody(errors)
