"""What holds for the whole OpenAPI document by rule, whatever an operation declares."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from api import examples
from api.problems import STATUS, status_of, title_of
from container_manager.exceptions import PurserError

PROBLEM_JSON = "application/problem+json"
INT32 = 2**31 - 1

_VALUES = frozenset({"default", "enum", "examples"})
"""Where a schema holds values, not schemas."""

_RETRYABLE = frozenset(kind.code for kind in STATUS if kind.retryable)
_HEADERS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "RequestId": (
        "X-Request-ID",
        "The request's id: the one that was given, or a new one. It is in the service's log.",
        {"type": "string", "maxLength": 128, "examples": [examples.JOB_ID]},
    ),
    "RetryAfter": (
        "Retry-After",
        "In how many seconds it may be tried again.",
        {"type": "integer", "minimum": 0, "examples": [5]},
    ),
    "Challenge": (
        "WWW-Authenticate",
        "What is needed, as in RFC 6750.",
        {"type": "string", "examples": ['Bearer realm="purser"']},
    ),
}
_SIGNED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "webhook-id",
        "The delivery's id: the same each time that it is tried.",
        {"type": "string", "format": "uuid", "examples": [examples.JOB_ID]},
    ),
    (
        "webhook-timestamp",
        "When it was sent: seconds since 1970.",
        {"type": "string", "pattern": r"^\d+$", "examples": ["1795366931"]},
    ),
    (
        "webhook-signature",
        "`v1,` and the base64 of HMAC-SHA256 over `webhook-id.webhook-timestamp.body`; after a rotation two of these.",
        {"type": "string", "examples": ["v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="]},
    ),
)
"""The headers by which a receiver knows what it is sent, as Standard Webhooks has them."""

_GIVEN_BY: Mapping[str, Mapping[str, str]] = {
    "Job": {"job": "id", "executor": "executor"},
    "JobPage": {"job": "results/0/id", "executor": "results/0/executor"},
    "Executor": {"executor": "name"},
    "ExecutorList": {"executor": "results/0/name"},
    "Token": {"token": "id"},
    "TokenWithSecret": {"token": "id"},
    "TokenPage": {"token": "results/0/id"},
    "Webhook": {"webhook": "id"},
    "WebhookWithSecret": {"webhook": "id"},
    "WebhookPage": {"webhook": "results/0/id"},
    "DeliveryPage": {"delivery": "results/0/id", "webhook": "$request.path.webhook"},
    "StoredSecret": {"secret": "name"},
    "StoredSecretPage": {"secret": "results/0/name"},
}
"""Where an answer has what a path of another operation needs, first what it is about: from there come links."""


def apply(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: completes and tidies the document."""
    components = result["components"]
    components["headers"] = {
        name: {"description": text, "schema": schema} for name, (_, text, schema) in _HEADERS.items()
    }
    components["examples"], components["responses"] = {}, {}
    for _path, operation in operations(result):
        operation.setdefault("security", [])
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        for schema in _schemas(operation):
            _tidy(schema)
    _tidy(components["schemas"])
    for _path, operation in operations(result):
        _complete_request(operation, components["schemas"])
        for status, response in operation["responses"].items():
            _complete_response(operation["operationId"], status, response, components)
            if PROBLEM_JSON in response.get("content", {}) and len(response["content"]) == 1:
                operation["responses"][status] = _shared_response(response, components["responses"])
    _link(result)
    result["webhooks"] = {"jobChanged": {"post": _received(components["schemas"])}}
    for section in components.values():
        ordered = sorted(section.items())
        section.clear()
        section.update(ordered)
    return result


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its path."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def _schemas(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for content in body.get("content", {}).values():
            yield content["schema"]
    for parameter in operation.get("parameters", ()):
        yield parameter["schema"]


def _complete_request(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        named = examples.of_request(content["schema"], schemas)
        content["examples"] = {_key(summary): {"summary": summary, "value": value} for summary, value in named.items()}


def _key(summary: str) -> str:
    return re.sub(r"\W+", "-", summary).strip("-").lower()


def _complete_response(operation: str, status: str, response: dict[str, Any], components: dict[str, Any]) -> None:
    headers = response.setdefault("headers", {})
    _add_header(headers, "RequestId")
    for media_type, content in response.get("content", {}).items():
        if media_type == PROBLEM_JSON:
            codes = [example["value"]["code"] for example in content["examples"].values()]
            content["examples"] = {code: _shared(components, code, content["examples"]) for code in codes}
            if status == "401":
                _add_header(headers, "Challenge")
            if _RETRYABLE.intersection(codes):
                _add_header(headers, "RetryAfter")
        elif "examples" not in content:
            value = examples.of_answer(operation, status, content["schema"], components["schemas"])
            content["examples"] = _answer_example(operation, status, content["schema"], value, components)


def _add_header(headers: dict[str, Any], name: str) -> None:
    headers.setdefault(_HEADERS[name][0], {"$ref": f"#/components/headers/{name}"})


def _shared_response(response: dict[str, Any], responses: dict[str, Any]) -> dict[str, str]:
    codes = response["content"][PROBLEM_JSON]["examples"]
    name = "Or".join(code.title().replace("_", "") for code in codes)
    responses[name] = response
    return {"$ref": f"#/components/responses/{name}"}


def _shared(components: dict[str, Any], code: str, given: Mapping[str, Any]) -> dict[str, str]:
    value = next(example["value"] for example in given.values() if example["value"]["code"] == code)
    components["examples"][code] = {"summary": value["title"], "value": value}
    return {"$ref": f"#/components/examples/{code}"}


def _answer_example(
    operation: str, status: str, schema: Mapping[str, Any], value: Any, components: dict[str, Any]
) -> dict[str, Any]:
    """By reference where it is the example of the component itself."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name and value == examples.example_of(schema, components["schemas"], name):
        components["examples"][name] = {"summary": _first_sentence(components["schemas"][name]), "value": value}
        return {name: {"$ref": f"#/components/examples/{name}"}}
    return {f"{operation}-{status}": {"value": value}}


def _first_sentence(schema: Mapping[str, Any]) -> str:
    return str(schema["description"]).partition("\n")[0]


def _received(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """What a webhook's receiver is asked: the other side of `createWebhook`."""
    message = {"$ref": "#/components/schemas/WebhookMessage"}
    example = examples.example_of(message, schemas, "WebhookMessage")
    return {
        "operationId": "receiveJobChange",
        "summary": "Be told of a change of a job",
        "description": "What Purser sends to the URL of a webhook. Any 2xx says that it is received.",
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": schema}
            for name, text, schema in _SIGNED
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": message, "examples": {"WebhookMessage": {"value": example}}}},
        },
        "responses": {
            "2XX": {"description": "It is received."},
            "410": {"description": "It is not wanted any more: the webhook is disabled."},
        },
    }


def _link(document: dict[str, Any]) -> None:
    """From every answer that gives the parameters of a path to every operation of that path."""
    targets = [(operation["operationId"], _parameters(path)) for path, operation in operations(document)]
    links: dict[str, Any] = {}
    for _path, operation in operations(document):
        for status, response in operation["responses"].items():
            schema = response.get("content", {}).get("application/json", {}).get("schema", {})
            name = str(schema.get("$ref", "")).rpartition("/")[2]
            given = _GIVEN_BY.get(name, {}) if status[0] == "2" else {}
            about = next(iter(given), None)
            wanted = [target for target, needs in targets if about in needs and needs <= given.keys()]
            for target in wanted:
                links[f"{name}-{target}"] = _link_to(target, given, dict(targets)[target])
                response.setdefault("links", {})[target] = {"$ref": f"#/components/links/{name}-{target}"}
    document["components"]["links"] = links


def _parameters(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", path))


def _link_to(target: str, given: Mapping[str, str], needs: set[str]) -> dict[str, Any]:
    places = {name: given[name] for name in sorted(needs)}
    parameters = {name: at if at[0] == "$" else f"$response.body#/{at}" for name, at in places.items()}
    return {"operationId": target, "parameters": parameters}


def _tidy(node: Any) -> None:
    """Names that pydantic made up from names are left out; null is a type; numbers say how large they get."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        _merge_null(node)
        _add_format(node)
        for name, value in node.items():
            if name not in _VALUES:
                _tidy(value)
    elif isinstance(node, list):
        for item in node:
            _tidy(item)


def _merge_null(node: dict[str, Any]) -> None:
    match node.get("anyOf"):
        case [{"type": str(kind)} as option, {"type": "null"}]:
            del node["anyOf"]
            node |= {**option, **node, "type": [kind, "null"]}


def _add_format(node: dict[str, Any]) -> None:
    kinds = node.get("type")
    if kinds in ("integer", ["integer", "null"]):
        node.setdefault("format", "int32" if node.get("maximum", INT32 + 1) <= INT32 else "int64")
    elif kinds in ("number", ["number", "null"]):
        node.setdefault("format", "double")


def problem_example(kind: type[PurserError]) -> dict[str, Any]:
    """What a problem of this kind looks like."""
    return examples.of_problem(kind.code, status_of(kind), title_of(kind))
