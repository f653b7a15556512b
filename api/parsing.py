"""Reading requests strictly: what is wrong, unknown or given twice is named, never guessed or dropped."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_origin

import orjson
from django.http import QueryDict
from pydantic import BaseModel, ConfigDict, ValidationError
from rest_framework.request import Request

from api.errors import InvalidQuery, MalformedJson, UnsupportedMediaType
from container_manager import jobs
from container_manager.exceptions import FieldError, InvalidBody, InvalidJob
from container_manager.spec import JobRequest
from container_manager.wording import sentence

_PREVIEW_CHARACTERS = 60
_NAME = re.compile(r'"([^"\\]+)"\s*:')
_PROGRAM = frozenset({"image", "entrypoint", "command"})
_NEVER_ECHOED = frozenset({"env", "stdin", "registry_auth", "secrets", "url", "value"})


_JSON_TYPES = {
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class Query(BaseModel):
    """The query parameters that an operation takes. This one takes none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Q = TypeVar("Q", bound=Query)


def read_query(model: type[Q], given: QueryDict) -> Q:
    """Raises InvalidQuery that names every parameter that is wrong, unknown or repeated."""
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, found in given.lists():
        many = name in model.model_fields and get_origin(model.model_fields[name].annotation) is list
        values[name] = found if many else found[-1]
        if not many and len(found) > 1:
            errors.append(FieldError(name, "repeated", f"{name} is given {len(found)} times; once is allowed"))
        if any("\x00" in value for value in found):
            errors.append(FieldError(name, "nul", f"{name} must not contain NUL"))
    try:
        query = model.model_validate(values)
    except ValidationError as error:
        errors += [_field_error(model, detail, parameter=True) for detail in error.errors()]
    if errors:
        raise InvalidQuery(errors)
    return query


def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises UnsupportedMediaType, or MalformedJson with the place."""
    media_type = request.content_type.partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType(f"the body must be application/json; Content-Type is {media_type or 'missing'!r}")
    if (encoding := request.headers.get("Content-Encoding", "identity").lower()) != "identity":
        raise UnsupportedMediaType(f"the body must come as it is; Content-Encoding is {encoding!r}")
    body = request.body
    if not body.strip():
        raise MalformedJson("the body is empty; it must be a JSON object")
    try:
        orjson.loads(body)  # the stricter of the two: no NaN, no lone surrogates
        document = json.loads(body, object_pairs_hook=_without_duplicates)
    except orjson.JSONDecodeError as error:
        raise MalformedJson(_where(error)) from None
    except RecursionError:
        raise MalformedJson("the body is nested too deeply") from None
    except ValueError as error:
        raise MalformedJson(f"the body cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise MalformedJson(f"the body must be a JSON object; it is {_JSON_TYPES[type(document)]}")
    return document


def _where(error: orjson.JSONDecodeError) -> str:
    names = _NAME.findall(error.doc[: error.pos])
    near = f", near {names[-1]!r}" if names else ""
    return f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno}{near})"


def read_nothing(request: Request) -> None:
    """For an operation without fields: the body is empty, or an empty object. Raises InvalidJob."""
    if request.body and (document := read_object(request)):
        raise InvalidJob([FieldError(_pointer((name,)), "unknown", "this takes no fields") for name in document])


B = TypeVar("B", bound=BaseModel)


def read_body(model: type[B], request: Request) -> B:
    """The object in the body as a model. Raises InvalidBody that names every field that is wrong."""
    document = read_object(request)
    errors = [
        FieldError(pointer, "nul", "must not contain NUL") for name in document for pointer in _with_nul(name, document)
    ]
    try:
        found = model.model_validate(document)
    except ValidationError as error:
        errors += [_field_error(model, detail) for detail in error.errors()]
    if errors:
        raise InvalidBody(errors)
    return found


def read_job_request(executor: str, document: Mapping[str, Any], namespace: str) -> JobRequest:
    """Raises InvalidJob that names every field that is wrong, or that the executor cannot honour, at once."""
    errors = [FieldError(pointer, "nul", "must not contain NUL") for pointer in _with_nul("scenario", document)]
    try:
        request = JobRequest.model_validate(document)
    except ValidationError as error:
        details = error.errors()
        errors += [_field_error(JobRequest, detail) for detail in details]
        wrong = {str(detail["loc"][0]) for detail in details if detail["loc"]}
        errors += _violations_of_the_rest(executor, document, wrong, namespace)
    if errors:
        raise InvalidJob(errors)
    return request


def _violations_of_the_rest(
    executor: str, document: Mapping[str, Any], wrong: set[str], namespace: str
) -> list[FieldError]:
    """What else could not be accepted, as if what is wrong had been left out, and something to run were named."""
    rest = {name: value for name, value in document.items() if name not in wrong}
    absent = wrong if rest.keys() & _PROGRAM else wrong | _PROGRAM
    if not rest.keys() & _PROGRAM:
        rest["command"] = ["true"]
    try:
        found = jobs.violations(executor, JobRequest.model_validate(rest), namespace)
    except ValidationError:
        return []
    return [error for error in found if error.field.split(".")[0] not in absent]


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"name {next(n for n in names if names.count(n) > 1)!r} is given twice in one object")
    return found


def _with_nul(field: str, document: Mapping[str, Any]) -> Iterator[str]:
    """The pointer of every text with NUL in a field whose content no model describes."""

    def walk(path: tuple[str | int, ...], value: Any) -> Iterator[str]:
        if isinstance(value, str) and "\x00" in value:
            yield _pointer(path)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from walk((*path, index), item)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from walk((*path, key), item)
                yield from walk((*path, key), key)

    return walk((field,), document.get(field))


def _field_error(model: type[BaseModel], detail: Any, *, parameter: bool = False) -> FieldError:
    path = detail["loc"]
    place = str(path[0]) if parameter and path else _pointer(path)
    if detail["type"] == "extra_forbidden":
        return FieldError(place, "unknown", sentence(model, detail))
    quiet = not path or path[0] in _NEVER_ECHOED or detail["type"] == "missing"
    echo = "" if quiet else f"; got {_preview(detail['input'])}"
    return FieldError(place, detail["type"], sentence(model, detail) + echo)


def _pointer(path: tuple[str | int, ...]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _preview(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _PREVIEW_CHARACTERS else text[:_PREVIEW_CHARACTERS] + "…"
