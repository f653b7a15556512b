"""Who is asking: bearer tokens, their scopes and the executors that they may use."""

from typing import cast

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from api.errors import ExecutorForbidden, InsufficientScope, MissingToken, OperatorOnly, UnusableToken
from container_manager import tokens
from container_manager.models import Token
from container_manager.tokens import Scope

_CHALLENGE = 'Bearer realm="purser"'
_EXPECTED = "Authorization: Bearer <token>"


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`, told apart: none at all, and one that opens nothing."""

    def authenticate(self, request: Request) -> tuple[Token, Token]:
        scheme, _, plaintext = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if not scheme:
            raise MissingToken(f"this needs a token: {_EXPECTED}", headers={"WWW-Authenticate": _CHALLENGE})
        if scheme.lower() != "bearer":
            told = f"the Authorization header is of another form; expected is {_EXPECTED}"
            raise UnusableToken(told, headers={"WWW-Authenticate": _CHALLENGE})
        token = tokens.authenticate(plaintext.strip())
        if token is None:
            raise UnusableToken(headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'})
        return token, token

    def authenticate_header(self, request: Request) -> str:
        return _CHALLENGE


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names it."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token as `manage.py token create` or `createToken` shows it, once. Each operation says "
            "which scope it needs.",
        }


def token_of(request: Request) -> Token:
    """The token of an authenticated request."""
    return cast("Token", request.auth)


def require_scope(token: Token, scope: Scope) -> None:
    """Raises InsufficientScope."""
    if scope not in token.scopes and Scope.ADMIN not in token.scopes:
        challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
        raise InsufficientScope(
            f"this needs the scope {scope}; the token has: {', '.join(token.scopes) or 'none'}",
            headers={"WWW-Authenticate": challenge},
        )


def require_executor(token: Token, executor: str) -> None:
    """Raises ExecutorForbidden."""
    if token.executors and executor not in token.executors:
        raise ExecutorForbidden(f"the token may use only: {', '.join(sorted(token.executors))}")


def is_operator(token: Token) -> bool:
    """Whether the token is of the namespace that sees what belongs to no single one."""
    return bool(token.namespace == settings.PURSER.operator_namespace)


def require_operator(token: Token) -> None:
    """Raises OperatorOnly."""
    if not is_operator(token):
        raise OperatorOnly(f"this is of all namespaces; the token is of {token.namespace!r}")


def caller(request: Request) -> str:
    """Whose token it is, for histories: its id and name."""
    return str(token_of(request))


def may_use(token: Token, executor: str) -> bool:
    """Whether the token is for this executor too."""
    return not token.executors or executor in token.executors
