"""A change of the contract that breaks those who rely on it is detected and named."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from api import schema
from tests.api.contract_diff import PROMISED, breaking_changes, promise_of

Change = Callable[[dict[str, Any]], Any]


def test_nothing_breaks_those_who_rely_on_the_last_committed_contract() -> None:
    promised = json.loads(PROMISED.read_text())

    assert breaking_changes(promised, schema.document()) == [], (
        "this breaks clients; if that is meant, see CONTRIBUTING.md"
    )
    assert promised == json.loads(json.dumps(promise_of(schema.document()))), "run: make openapi"


def _operation(document: dict[str, Any], path: str = "/api/v1/jobs/{job}", method: str = "get") -> Any:
    return document["paths"][path][method]


def _schema(document: dict[str, Any], name: str) -> Any:
    return document["components"]["schemas"][name]


def _parameter(document: dict[str, Any], name: str) -> Any:
    parameters = _operation(document, "/api/v1/jobs")["parameters"]
    return next(each for each in parameters if each["name"] == name)


def _body(document: dict[str, Any]) -> Any:
    return _operation(document, "/api/v1/executors/{executor}/jobs", "post")["requestBody"]


BREAKS: dict[str, Change] = {
    "DELETE /api/v1/jobs/{job} is gone": lambda new: new["paths"]["/api/v1/jobs/{job}"].pop("delete"),
    "GET /api/v1/usage is gone": lambda new: new["paths"].pop("/api/v1/usage"),
    "GET /api/v1/jobs/{job}: operationId getJob is now readJob": lambda new: _operation(new).update(
        operationId="readJob"
    ),
    "GET /livez: needs a token now": lambda new: _operation(new, "/livez").update(security=[{"bearer": []}]),
    "GET /api/v1/jobs/{job}: status 404 is gone": lambda new: _operation(new)["responses"].pop("404"),
    "GET /api/v1/jobs/{job} 200: application/json is gone": lambda new: _operation(new)["responses"]["200"][
        "content"
    ].pop("application/json"),
    "GET /api/v1/jobs/{job} 200: header X-Request-ID is gone": lambda new: _operation(new)["responses"]["200"][
        "headers"
    ].pop("X-Request-ID"),
    "GET /api/v1/jobs/{job} 404: problem unknown_job is gone": lambda new: new["components"]["responses"]["UnknownJob"][
        "content"
    ]["application/problem+json"]["examples"].pop("unknown_job"),
    "GET /api/v1/jobs: parameter label is gone": lambda new: _operation(new, "/api/v1/jobs")["parameters"].remove(
        _parameter(new, "label")
    ),
    "GET /api/v1/jobs: parameter limit is required now": lambda new: _parameter(new, "limit").update(required=True),
    "GET /api/v1/jobs: parameter limit: maximum is now 100, was 500": lambda new: _parameter(new, "limit")[
        "schema"
    ].update(maximum=100),
    "GET /api/v1/jobs: parameter limit: type integer is now string": lambda new: _parameter(new, "limit").update(
        schema={"type": "string", "format": "int32"}
    ),
    "POST /api/v1/executors/{executor}/jobs: takes application/json no more": lambda new: _body(new).update(
        content={"application/xml": _body(new)["content"]["application/json"]}
    ),
    "POST /api/v1/jobs/{job}/cancel: a body is required now": lambda new: _operation(
        new, "/api/v1/jobs/{job}/cancel", "post"
    ).update(requestBody=_body(new)),
    "JobRequest.image is required now": lambda new: _schema(new, "JobRequest").update(required=["image"]),
    "JobRequest.stdin is gone": lambda new: _schema(new, "JobRequest")["properties"].pop("stdin"),
    "JobRequest.priority: maximum is now 10, was 1000": lambda new: _schema(new, "JobRequest")["properties"][
        "priority"
    ].update(maximum=10),
    "JobRequest.memory_mib: type integer or null is now integer": lambda new: _schema(new, "JobRequest")["properties"][
        "memory_mib"
    ].update(type="integer"),
    "JobRequest.user: pattern is now ^[a-z]+$": lambda new: _schema(new, "JobRequest")["properties"]["user"].update(
        pattern="^[a-z]+$"
    ),
    "PullPolicy: takes never no more": lambda new: _schema(new, "PullPolicy")["enum"].remove("never"),
    "JobRequest.pull_policy: can no more be null": lambda new: _schema(new, "JobRequest")["properties"]["pull_policy"][
        "anyOf"
    ].pop(),
    "Job.exit_code is gone": lambda new: (
        _schema(new, "Job")["properties"].pop("exit_code"),
        _schema(new, "Job")["required"].remove("exit_code"),
    ),
    "Job.version is not always there any more": lambda new: _schema(new, "Job")["required"].remove("version"),
    "Job.version: type integer is now integer or null": lambda new: _schema(new, "Job")["properties"]["version"].update(
        type=["integer", "null"]
    ),
    "Job.created_at: format date-time is now None": lambda new: _schema(new, "Job")["properties"]["created_at"].pop(
        "format"
    ),
    "JobState: value cancelled is gone": lambda new: _schema(new, "JobState")["enum"].remove("cancelled"),
}


@pytest.mark.parametrize("expected", BREAKS)
def test_a_break_is_named(expected: str) -> None:
    new = copy.deepcopy(schema.document())
    BREAKS[expected](new)

    assert expected in breaking_changes(schema.document(), new)


COMPATIBLE: dict[str, Change] = {
    "a new operation": lambda new: new["paths"].update({"/api/v1/ships": new["paths"]["/api/v1/jobs"]}),
    "a new optional field of a request": lambda new: _schema(new, "JobRequest")["properties"].update(
        nice={"type": "integer"}
    ),
    "a new field of an answer": lambda new: (
        _schema(new, "Job")["properties"].update(mood={"type": "string"}),
        _schema(new, "Job")["required"].append("mood"),
    ),
    "a new value in an answer": lambda new: _schema(new, "Reason")["enum"].append("bored"),
    "a new value in a request": lambda new: _schema(new, "PullPolicy")["enum"].append("sometimes"),
    "a wider bound": lambda new: _parameter(new, "limit")["schema"].update(maximum=1000),
    "a new status": lambda new: _operation(new)["responses"].update({"418": _operation(new)["responses"]["404"]}),
    "another description": lambda new: _schema(new, "Job").update(description="A job."),
}


@pytest.mark.parametrize("change", COMPATIBLE)
def test_what_is_only_more_breaks_nothing(change: str) -> None:
    new = copy.deepcopy(schema.document())
    COMPATIBLE[change](new)

    assert breaking_changes(schema.document(), new) == []
