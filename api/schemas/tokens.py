"""What makes and renews tokens, and answers about them."""

from datetime import datetime
from typing import Annotated

from django.utils import timezone
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import Answer, Time
from api.schemas.queries import Moment
from container_manager import rates
from container_manager.tokens import MOST_OVERLAP_SECONDS, Scope, TokenState


def _ahead(moment: datetime) -> datetime:
    if moment <= timezone.now():
        raise ValueError("must lie ahead")
    return moment


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be printable characters")
    return text


def _rate(text: str) -> str:
    rates.parse(text)
    return text


ExecutorName = Annotated[str, StringConstraints(min_length=1, max_length=63)]
TokenName = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_printable)]
RateText = Annotated[str, StringConstraints(max_length=16), AfterValidator(_rate)]


class TokenRequest(BaseModel):
    """A token of the caller's namespace. It may do nothing that the caller's token may not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: TokenName = Field(description="What it is for: 1 to 100 printable characters.", examples=["ci"])
    scopes: list[Scope] = Field(min_length=1, max_length=10, description="What it may do.", examples=[["jobs:read"]])
    executors: list[ExecutorName] = Field(
        default=[], max_length=100, description="The executors that it may use. Empty: those of the caller's token."
    )
    expires_at: Annotated[Moment, AfterValidator(_ahead)] | None = Field(
        default=None,
        description="Until when it opens (RFC 3339); must lie ahead. Null: as the caller's token, or for ever.",
        examples=["2035-01-01T00:00:00Z"],
    )
    rate_limit: RateText | None = Field(
        default=None,
        description="Requests in a window of seconds, such as `600/60`, or `none`. Null: as the caller's token.",
        examples=["600/60"],
    )


class TokenRotation(BaseModel):
    """How a token gets its new secret."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    overlap_seconds: int = Field(
        default=0,
        ge=0,
        le=MOST_OVERLAP_SECONDS,
        description="How long the secret before goes on opening, in seconds; 0 ends it at once.",
        examples=[3600],
    )


class Token(Answer):
    """A token, without its secret."""

    id: str = Field(description="Its id: the middle part of the token's text.", examples=["7b9de2b64ed7"])
    name: str = Field(description="What it is for.", examples=["ci"])
    namespace: str = Field(description="The tenant it belongs to.", examples=["default"])
    state: TokenState = Field(description="Whether it opens.", examples=["valid"])
    scopes: list[Scope] = Field(description="What it may do; `admin` is everything in its namespace.")
    executors: list[str] = Field(description="The executors that it may use; empty is all.", examples=[["docker"]])
    rate_limit: str = Field(
        description="Requests in a window of seconds, in all processes together; `none` is no limit.",
        examples=["12000/60"],
    )
    created_at: Time = Field(description="When it was made.")
    rotated_at: Time | None = Field(description="When it last got a new secret.", examples=[None])
    previous_expires_at: Time | None = Field(
        description="Until when the secret before the last rotation opens too; null if it does not.", examples=[None]
    )
    expires_at: Time | None = Field(description="Until when it opens; null is for ever.", examples=[None])
    last_used_at: Time | None = Field(description="When it was last used, to a minute; null if never.")
    revoked_at: Time | None = Field(description="When it was revoked.", examples=[None])


class TokenWithSecret(Token):
    """A token with its secret, which is shown this once."""

    token: str = Field(
        description="What a client sends as `Authorization: Bearer <token>`. It cannot be had again.",
        examples=["purser_7b9de2b64ed7_<64 hexadecimal digits>"],
    )


class TokenPage(Answer):
    """The namespace's tokens, newest first, those that have ended too."""

    results: list[Token] = Field(description="The tokens.")
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.", examples=[None])
