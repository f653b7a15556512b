"""The OpenAPI document: what each `endpoint` declares, and what holds for all of them by rule."""

import functools
import inspect
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from api import errors
from api.examples import JOB_ID
from api.problems import status_of, title_of
from api.schema_rules import PROBLEM_JSON, problem_example
from api.schemas.process import Problem
from container_manager import exceptions as domain
from container_manager import secrets
from container_manager.exceptions import PurserError
from container_manager.spec import JobRequest

if TYPE_CHECKING:
    from api.endpoint import Answer, Endpoint, Header, View

_PATH_PARAMETERS: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "executor": ("Name of a registered executor.", {"type": "string"}, "docker"),
    "token": ("Id of a token; not its secret.", {"type": "string"}, "7b9de2b64ed7"),
    "secret": ("Name of a stored secret.", {"type": "string", "pattern": f"^{secrets.NAME.pattern}$"}, "deploy-key"),
    "webhook": ("Id of a webhook.", {"type": "string", "format": "uuid"}, "0193a1c2-6c8f-7d22-8e54-1b2c3d4e5f60"),
    "delivery": ("Id of a delivery.", {"type": "string", "format": "uuid"}, "0193a1c2-7d90-7e33-9f65-2c3d4e5f6071"),
    "job": ("Id of a job.", {"type": "string", "format": "uuid"}, JOB_ID),
}
_POLICY = (
    "The token's rate: `q` requests in a window of `w` seconds (draft-ietf-httpapi-ratelimit-headers-10); "
    "left out where there is no limit."
)
_STANDING = "About how many requests (`r`) are left of it, and the seconds (`t`) until there are all again."

_making = threading.Lock()
"""Held while the document is made: its makers keep what they make with the views, which all threads share."""


_UNCHANGED = OpenApiResponse(None, description="It is still as the client has it; nothing is sent again.")


@dataclass(frozen=True, slots=True)
class Text:
    """A body that is not one JSON document: what it is, and an example."""

    description: str
    example: str


class Schema(AutoSchema):
    """One operation, from its declaration."""

    @property
    def _declared(self) -> "Endpoint":
        return cast("Endpoint", cast("View", self.view).declared(self.method))

    def get_operation_id(self) -> str:
        return self._declared.operation.format("Executor" if "{executor}" in self.path else "")

    def get_summary(self) -> str:
        return self._declared.summary

    def get_description(self) -> str:  # type: ignore[override]
        text = inspect.getdoc(getattr(self.view, self.method.lower())) or ""
        scope = self._declared.scope
        if scope is None:
            return f"{text}\n\nNeeds no token."
        operator = "For tokens of the operator's namespace only. " if self._declared.operator else ""
        return f"{text}\n\n{operator}Needs the scope `{scope}`."

    def get_tags(self) -> list[str]:
        if "/jobs" in self.path:
            return ["jobs"]
        if "/secrets" in self.path:
            return ["secrets"]
        if "/webhooks" in self.path:
            return ["webhooks"]
        if "/tokens" in self.path or "/audit" in self.path:
            return ["tokens"]
        return ["executors"] if "/executors" in self.path else ["service"]

    def get_override_parameters(self) -> list[Any]:
        path = [_path_parameter(name) for name in _PATH_PARAMETERS if f"{{{name}}}" in self.path]
        rate = _rate_headers(self._declared.answers) if self._declared.scope else ()
        return [*path, *self._query_parameters(), *map(_header, self._declared.headers), *rate]

    def _query_parameters(self) -> Iterator[OpenApiParameter]:
        document = self._declared.query.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, schema in document.get("$defs", {}).items():
            component = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, name)  # type: ignore[no-untyped-call]
            self.registry.register_on_missing(component)
        for name, schema in document.get("properties", {}).items():
            description = schema.pop("description", "")
            yield OpenApiParameter(name, _without_null(schema), OpenApiParameter.QUERY, description=description)

    def get_request_serializer(self) -> Any:
        if self._declared.body is None:
            return None
        return {"application/json": self._declared.body}

    def get_response_serializers(self) -> Any:
        return {**dict(_answers(self._declared)), **dict(_problems(self._refusals()))}

    def _refusals(self) -> set[type[PurserError]]:
        """Every error that this operation may answer with."""
        kinds = {PurserError, errors.RequestError, errors.HostNotAllowed, errors.InvalidQuery, errors.NotAcceptable}
        kinds |= {errors.BodyTooLarge, errors.UriTooLong, errors.HeadersTooLarge}
        if self._declared.scope:
            kinds |= {errors.MissingToken, errors.UnusableToken, errors.InsufficientScope, errors.Unavailable}
            kinds |= {errors.RateLimited, errors.TooManyFailures}
        if self._declared.operator:
            kinds.add(errors.OperatorOnly)
        if "{executor}" in self.path:
            kinds |= {domain.UnknownExecutor, errors.ExecutorForbidden}
        if self.method != "GET":
            kinds |= {errors.MalformedJson, errors.UnsupportedMediaType}
            kinds.add(domain.InvalidJob if self._declared.body in (None, JobRequest) else domain.InvalidBody)
        return kinds | set(self._declared.raises)


def _path_parameter(name: str) -> OpenApiParameter:
    description, schema, example = _PATH_PARAMETERS[name]
    return OpenApiParameter(name, {**schema, "examples": [example]}, OpenApiParameter.PATH, description=description)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out, never null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) != 1:
        return schema
    return {**{key: value for key, value in schema.items() if key not in ("anyOf", "default")}, **options[0]}


def _header(header: "Header") -> OpenApiParameter:
    return OpenApiParameter(
        header.name,
        {**header.schema, "examples": [header.example]},
        OpenApiParameter.HEADER,
        description=header.description,
        response=list(header.statuses) if header.statuses else False,
    )


def _rate_headers(statuses: Iterable[int]) -> Iterator[OpenApiParameter]:
    """What `api.limits` says of the token's rate; left out where there is no limit."""
    for name, text, shape, where in (
        ("RateLimit-Policy", _POLICY, {"type": "string", "examples": ['"token";q=12000;w=60']}, [*statuses, 429]),
        ("RateLimit", _STANDING, {"type": "string", "examples": ['"token";r=11999;t=42']}, [*statuses, 429]),
        ("Retry-After", "Seconds until it is worth asking again.", {"type": "integer", "examples": [42]}, [429]),
    ):
        yield OpenApiParameter(name, shape, OpenApiParameter.HEADER, description=text, response=where)


def _answers(declared: "Endpoint") -> Iterator[tuple[Any, OpenApiResponse]]:
    for status, answer in declared.answers.items():
        if isinstance(answer, Mapping):
            for media_type, shape in answer.items():
                yield (status, media_type), _response(shape)
        else:
            key = status if answer is None else (status, "application/json")
            yield key, _UNCHANGED if status == 304 else _response(answer)


def _response(shape: "Answer") -> OpenApiResponse:
    if shape is None:
        return OpenApiResponse(None, description="Done; there is nothing to say.")
    if isinstance(shape, Text):
        schema = {"type": "string", "description": shape.description, "examples": [shape.example]}
        return OpenApiResponse(schema, description=shape.description)
    return OpenApiResponse(shape, description=(inspect.getdoc(shape) or "").splitlines()[0])


def _problems(kinds: Iterable[type[PurserError]]) -> Iterator[tuple[Any, OpenApiResponse]]:
    ordered = sorted(kinds, key=lambda kind: (status_of(kind), kind.code))
    for status, group in groupby(ordered, key=status_of):
        members = list(group)
        description = " ".join(f"`{kind.code}`: {title_of(kind)}" for kind in members)
        examples = [OpenApiExample(kind.code, value=problem_example(kind)) for kind in members]
        yield (status, PROBLEM_JSON), OpenApiResponse(Problem, description=description, examples=examples)


def document() -> dict[str, Any]:
    """The whole OpenAPI document, the same for every caller."""
    with _making:
        return _document()


def yaml() -> bytes:
    """The same as `openapi.yaml` has it."""
    with _making:
        return _yaml()


@functools.cache
def _document() -> dict[str, Any]:
    generator: Any = SchemaGenerator(urlconf=settings.ROOT_URLCONF)  # type: ignore[no-untyped-call]
    return cast("dict[str, Any]", generator.get_schema(request=None, public=True))


@functools.cache
def _yaml() -> bytes:
    renderer: Any = OpenApiYamlRenderer()
    return cast("bytes", renderer.render(_document(), renderer_context={}))
