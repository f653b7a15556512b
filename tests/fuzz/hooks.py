"""What a fuzzer cannot know: which executors and jobs there are. And the count of what was answered.

Only cases that keep to the schema are changed, and one in eight of those is not: unknown names are asked for as well.
"""

import atexit
import json
import os
import random
from collections import Counter, deque
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.generation import GenerationMode

EXECUTOR = "mock"
STREAMS = ("text/event-stream", "application/x-ndjson", "text/plain")
SCENARIOS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"output": [{"text": "hello\n"}, {"stream": "stderr", "data_base64": "/w=="}], "exit_code": 3},
    {"run_seconds": 0.2, "oom": True},
    {"run_seconds": 30, "ignore_sigterm": False, "output": [{"at_seconds": 0.1, "text": "no newline"}]},
    {"refuse": {"reason": "image_not_found"}},
    {"vanish_at_seconds": 0.1, "run_seconds": 1},
)
OWN_TOKEN = os.environ.get("PURSER_FUZZ_TOKEN", "").removeprefix("purser_").partition("_")[0]
REFUSED_BY_MOCK = ("stdin", "mounts", "registry_auth", "user", "network")

_random = random.Random(20261122)
_ended = deque(os.environ.get("PURSER_FUZZ_JOBS", "").split(","), maxlen=200)
_pools: dict[str, deque[str]] = {name: deque(maxlen=200) for name in ("token", "webhook", "secret")} | {
    "job": deque(_ended, maxlen=200)
}
_counts: Counter[str] = Counter()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Aim at what is there."""
    media_type = _random.choice(_media_types(case.operation))
    if media_type and "Accept" not in case.headers:
        case.headers["Accept"] = media_type
    if case.meta and case.meta.generation.mode == GenerationMode.POSITIVE and _random.random() > 1 / 8:
        _aim(case)
    _spare(case)


def _aim(case: Any) -> None:
    parameters = case.path_parameters
    if "executor" in parameters:
        parameters["executor"] = EXECUTOR
    for name, pool in _pools.items():
        if name in parameters and pool and case.meta.phase.name.value != "stateful":  # which has it from a link
            parameters[name] = _random.choice(pool)
    if isinstance(case.body, dict):
        (_make_launchable if "executor" in parameters else _make_possible)(case.body)


def _spare(case: Any) -> None:
    """Do no harm to the run itself, nor to hosts that others have, and follow no stream without an end."""
    parameters = case.path_parameters
    if parameters.get("token") == OWN_TOKEN and case.method != "GET":
        parameters["token"] = "0" * 12
    if isinstance(case.body, dict) and str(case.body.get("url")).startswith("http"):
        case.body["url"] = "http://127.0.0.1:9/hook"
    if case.headers.get("Accept") in STREAMS and parameters.get("job") in _pools["job"]:
        parameters["job"] = _random.choice(_ended)


def _media_types(operation: Any) -> list[str]:
    """What its answer may be, as `Accept` asks for it; nothing is as good."""
    success = operation.definition.raw["responses"].get("200", {})
    return [*success.get("content", {}), ""]


def _make_launchable(body: dict[str, Any]) -> None:
    for name in REFUSED_BY_MOCK:
        body.pop(name, None)
    body["scenario"] = _random.choice(SCENARIOS)
    if not (body.get("command") or body.get("image")):
        body["command"] = ["true"]


def _make_possible(body: dict[str, Any]) -> None:
    """What only a person can know: executors that there are, a time that lies ahead."""
    if "executors" in body:
        body["executors"] = [EXECUTOR]
    if body.get("expires_at"):
        body["expires_at"] = "2100-01-01T00:00:00Z"
    if body.get("rate_limit"):
        body["rate_limit"] = "60/60"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count, and remember the jobs."""
    _counts[f"{response.status_code // 100}xx"] += 1
    _counts[f"{case.operation.label} {response.status_code}"] += 1
    if response.status_code in (200, 201, 202) and "application/json" in response.headers.get("content-type", [""])[0]:
        _remember(response.json())


def _remember(document: Any) -> None:
    match document:
        case {"id": str(job), "state": _, "finished_at": ended, "executor": _}:
            _pools["job"].append(job)
            if ended:
                _ended.append(job)
        case {"id": str(token), "scopes": _} if token != OWN_TOKEN:
            _pools["token"].append(token)
        case {"id": str(webhook), "url": _}:
            _pools["webhook"].append(webhook)
        case {"name": str(name), "updated_at": _}:
            _pools["secret"].append(name)


@schemathesis.check
def problem_is_declared(context: Any, response: Any, case: Any) -> None:
    """Every problem's code is one that the operation declares for this status."""
    if "application/problem+json" not in response.headers.get("content-type", [""])[0]:
        return
    code, declared = response.json()["code"], _declared_codes(case.operation, str(response.status_code))
    if response.status_code != 405 and code not in declared:
        raise Failure(
            operation=case.operation.label, title="Undeclared problem", message=f"{code} is not one of {declared}"
        )


def _declared_codes(operation: Any, status: str) -> list[str]:
    responses = operation.schema.raw_schema["paths"][operation.path][operation.method]["responses"]
    found = responses.get(status, {})
    while "$ref" in found:
        found = operation.schema.raw_schema["components"]["responses"][found["$ref"].rpartition("/")[2]]
    return list(found.get("content", {}).get("application/problem+json", {}).get("examples", {}))


@schemathesis.check
def events_are_as_told(context: Any, response: Any, case: Any) -> None:
    """Every server-sent event is JSON with a name, and nothing follows the last `end`."""
    if not response.headers.get("content-type", [""])[0].startswith("text/event-stream"):
        return
    names = []
    for block in response.text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if lines:
            json.loads(lines["data"])
            names.append(lines["event"])
    if names and "end" in names[:-1]:
        raise Failure(operation=case.operation.label, title="Wrong stream", message=f"end is not the last of {names}")


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """OpenAPI 3.1 describes a stream of events as one text; the check above reads its events."""
    return bool(failure.title != "SSE event violates schema")


def flush() -> None:
    """Leave the counts where run.py reads them."""
    Path(os.environ["PURSER_FUZZ_COUNTS"]).write_text(json.dumps(_counts))


atexit.register(flush)
