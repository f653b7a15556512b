"""Bearer tokens: `purser_<id>_<secret>`, shown once; only the SHA-256 of the secret is kept."""

import contextlib
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import OperationalError
from django.db.models import Q, QuerySet
from django.utils import timezone

from container_manager.exceptions import InvalidTokenRequest, UnknownExecutor, UnknownToken
from container_manager.executors.registry import executors as registry
from container_manager.models import Token

_TOKEN = re.compile(r"purser_([0-9a-f]{12})_([0-9a-f]{64})")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LAST_USED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may be used for. `admin` is all of them."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    EXECUTORS_READ = "executors:read"
    METRICS_READ = "metrics:read"
    ADMIN = "admin"


def create(
    *,
    namespace: str,
    name: str,
    scopes: Collection[str],
    executors: Collection[str] = (),
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """Make a token; the text that is returned with it cannot be had again. No `executors` is all of them.

    Raises InvalidTokenRequest, or UnknownExecutor.
    """
    _validate(namespace, name, scopes, executors, expires_at)
    token_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    token = Token.objects.create(
        id=token_id,
        digest=_digest(secret),
        name=name,
        namespace=namespace,
        scopes=sorted(set(scopes)),
        executors=sorted(set(executors)),
        expires_at=expires_at,
    )
    return token, f"purser_{token_id}_{secret}"


def authenticate(plaintext: str) -> Token | None:
    """The token of that text, or None when it is malformed, unknown, wrong, expired or revoked."""
    match = _TOKEN.fullmatch(plaintext)
    token = Token.objects.filter(pk=match[1]).first() if match else None
    if match is None or token is None or not hmac.compare_digest(_digest(match[2]), token.digest):
        return None
    now = timezone.now()
    if token.revoked_at or (token.expires_at and token.expires_at <= now):
        return None
    if token.last_used_at is None or token.last_used_at < now - _LAST_USED_EVERY:
        with contextlib.suppress(OperationalError):  # busy books must not keep anybody from reading them
            Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def revoke(token_id: str) -> None:
    """End a token's use at once; again is no change. Raises UnknownToken."""
    if not Token.objects.filter(pk=token_id).exists():
        raise UnknownToken(f"there is no token {token_id!r}")
    Token.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=timezone.now())


def usable() -> QuerySet[Token]:
    """The tokens that are neither revoked nor expired."""
    return Token.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _validate(
    namespace: str, name: str, scopes: Collection[str], executors: Collection[str], expires_at: datetime | None
) -> None:
    if not _NAMESPACE.fullmatch(namespace):
        raise InvalidTokenRequest(f"namespace {namespace!r} must be 1 to 63 lower-case letters, digits and inner '-'")
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidTokenRequest(f"name {name!r} must be 1 to 100 printable characters")
    if not scopes or (unknown := set(scopes) - set(Scope)):
        raise InvalidTokenRequest(f"scopes {sorted(unknown) if scopes else []} must be some of {', '.join(Scope)}")
    for executor in executors:
        if executor not in registry:
            raise UnknownExecutor(f"executor {executor!r} is not registered; registered are: {', '.join(registry)}")
    if expires_at and expires_at <= timezone.now():
        raise InvalidTokenRequest(f"expires_at {expires_at.isoformat()} must lie ahead")
