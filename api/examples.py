"""Examples of every body in the schema, in one place: each is put together from the examples of its fields."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

JOB_ID = "0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"
MOMENT = "2026-11-22T17:02:11.482913Z"

_NAMED: Mapping[str, Mapping[str, Any]] = {
    "JobRequest": {
        "A container": {
            "image": "busybox:latest",
            "command": ["echo", "hello"],
            "env": {"LANG": "C.UTF-8"},
            "memory_mib": 64,
            "cpu_cores": 0.5,
            "timeout_seconds": 60,
            "labels": {"team": "a"},
        },
        "With a secret": {
            "command": ["sh", "-c", "deploy --key /run/secrets/deploy-key"],
            "secrets": [
                {"name": "deploy-key", "stored": "deploy-key"},
                {"name": "TOKEN", "kind": "env", "value": "glpat-0a1b2c3d4e5f"},
            ],
        },
        "A shell script on standard input": {"command": ["sh", "-s"], "stdin": "echo hello\nexit 3\n"},
    },
    "SecretValue": {"A token": {"value": "glpat-0a1b2c3d4e5f"}},
    "WebhookRequest": {
        "The ends of one team's jobs": {
            "url": "https://ci.example.org/hooks/purser",
            "events": ["succeeded", "failed", "cancelled"],
            "labels": {"team": "a"},
        },
    },
    "WebhookChange": {"Take it up again": {"enabled": True}},
    "TokenRequest": {
        "A pipeline's token": {
            "name": "ci",
            "scopes": ["jobs:read", "jobs:write"],
            "expires_at": "2035-01-01T00:00:00Z",
        },
        "One executor, 60 requests a minute": {
            "name": "nightly",
            "scopes": ["jobs:read"],
            "executors": ["docker"],
            "rate_limit": "60/60",
        },
    },
    "TokenRotation": {"An hour for both": {"overlap_seconds": 3600}},
    "Rotation": {"An hour for the change": {"overlap_seconds": 3600}},
}
"""Whole examples of a component, where some fields only go together."""

_JUST_QUEUED = {
    "state": "queued",
    "version": 1,
    "reason": None,
    "evidence": {},
    "exit_code": None,
    "attempt": 0,
    "attempts": [],
    "launching_at": None,
    "started_at": None,
    "finished_at": None,
    "cleaned_at": None,
    "usage": None,
    "image_digest": None,
}
_RUNNING = {
    "finished_at": None,
    "reason": None,
    "evidence": {},
    "exit_code": None,
    "usage": {
        "peak_memory_bytes": None,
        "cpu_user_seconds": None,
        "cpu_system_seconds": None,
        "io_read_bytes": None,
        "io_write_bytes": None,
    },
    "phases": {
        "queued_seconds": 0.021,
        "pull_seconds": None,
        "launch_seconds": 0.238,
        "run_seconds": None,
        "cleanup_seconds": None,
    },
    "cleaned_at": None,
}
_BEING_STOPPED = {
    "state": "running",
    "version": 4,
    "attempts": _RUNNING,
    "usage": _RUNNING["usage"],
    "reason": None,
    "evidence": {},
    "exit_code": None,
    "finished_at": None,
    "cleaned_at": None,
    "cancel_requested_at": MOMENT,
}
_DIFFERENT: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("launchJob", "202"): _JUST_QUEUED,
    ("cancelJob", "202"): _BEING_STOPPED,
    ("cleanupJob", "202"): _BEING_STOPPED,
    ("getReadiness", "503"): {
        "ready": False,
        "checks": {"dispatcher": {"ready": False, "detail": "no dispatcher holds a lease"}},
    },
}
"""What is different in one answer, by operationId (that of a job's plain path) and status."""

_PLACES: Mapping[str, list[Mapping[str, str]]] = {
    "invalid_job": [
        {"pointer": "/memory_mib", "code": "greater_than_equal", "detail": "must be greater than or equal to 1; got -1"}
    ],
    "invalid_query": [
        {"parameter": "limit", "code": "greater_than_equal", "detail": "must be greater than or equal to 1; got 0"}
    ],
}
_FORMATS = {"uuid": JOB_ID, "date-time": MOMENT}


class NoExample(LookupError):
    """A field of the schema for which no example is known."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} has no example: give its Field `examples=[…]`")


def of_request(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Examples of a request's body by what they show. Raises NoExample."""
    name = _name(schema)
    return dict(_NAMED.get(name, {})) or {name: example_of(schema, schemas, name)}


def of_answer(operation: str, status: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """An example of one answer. Raises NoExample."""
    found = example_of(schema, schemas, _name(schema) or operation)
    different = _DIFFERENT.get((operation.replace("ExecutorJob", "Job"), status), {})
    return {**found, **_laid_over(found, different)} if different else found


def _laid_over(found: Mapping[str, Any], different: Mapping[str, Any]) -> dict[str, Any]:
    """The differences; those of a list's items are laid over each of them."""
    return {
        name: [{**item, **change} for item in found[name]]
        if isinstance(found[name], list) and isinstance(change, Mapping)
        else change
        for name, change in different.items()
    }


def of_model(model: type[BaseModel]) -> Any:
    """An example of a model. Raises NoExample."""
    schema = model.model_json_schema()
    return example_of(schema, schema.get("$defs", {}), model.__name__)


def of_problem(code: str, status: int, title: str) -> dict[str, Any]:
    """An example of one problem."""
    problem = {
        "type": f"/api/docs/problems#{code}",
        "title": title,
        "status": status,
        "detail": title,
        "instance": "/api/v1/jobs",
        "code": code,
        "request_id": "0193a1c2-7d11-7a3e-8f52-6b1c0d9e4a77",
    }
    return {**problem, "errors": _PLACES[code]} if code in _PLACES else problem


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], where: str) -> Any:
    """What a schema says itself, else what its parts say. Raises NoExample that names the part which says nothing."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        name = _name(schema)
        return next(iter(_NAMED.get(name, {}).values()), None) or example_of(schemas[name], schemas, name)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if options := [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]:
        return example_of(options[0], schemas, where)
    if "properties" in schema:
        return _object(schema, schemas, where)
    if "items" in schema:
        return [example_of(schema["items"], schemas, f"{where}[]")]
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    raise NoExample(where)


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], where: str) -> dict[str, Any]:
    required = schema.get("required", ())
    return {
        name: example_of(shape, schemas, f"{where}.{name}")
        for name, shape in schema["properties"].items()
        if name in required
    }


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
