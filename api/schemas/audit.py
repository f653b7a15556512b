"""Answers about who did what."""

from pydantic import Field

from api.schemas.base import Answer, Time
from container_manager.audit import AuditOutcome, Via


class AuditEntry(Answer):
    """One act: who did what, on what, from where, and how it ended."""

    id: int = Field(ge=1, description="Number of the entry: later ones have higher ids.", examples=[4711])
    at: Time = Field(description="When.")
    operation: str = Field(
        description="The operation's id, also of a command that does the same.", examples=["launchJob"]
    )
    outcome: AuditOutcome = Field(
        description="`done`, `refused` (a status from 400 on), or `failed` (Purser's own trouble).", examples=["done"]
    )
    status: int | None = Field(
        ge=100,
        le=599,
        description="The HTTP status that it was answered with; for a change, the one that says that it is made. "
        "Null for a command.",
        examples=[202],
    )
    code: str | None = Field(description="The problem's code; null for what was done.", examples=["unknown_job"])
    via: Via = Field(description="Whether by a request or by `manage.py`.", examples=["api"])
    token: str | None = Field(description="Id of the token; null without a usable one.", examples=["7b9de2b64ed7"])
    namespace: str | None = Field(
        description="The token's namespace; of a command, the subject's. Null if there is none.", examples=["default"]
    )
    user: str | None = Field(description="The host's user who ran the command; null for a request.", examples=[None])
    subject_type: str | None = Field(
        description="What kind of thing it was done on: `job`, `token`, `executor`, `namespace`, or null.",
        examples=["job"],
    )
    subject: str | None = Field(
        description="Its id or name, as asked for.", examples=["0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f"]
    )
    address: str | None = Field(description="Address of the client.", examples=["192.0.2.7"])
    request_id: str | None = Field(
        description="The request's id, as in `X-Request-ID` and the service's log.",
        examples=["0193a1c2-7d11-7a3e-8f52-6b1c0d9e4a77"],
    )
    user_agent: str | None = Field(
        description="What the client calls itself: its first 200 characters.", examples=["curl/8.10.1"]
    )
    missed: int = Field(
        ge=0,
        description="How many refused requests of the same caller, before this one, were too many to be written down.",
        examples=[0],
    )


class AuditPage(Answer):
    """Entries of the audit log, newest first."""

    results: list[AuditEntry] = Field(description="The entries.")
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.", examples=[None])
