"""What all answers have in common."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[datetime, Field(examples=["2026-11-22T17:02:11.482913Z"])]
"""RFC 3339 in UTC, ending in Z."""


class Answer(BaseModel):
    """Every member is always there; what is not known is null."""

    model_config = ConfigDict(extra="forbid", frozen=True)
