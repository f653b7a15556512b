"""The query parameters of each operation. Unknown ones are refused."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from typing_extensions import TypeAliasType

from api.parsing import Query
from container_manager.audit import AuditOutcome
from container_manager.outbox import DeliveryState
from container_manager.states import JobState, Reason

LARGEST_SEQ = 2_147_483_647


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie between the years 1 and 9999 in UTC") from None


def _written_out(given: object) -> object:
    """Raises ValueError for a number, which would be taken as seconds since 1970."""
    if isinstance(given, str) and not re.match(r"\d{4}-\d\d-\d\d[Tt ]", given):
        raise ValueError("must be a date and time with its zone, such as 2026-11-22T17:02:11Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_to_utc)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=256)]
LabelFilter = Annotated[str, StringConstraints(pattern=r"^[^:]{1,63}:", max_length=320)]
LogStreams = TypeAliasType(
    "LogStreams", Annotated[Literal["stdout", "stderr", "both"], Field(description="Which of a job's two streams.")]
)
LogUnit = TypeAliasType(
    "LogUnit",
    Annotated[
        Literal["line", "chunk"], Field(description="`line`: a line each. `chunk`: bytes of one stream as they came.")
    ],
)
WaitSeconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class JobListQuery(Query):
    state: list[JobState] = Field(default=[], description="Only jobs in this state; may be repeated.")
    reason: list[Reason] = Field(default=[], description="Only jobs that ended for this reason; may be repeated.")
    label: list[LabelFilter] = Field(
        default=[],
        description="Only jobs with this label, as `name:value`; may be repeated, then all must match.",
        examples=[["team:a"]],
    )
    created_after: Moment | None = Field(
        default=None, description="Only jobs created at this time or later (RFC 3339)."
    )
    created_before: Moment | None = Field(default=None, description="Only jobs created before this time (RFC 3339).")
    updated_since: Moment | None = Field(
        default=None,
        description="Only jobs that have changed at this time or later (RFC 3339), in the order of their last changes. "
        "To read on, give the `watermark` of the last page.",
    )
    limit: int = Field(default=50, ge=1, le=500, description="How many jobs at most.")
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """The labels as names and values."""
        return tuple((name, value) for name, _, value in (label.partition(":") for label in self.label))


class AllJobsQuery(JobListQuery):
    executor: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = Field(
        default=None, description="Only jobs of this executor."
    )


class TokenListQuery(Query):
    limit: int = Field(default=50, ge=1, le=500, description="How many tokens at most.")
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")


class AuditQuery(Query):
    operation: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        default=None, description="Only this operation.", examples=["launchJob"]
    )
    token: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")] | None = Field(
        default=None,
        description="Only acts of the token with this id: 12 hexadecimal digits.",
        examples=["7b9de2b64ed7"],
    )
    outcome: AuditOutcome | None = Field(default=None, description="Only acts that ended so.")
    since: Moment | None = Field(default=None, alias="from", description="Only acts at this time or later (RFC 3339).")
    until: Moment | None = Field(default=None, alias="to", description="Only acts before this time (RFC 3339).")
    limit: int = Field(default=50, ge=1, le=500, description="How many entries at most.")
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")


class UsageQuery(Query):
    since: Moment | None = Field(
        default=None,
        alias="from",
        description="Attempts that ended at this time or later (RFC 3339). Default: 30 days before `to`.",
    )
    until: Moment | None = Field(
        default=None, alias="to", description="Attempts that ended before this time (RFC 3339). Default: now."
    )
    executor: Annotated[str, StringConstraints(max_length=63)] | None = Field(
        default=None, description="Only attempts on this executor."
    )

    @field_validator("until")
    @classmethod
    def _later(cls, until: datetime | None, others: ValidationInfo) -> datetime | None:
        since = others.data.get("since")
        if since and until and until < since:
            raise ValueError("must not be before from")
        return until


class LaunchQuery(Query):
    dry_run: bool = Field(
        default=False,
        description="Launch nothing and write nothing: answer 200 with what a launch would do, or with the problem "
        "that it would be answered with. `Idempotency-Key` and `Prefer` have no part in it.",
    )


class StatusQuery(Query):
    wait: WaitSeconds | None = Field(
        default=None,
        description="Hold up to so many seconds until the job changes or has ended. A longer wait than the server's "
        "longest (`PURSER_MAX_WAIT_SECONDS`) is taken as that.",
    )
    version: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_SEQ,
        description="With `wait`: answer at once when the job's version is not this one. "
        "So no change is missed between two reads.",
    )


class EventQuery(Query):
    after: int = Field(default=0, ge=0, le=LARGEST_SEQ, description="Only events with a `seq` over this.")
    limit: int = Field(default=1000, ge=1, le=10_000, description="How many events at most in a JSON answer.")


class DeliveryQuery(Query):
    state: list[DeliveryState] = Field(default=[], description="Only deliveries in this state; may be repeated.")
    limit: int = Field(default=50, ge=1, le=500, description="How many deliveries at most.")
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")


class LogQuery(Query):
    stream: LogStreams = Field(default="both", description="Which stream.")
    tail: int | None = Field(default=None, ge=0, le=100_000, description="Begin with the last so many lines.")
    since: Moment | None = Field(default=None, description="Only what was written at this time or later (RFC 3339).")
    limit: int | None = Field(
        default=None, ge=1, le=100_000, description="How many lines at most. Default: 1000 in JSON, else all."
    )
    cursor: Cursor | None = Field(
        default=None,
        description="`next_cursor` of the page before, or the `id` of a server-sent event. `start` is the beginning of "
        "the first attempt.",
    )
    attempt: int | None = Field(
        default=None, ge=1, le=LARGEST_SEQ, description="Which attempt's logs. Default: the present one's."
    )
    follow: bool | None = Field(
        default=None,
        description="Go on with what is written until the job ends. Default: true for `text/event-stream`, else false.",
    )

    unit: LogUnit = Field(
        default="line",
        description="What one server-sent event holds: a line, or a `chunk` of one stream as it came, which is far "
        "cheaper and is resumed to the byte. `chunk` cannot be given together with `tail`, `since` or `limit`.",
    )

    @field_validator("unit")
    @classmethod
    def _whole(cls, unit: str, others: ValidationInfo) -> str:
        for name in ("tail", "since", "limit"):
            if unit == "chunk" and others.data.get(name) is not None:
                raise ValueError(f"cannot be chunk together with {name}")
        return unit

    @field_validator("cursor")
    @classmethod
    def _alone(cls, cursor: str | None, others: ValidationInfo) -> str | None:
        for name in ("tail", "since"):
            if cursor is not None and others.data.get(name) is not None:
                raise ValueError(f"cannot be given together with {name}")
        return cursor

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that are asked for."""
        return ("stdout", "stderr") if self.stream == "both" else (self.stream,)
