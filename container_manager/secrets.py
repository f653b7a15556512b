"""Secrets: what a namespace stores for its jobs, and how a job's are kept until its end."""

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from container_manager import audit, vault
from container_manager.exceptions import FieldError, InvalidJob, TooManySecrets, UnknownSecret
from container_manager.models import Job, StoredSecret, Webhook
from container_manager.spec import MAX_SECRET_CHARACTERS, JobRequest, Secret

MOST = 500
"""Stored secrets of a namespace at most."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_BATCH = 500
_SEALED: tuple[tuple[type[Job | StoredSecret | Webhook], str], ...] = (
    (Job, "secrets"),
    (StoredSecret, "value"),
    (Webhook, "secret"),
    (Webhook, "old_secret"),
)


class SecretValue(BaseModel):
    """A value to store."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    value: SecretStr = Field(
        min_length=1,
        max_length=MAX_SECRET_CHARACTERS,
        description="The value. It is kept encrypted and never comes back.",
        json_schema_extra={"writeOnly": True},
    )


@transaction.atomic
def put(namespace: str, name: str, value: str) -> tuple[StoredSecret, bool]:
    """Store a value under a name, in the place of the one before; says whether the name is new.

    Raises TooManySecrets.
    """
    now, sealed_value = timezone.now(), vault.seal(value)
    rows = StoredSecret.objects.filter(namespace=namespace)
    if not rows.filter(name=name).exists() and rows.count() >= MOST:
        raise TooManySecrets(f"namespace {namespace!r} has {MOST} secrets, the most that it may have")
    audit.note("secret", name, namespace)
    changed = {"value": sealed_value, "updated_at": now}
    return StoredSecret.objects.update_or_create(
        namespace=namespace, name=name, defaults=changed, create_defaults={**changed, "created_at": now}
    )


def listed(namespace: str) -> list[StoredSecret]:
    """The namespace's secrets by name, without their values."""
    return list(StoredSecret.objects.filter(namespace=namespace).defer("value").order_by("name"))


@transaction.atomic
def remove(namespace: str, name: str) -> None:
    """Forget it. Jobs that were accepted with it have it until their end. Raises UnknownSecret."""
    if not StoredSecret.objects.filter(namespace=namespace, name=name).delete()[0]:
        raise UnknownSecret(f"there is no secret {name!r}")
    audit.note("secret", name, namespace)


def errors_in(request: JobRequest, namespace: str | None = None) -> list[FieldError]:
    """What is wrong with the secrets of a request, on whatever executor."""
    if not request.secrets:
        return []
    known = _known(request, namespace) if namespace else None
    places = Counter(_place(secret) for secret in request.secrets)
    places.update(posixpath.normpath(tmpfs.target) for tmpfs in request.tmpfs)
    places.update(posixpath.normpath(mount.target) for mount in request.mounts)
    places.update(request.env.keys())
    return [
        FieldError(f"secrets.{index}.{field}".rstrip("."), code, detail)
        for index, secret in enumerate(request.secrets)
        for field, code, detail in (*_errors_of(secret, known), *_clash(secret, places))
    ]


def sealed(request: JobRequest, namespace: str) -> str:
    """The values to keep with the job, by their index in the request; nothing when there are none."""
    wanted = [secret.stored for secret in request.secrets if secret.stored]
    rows = StoredSecret.objects.filter(namespace=namespace, name__in=wanted) if wanted else ()
    stored = {row.name: vault.open_sealed(row.value) for row in rows}
    if errors := errors_in(request, namespace) if len(stored) < len(set(wanted)) else []:
        raise InvalidJob(errors)  # removed a moment ago
    values = inline_values(request)
    values |= {
        str(index): stored[secret.stored] for index, secret in enumerate(request.secrets) if secret.stored in stored
    }
    return vault.seal(json.dumps(values)) if values else ""


def inline_values(request: JobRequest) -> dict[str, str]:
    """The values that the request itself carries, by index."""
    return {
        str(index): secret.value.get_secret_value()
        for index, secret in enumerate(request.secrets)
        if secret.value is not None
    }


def reseal() -> int:
    """Encrypt everything anew with the present key; returns how many values. Raises SecretUnreadable."""
    return sum(_reseal(model.objects.exclude(**{column: ""}), column) for model, column in _SEALED)


def _reseal(rows: "QuerySet[Job] | QuerySet[StoredSecret] | QuerySet[Webhook]", column: str) -> int:
    done = 0
    for pk, old in rows.values_list("pk", column).iterator(_BATCH):
        # What has been changed or wiped meanwhile is left as it is: it was sealed with the present key.
        done += rows.filter(pk=pk, **{column: old}).update(**{column: vault.reseal(old)})
    return done


def _known(request: JobRequest, namespace: str) -> set[str]:
    wanted = [secret.stored for secret in request.secrets if secret.stored]
    if not wanted:
        return set()
    return set(StoredSecret.objects.filter(namespace=namespace, name__in=wanted).values_list("name", flat=True))


def _errors_of(secret: Secret, known: set[str] | None) -> Iterator[tuple[str, str, str]]:
    given = [name for name in ("value", "stored", "provided") if getattr(secret, name) is not None]
    if len(given) != 1:
        told = f"exactly one of value, stored and provided is needed; given are: {', '.join(given) or 'none'}"
        yield "", "required" if not given else "invalid", told
    if secret.stored and known is not None and secret.stored not in known:
        yield "stored", "unknown", f"the namespace has no secret {secret.stored!r}"
    if secret.kind == "env" and not _VARIABLE.fullmatch(secret.place):
        field = "target" if secret.target else "name"
        yield field, "invalid", "a variable's name is letters, digits and '_', and does not begin with a digit"
    if secret.kind == "file" and not _is_file_path(secret.place):
        yield "target", "invalid", "must be an absolute path of a file, without '..'"


def _clash(secret: Secret, places: Counter[str]) -> Iterator[tuple[str, str, str]]:
    if places[_place(secret)] > 1:
        yield "target", "duplicate", f"{secret.place!r} is the place of something else as well"


def _place(secret: Secret) -> str:
    return posixpath.normpath(secret.place) if secret.kind == "file" else secret.place


def _is_file_path(path: str) -> bool:
    return path.startswith("/") and ".." not in path.split("/") and posixpath.normpath(path).strip("/") != ""
