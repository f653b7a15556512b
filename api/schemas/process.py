"""Answers about Purser itself, and the problems that any operation may answer with."""

from pydantic import Field

from api.schemas.base import Answer


class Liveness(Answer):
    """The process answers."""

    status: str = Field(description="`ok`.", examples=["ok"])


class Check(Answer):
    """One thing that must be so before requests are of use."""

    ready: bool = Field(description="Whether it is so.")
    detail: str = Field(description="What is missing; empty when nothing is.")


class Readiness(Answer):
    """Whether Purser can do its work."""

    ready: bool = Field(description="Whether all checks are.")
    checks: dict[str, Check] = Field(description="`database`, `migrations` and `dispatcher`.")


class ProblemPlace(Answer):
    """One thing that is wrong in a request: where, and what is allowed. One of the first three members is there."""

    pointer: str = Field(default="", description="JSON pointer into the body.", examples=["/memory_mib"])
    parameter: str = Field(default="", description="Name of a query parameter.", examples=["limit"])
    header: str = Field(default="", description="Name of a header.", examples=["Idempotency-Key"])
    code: str = Field(description="What kind of mistake it is.", examples=["greater_than_equal"])
    detail: str = Field(description="A sentence with what was given and what is allowed.")


class Problem(Answer):
    """An error as in RFC 9457."""

    type: str = Field(
        description="Identifies the kind of problem; opens its description.",
        json_schema_extra={"format": "uri-reference"},
        examples=["/api/docs/problems#unknown_job"],
    )
    title: str = Field(description="The kind of problem as a sentence.")
    status: int = Field(ge=400, le=599, description="The HTTP status.", examples=[404])
    detail: str = Field(description="This occurrence as a sentence.")
    instance: str = Field(description="The path of the request.", json_schema_extra={"format": "uri-reference"})
    code: str = Field(description="The kind of problem as one word, for programs.", examples=["unknown_job"])
    request_id: str = Field(description="The request's id, also in `X-Request-ID` and in the log.")
    errors: list[ProblemPlace] = Field(default=[], description="Every thing that is wrong in the request.")
