"""Bad input of every kind: a 4xx problem that names the field and what is allowed, and nothing is changed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client

from container_manager.models import AuditEntry, RateWindow
from tests.api.conftest import launch
from tests.factories import ContainerJobFactory

GOOD = {"command": ["true"]}


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Every table has as many rows as before."""
    before = counts()
    yield
    assert counts() == before


def counts() -> dict[str, int]:
    counted = set(apps.get_models()) - {AuditEntry, RateWindow}  # which count requests
    return {model.__name__: model._default_manager.count() for model in counted}


FIELDS: list[tuple[str, Any, str, str]] = [
    ("memory_mib", "64", "/memory_mib", "integer"),
    ("memory_mib", -1, "/memory_mib", "greater than or equal to 1"),
    ("memory_mib", 0, "/memory_mib", "greater than or equal to 1"),
    ("memory_mib", 1.5, "/memory_mib", "integer"),
    ("memory_mib", True, "/memory_mib", "integer"),
    ("memory_mib", 1025, "/memory_mib", "at most 1024"),
    ("memory_mib", 16_777_216, "/memory_mib", "16777216 MiB is asked"),
    ("memory_mib", 10**30, "/memory_mib", "less than or equal to 16777216"),
    ("cpu_cores", 2.5, "/cpu_cores", "at most 2"),
    ("cpu_cores", 0, "/cpu_cores", "greater than or equal to 0.001"),
    ("cpu_cores", "1", "/cpu_cores", "number"),
    ("command", "true", "/command", "must be an array"),
    ("command", [], "/command", "needs at least 1 item"),
    ("command", [""], "/command", "name of a program"),
    ("entrypoint", [""], "/entrypoint", "name of a program"),
    ("command", ["a", 1], "/command/1", "string"),
    ("command", ["a\x00b"], "/command/0", "NUL"),
    ("image", "", "/image", "must not be empty"),
    ("image", ["a"], "/image", "string"),
    ("pull_policy", "sometimes", "/pull_policy", "'missing', 'always' or 'never'"),
    ("env", {"A": "\x00"}, "/env/A", "NUL"),
    ("env", {"A=B": "x"}, "/env", "without '='"),
    ("env", {"a/b~c": 1}, "/env/a~1b~0c", "string"),
    ("env", ["A=B"], "/env", "must be an object"),
    ("labels", {"-": "x"}, "/labels", "letter or digit at both ends"),
    ("labels", {"a": "x" * 257}, "/labels/a", "at most 256"),
    ("timeout_seconds", 0, "/timeout_seconds", "greater than 0"),
    ("timeout_seconds", 1e300, "/timeout_seconds", "less than or equal to"),
    ("max_retries", -1, "/max_retries", "greater than or equal to 0"),
    ("priority", 1001, "/priority", "less than or equal to 1000"),
    ("working_dir", "relative", "/working_dir", "must be an absolute path"),
    ("working_dir", "/tmp/../etc", "/working_dir", "without '..'"),
    ("tmpfs", [{"target": "/x", "size": 1}], "/tmpfs/0/size", "did you mean size_mib?; known are: size_mib, target"),
    ("mounts", [{"type": "bind", "source": "/etc"}], "/mounts/0/target", "is required"),
    ("stdin", "x", "/stdin", "cannot honour"),
    ("scenario", {"output": [{"text": "\x00"}]}, "/scenario/output/0/text", "NUL"),
    ("scenario", [], "/scenario", "must be an object"),
    ("scenario", {"exitcode": 1}, "/scenario/exitcode", "did you mean exit_code?; known are: engine_lost"),
    ("scenario", {"exit_code": 256}, "/scenario/exit_code", "must be less than or equal to 255"),
    ("scenario", {"oom": "yes"}, "/scenario/oom", "must be true or false"),
    ("colour", "red", "/colour", "unknown"),
    ("memory", 64, "/memory", "did you mean memory_mib"),
]


@pytest.mark.parametrize(("field", "value", "pointer", "allowed"), FIELDS)
def test_a_field_that_is_wrong_is_named_with_what_is_allowed(
    client: Client, field: str, value: Any, pointer: str, allowed: str
) -> None:
    with nothing_changes():
        answer = launch(client, json.dumps({**GOOD, field: value}))

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_job")
    told = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert allowed in told[pointer]


BODIES: list[tuple[bytes, int, str, str]] = [
    (b" \n", 400, "malformed_json", "the body is empty"),
    (b'{"command": ["true"], "cpu_cores": 1e999}', 400, "malformed_json", "'cpu_cores'"),
    (b"{", 400, "malformed_json", "line 1"),
    (b'{"command": ["true"],}', 400, "malformed_json", "column"),
    (b"null", 400, "malformed_json", "object"),
    (b'"text"', 400, "malformed_json", "object"),
    (b'{"cpu_cores": NaN}', 400, "malformed_json", "line 1"),
    (b'{"cpu_cores": Infinity}', 400, "malformed_json", "line 1"),
    (b'{"command": ["\xff"]}', 400, "malformed_json", "body"),
    (b'{"command": ["\\ud800"]}', 400, "malformed_json", "body"),
    (b'{"priority": 1, "priority": 2}', 400, "malformed_json", "twice"),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "malformed_json", "body"),
    (b'{"a":' * 800 + b"1" + b"}" * 800, 422, "invalid_job", "unknown"),
    (b"{}", 422, "invalid_job", "image and command"),
]


def test_what_is_wrong_with_the_body_as_a_whole_is_told_without_a_field(client: Client) -> None:
    assert launch(client, b"{}").json()["detail"] == "one of image and command is needed"


@pytest.mark.parametrize(("body", "status", "code", "told"), BODIES)
def test_a_body_that_is_wrong_is_told_why(client: Client, body: bytes, status: int, code: str, told: str) -> None:
    with nothing_changes():
        answer = launch(client, body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert told in answer.json()["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_another_content_type_is_refused(client: Client, content_type: str) -> None:
    with nothing_changes():
        answer = client.post("/api/v1/executors/mock/jobs", data=b"{}", content_type=content_type)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_that_is_compressed_is_refused(client: Client) -> None:
    with nothing_changes():
        answer = launch(client, GOOD, **{"Content-Encoding": "gzip"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "Content-Encoding is 'gzip'" in answer.json()["detail"]
    assert launch(client, GOOD, **{"Content-Encoding": "identity"}).status_code == 202


def test_a_body_of_ten_megabytes_is_refused(client: Client) -> None:
    with nothing_changes():
        answer = launch(client, {**GOOD, "stdin": "x" * 10_000_000})

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert "bytes" in answer.json()["detail"]


def test_a_body_is_taken_up_to_the_bound_that_is_told(client: Client) -> None:
    body = json.dumps({**GOOD, "env": {f"V{number}": "x" * 32_000 for number in range(130)}}).encode()
    full = body.ljust(settings.PURSER.max_body_bytes)

    assert launch(client, full).status_code == 202
    assert launch(client, full + b" ").status_code == 413


QUERIES: list[tuple[str, str, str]] = [
    ("limit=0", "limit", "greater than or equal to 1"),
    ("limit=501", "limit", "less than or equal to 500"),
    ("limit=ten", "limit", "integer"),
    ("limit=1&limit=2", "limit", "2 times"),
    ("stat=running", "stat", "did you mean state"),
    ("format=json", "format", "known are"),
    ("state=done", "state", "'succeeded'"),
    ("label=team", "label", "must be name:value"),
    ("label=team:%00", "label", "NUL"),
    ("created_after=yesterday", "created_after", "date and time"),
    ("created_after=2026-01-01T00:00:00", "created_after", "timezone"),
    ("created_after=0001-01-01T00:00:00%2B23:59", "created_after", "between the years"),
    ("created_before=9999-12-31T23:59:59-23:59", "created_before", "between the years"),
    ("executor=", "executor", "must not be empty"),
    ("cursor=", "cursor", "must not be empty"),
    ("cursor=nonsense", "cursor", "not given out"),
    ("cursor=" + "x" * 300, "cursor", "at most 256"),
]


@pytest.mark.parametrize(("query", "parameter", "allowed"), QUERIES)
def test_a_query_parameter_that_is_wrong_is_named(client: Client, query: str, parameter: str, allowed: str) -> None:
    with nothing_changes():
        answer = client.get(f"/api/v1/jobs?{query}")

    assert answer.status_code == 422
    told = {error["parameter"]: error["detail"] for error in answer.json()["errors"]}
    assert allowed in told[parameter]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/executors/nowhere", 404, "unknown_executor"),
        ("GET", "/api/v1/jobs?executor=nowhere", 404, "unknown_executor"),
        ("GET", "/api/v1/executors/%00/health", 404, "unknown_executor"),
        ("GET", "/api/v1/executors/%ED%A0%80/metrics", 404, "unknown_executor"),
        ("GET", "/api/v1/jobs/1/logs", 404, "unknown_job"),
        ("GET", "/api/v1/jobs/", 404, "not_found"),
        ("GET", "/nothing/%00here", 404, "not_found"),
        ("PUT", "/api/v1/jobs", 405, "method_not_allowed"),
        ("OPTIONS", "/api/v1/jobs", 405, "method_not_allowed"),
        ("BREW", "/api/v1/jobs", 405, "method_not_allowed"),
        ("GET", "/api/v1/jobs?cursor=" + "x" * 9000, 414, "uri_too_long"),
    ],
)
def test_a_path_or_method_that_is_wrong_is_a_problem(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    with nothing_changes():
        answer = client.generic(method, path)

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code


@pytest.mark.parametrize("key", ["a b", "x" * 256, "é", "\t"])
def test_an_idempotency_key_that_is_wrong_is_named(client: Client, key: str) -> None:
    with nothing_changes():
        answer = launch(client, GOOD, **{"Idempotency-Key": key})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["header"] == "Idempotency-Key"


def test_an_attempt_that_never_was_is_refused_with_those_there_are(client: Client) -> None:
    job = ContainerJobFactory.create(active=True)
    answer = client.get(f"/api/v1/jobs/{job.pk}/logs?attempt=9")

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "attempt")
    assert "allowed is 1 to 1" in answer.json()["detail"]


def test_an_arguments_own_words_may_be_empty(client: Client) -> None:
    assert launch(client, {"command": ["echo", ""]}).status_code == 202
    assert launch(client, {"entrypoint": ["echo"], "command": [""]}).status_code == 202


def test_a_form_that_cannot_be_given_is_told_with_those_that_can(client: Client) -> None:
    answer = client.get("/api/schema", headers={"Accept": "image/png"})

    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    assert "image/png" in answer.json()["detail"]
    assert "application/yaml, application/json" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/livez", "/metrics", "/api/docs", "/nowhere", "/static/nothing.css"])
def test_a_host_that_is_not_allowed_is_refused_on_every_route(client: Client, path: str) -> None:
    answer = client.get(path, headers={"Host": "evil.example:8080"})

    assert (answer.status_code, answer.json()["code"]) == (400, "host_not_allowed")
    assert "'evil.example:8080' is not in PURSER_ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "localhost:9999", "127.0.0.1:8080", "[::1]:8080"])
def test_a_host_that_is_allowed_is_served_on_any_port(client: Client, host: str) -> None:
    assert client.get("/api/v1/jobs", headers={"Host": host}).status_code == 200
