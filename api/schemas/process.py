"""Answers about Purser itself, and the problems that any operation may answer with."""

from typing import Any

from pydantic import ConfigDict, Field, RootModel

from api.schemas.base import Answer


class Liveness(Answer):
    """The process answers."""

    status: str = Field(description="`ok`.", examples=["ok"])


class Check(Answer):
    """One thing that must be so before requests are of use."""

    ready: bool = Field(description="Whether it is so.", examples=[True])
    detail: str = Field(description="What is missing; empty when nothing is.", examples=[""])


class Readiness(Answer):
    """Whether Purser can do its work."""

    ready: bool = Field(description="Whether all checks are.", examples=[True])
    checks: dict[str, Check] = Field(
        description="`database`, `migrations` and `dispatcher`.",
        examples=[{"database": {"ready": True, "detail": ""}, "dispatcher": {"ready": True, "detail": ""}}],
    )


class ProblemPlace(Answer):
    """One thing that is wrong in a request: where, and what is allowed. One of the first three members is there."""

    pointer: str = Field(default="", description="JSON pointer into the body.", examples=["/memory_mib"])
    parameter: str = Field(default="", description="Name of a query parameter.", examples=["limit"])
    header: str = Field(default="", description="Name of a header.", examples=["Idempotency-Key"])
    code: str = Field(description="What kind of mistake it is.", examples=["greater_than_equal"])
    detail: str = Field(
        description="A sentence with what was given and what is allowed.",
        examples=["must be greater than or equal to 1; got -1"],
    )


class Problem(Answer):
    """An error as in RFC 9457."""

    type: str = Field(
        description="Identifies the kind of problem; opens its description.",
        json_schema_extra={"format": "uri-reference"},
        examples=["/api/docs/problems#unknown_job"],
    )
    title: str = Field(description="The kind of problem as a sentence.", examples=["There is no such job."])
    status: int = Field(ge=400, le=599, description="The HTTP status, 400 to 599.", examples=[404])
    detail: str = Field(
        description="This occurrence as a sentence.",
        examples=["there is no job '0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f'"],
    )
    instance: str = Field(
        description="The path of the request.",
        json_schema_extra={"format": "uri-reference"},
        examples=["/api/v1/jobs/0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"],
    )
    code: str = Field(
        description="The kind of problem as one word, for programs; each operation lists its own.",
        examples=["unknown_job"],
    )
    request_id: str = Field(
        description="The request's id, also in `X-Request-ID` and in the log.",
        examples=["0193a1c2-7d11-7a3e-8f52-6b1c0d9e4a77"],
    )
    errors: list[ProblemPlace] = Field(
        default=[], description="Every thing that is wrong in the request.", examples=[[]]
    )


class OpenApiDocument(RootModel[dict[str, Any]]):
    """This description of the API, as OpenAPI 3.1."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"openapi": "3.1.1", "info": {"title": "Purser", "version": "1.0.0"}, "paths": {}}]
        }
    )
