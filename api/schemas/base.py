"""What all answers have in common."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

Time = Annotated[datetime, Field(examples=["2026-11-22T17:02:11.482913Z"])]
"""RFC 3339 in UTC, ending in Z."""

Evidence = TypeAliasType(
    "Evidence",
    Annotated[
        dict[str, Any],
        Field(
            description="What a reason rests on: `exit_code`, `signal`, `limit` and `value`, `message` and others.",
            examples=[{"exit_code": 0}],
        ),
    ],
)
LogStream = TypeAliasType(
    "LogStream",
    Annotated[Literal["stdout", "stderr"], Field(description="One of the two streams that a job writes.")],
)
DroppedBytes = TypeAliasType(
    "DroppedBytes",
    Annotated[
        dict[str, int],
        Field(description="Bytes that were not kept, by stream; a stream that lost none is left out.", examples=[{}]),
    ],
)
BreakerState = TypeAliasType(
    "BreakerState",
    Annotated[
        Literal["closed", "open", "half-open"],
        Field(description="`closed`: launches go through. `open`: they pause. `half-open`: one is let through to try."),
    ],
)


class Answer(BaseModel):
    """Every member is always there; what is not known is null."""

    model_config = ConfigDict(extra="forbid", frozen=True)
