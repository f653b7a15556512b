"""What holds for every operation and every field of the contract, also for those that come later."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from api import schema
from api.schema_rules import PROBLEM_JSON
from api.urls import urlpatterns
from tests.api.test_openapi import operations, resolved, validate

SCHEMAS = schema.document()["components"]["schemas"]
VERBS = (
    "cancel", "cleanup", "create", "delete", "explain", "get", "launch", "list", "put", "redeliver", "revoke", "rotate",
    "update",
)  # fmt: skip
UNITS = {
    "seconds": r"second|\(s\)",
    "_mib": "MiB",
    "_cores": "core",
    "_bytes": "byte",
    "_percent": "percent",
    "_milliseconds": "millisecond",
}
COUNTS = ("How many", "How often", "Counts ", "Number of ")
PLAIN = {"asked", "attempt", "exit_code", "free", "last_seq", "number", "position", "priority", "seq", "status"} | {
    "status_code",
    "version",
}
"""Numbers that have no unit and count nothing."""


def fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every field of every schema: the schema's name, its own, and its shape."""
    for name, component in SCHEMAS.items():
        for field, shape in component.get("properties", {}).items():
            yield name, field, shape


def parameters() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, operation in operations().items():
        for parameter in operation.get("parameters", ()):
            yield f"{name} {parameter['name']}", parameter


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is sent or answered, with what it is of."""
    for name, operation in operations().items():
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} request {media_type}", content
        for status, response in operation["responses"].items():
            for media_type, content in resolved(response).get("content", {}).items():
                yield f"{name} {status} {media_type}", content


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def is_numeric(shape: dict[str, Any]) -> bool:
    return bool({"integer", "number"}.intersection(_types(shape)))


def _types(shape: dict[str, Any]) -> list[str]:
    kind = shape.get("type", [])
    return [kind] if isinstance(kind, str) else kind


def test_every_operation_is_named_by_one_of_our_verbs_and_a_noun() -> None:
    assert [name for name in operations() if not re.fullmatch(rf"({'|'.join(VERBS)})[A-Z][A-Za-z]+", name)] == [], (
        f"an operationId is one of {VERBS} and a noun; a new verb is added here"
    )


def test_every_schema_has_a_description_and_a_name_that_nobody_generated() -> None:
    assert [name for name, shape in SCHEMAS.items() if "description" not in shape] == []
    assert [name for name in SCHEMAS if re.search(r"AnyOf|OneOf|AllOf|Inline|Type\d|\d{3}$|[^A-Za-z]", name)] == []


def test_no_schema_is_named_as_what_makes_another_in_go() -> None:
    assert [name for name in SCHEMAS if name.startswith("New") and name[3:] in SCHEMAS] == []


def test_every_field_is_described() -> None:
    assert [
        f"{name}.{field}" for name, field, shape in fields() if "description" not in {**resolved(shape), **shape}
    ] == []


def test_every_number_has_bounds_and_a_unit() -> None:
    unbound, unclear = [], []
    for name, field, shape in fields():
        if not is_numeric(shape):
            continue
        if not {"minimum", "exclusiveMinimum"}.intersection(shape) and "below 0" not in shape["description"]:
            unbound.append(f"{name}.{field}")
        unit = next((word for suffix, word in UNITS.items() if field.endswith(suffix)), None)
        says = re.search(unit, shape["description"], re.IGNORECASE) if unit else shape["description"].startswith(COUNTS)
        if not says and field not in PLAIN:
            unclear.append(f"{name}.{field}")

    assert unbound == [], "give these fields ge= (and le=), or say that they can be below 0"
    assert unclear == [], f"the description must name the unit ({UNITS}), or begin with one of {COUNTS}"


def test_every_number_says_how_large_it_gets_for_languages_that_ask() -> None:
    assert [node for node in nodes(SCHEMAS) if is_numeric(node) and "format" not in node] == []


def test_every_parameter_is_described_and_every_text_has_a_bound() -> None:
    assert [name for name, parameter in parameters() if not parameter.get("description")] == []
    assert [name for name, parameter in parameters() if _types(parameter["schema"]) == []
            and "$ref" not in parameter["schema"]] == []  # fmt: skip
    request = [SCHEMAS["JobRequest"], SCHEMAS["Mount"], SCHEMAS["Tmpfs"]]
    texts = [node for shape in request for node in nodes(shape.get("properties", {})) if "string" in _types(node)]
    assert [text for text in texts if not {"maxLength", "enum", "format"}.intersection(text)] == []


def test_an_enum_is_a_schema_of_its_own_and_there_once() -> None:
    named = [tuple(shape["enum"]) for shape in SCHEMAS.values() if "enum" in shape]
    inline = [node["enum"] for node in nodes(schema.document()) if isinstance(node.get("enum"), list)]

    assert [values for values in inline if tuple(values) not in named] == [], "name it: TypeAliasType or StrEnum"
    assert len(inline) == len(named), "refer to the named one"
    assert [values for values, times in Counter(map(frozenset, named)).items() if times > 1] == []


def test_an_object_is_a_schema_of_its_own() -> None:
    inline = [
        f"{name}.{field}" for name, field, shape in fields() if "object" in _types(shape) and "properties" in shape
    ]

    assert inline == []
    nullable = [f"{name}.{field}" for name, field, shape in fields() if _types(shape) == ["object", "null"]]
    assert nullable == [], "name it with TypeAliasType: generators name what may be null after its place"
    assert [what for what, body in bodies() if "properties" in body["schema"]] == []


def test_every_body_has_an_example() -> None:
    assert [what for what, body in bodies() if not (body.get("examples") or body["schema"].get("examples"))] == []


def test_every_example_is_as_the_contract_says() -> None:
    for what, body in bodies():
        for example in body.get("examples", {}).values():
            try:
                validate(body["schema"], resolved(example)["value"])
            except Exception as error:
                raise AssertionError(f"the example of {what}") from error


def test_every_example_of_a_schema_is_as_that_schema_says() -> None:
    for node in nodes(SCHEMAS):
        for example in node.get("examples", ()) if isinstance(node.get("examples"), list) else ():
            validate(node, example)


@pytest.mark.parametrize("name", sorted(operations()))
def test_every_refusal_is_a_problem_that_names_its_codes(name: str) -> None:
    responses = {status: resolved(found) for status, found in operations()[name]["responses"].items()}
    for status, response in responses.items():
        if status[0] in "45" and status != "503":
            assert list(response["content"]) == [PROBLEM_JSON]
            assert {resolved(example)["value"]["code"] for example in response["content"][PROBLEM_JSON][
                "examples"].values()} == set(response["content"][PROBLEM_JSON]["examples"])  # fmt: skip
        assert "X-Request-ID" in response["headers"]
    assert {"400", "406", "414", "500"} <= responses.keys()
    if operations()[name]["security"]:
        assert {"401", "403"} <= responses.keys()
        assert "WWW-Authenticate" in responses["401"]["headers"]


def test_every_path_that_is_served_under_api_is_in_the_contract() -> None:
    served = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{pattern.pattern}") for pattern in urlpatterns}
    pages = {"/api/docs", "/api/docs/problems"}

    assert served - pages == set(schema.document()["paths"])


def test_what_a_launch_answers_links_to_all_that_can_be_done_with_the_job() -> None:
    links = operations()["launchJob"]["responses"]["202"]["links"]

    paths = schema.document()["paths"]
    of_a_job = {
        method["operationId"] for path, methods in paths.items() if "{job}" in path for method in methods.values()
    }
    assert of_a_job == set(links)


def test_every_operation_with_a_path_parameter_can_be_reached_by_a_link() -> None:
    linked = {link["operationId"] for link in schema.document()["components"]["links"].values()}
    needing = {method["operationId"] for path, methods in schema.document()["paths"].items() if "{" in path
               for method in methods.values()}  # fmt: skip

    assert needing - linked == set(), "say in api/schema_rules.py which answer gives the path's parameter"


def test_no_reference_leads_nowhere() -> None:
    document = schema.document()
    known = {f"#/components/{section}/{name}" for section, found in document["components"].items() for name in found}

    assert {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)} <= known


def test_a_field_without_an_example_is_named() -> None:
    from api import examples

    shape = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
    with pytest.raises(examples.NoExample, match=r"Disk\.size has no example: give its Field `examples=\[…\]`"):
        examples.of_answer("getDisk", "200", {"$ref": "#/components/schemas/Disk"}, {"Disk": shape})
