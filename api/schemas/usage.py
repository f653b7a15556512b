"""Answers about what was used."""

from pydantic import Field

from api.schemas.base import Answer, Time


class ExecutorUsage(Answer):
    """What the namespace's attempts on one executor have used. What is unknown of some is counted, not taken as 0."""

    executor: str = Field(description="The executor.", examples=["docker"])
    jobs: int = Field(ge=1, description="How many jobs these attempts belong to.", examples=[2])
    attempts: int = Field(ge=1, description="How many attempts ended in this time.", examples=[3])
    run_seconds: float = Field(ge=0, description="Time that they ran, in seconds.", examples=[12.5])
    memory_mib_seconds: float = Field(
        ge=0, description="Memory reserved (MiB) times the time it ran (s), summed.", examples=[3200]
    )
    cpu_seconds: float | None = Field(
        ge=0, description="Cpu time, user and system, in seconds; null if known of none.", examples=[3.25]
    )
    unknown_cpu: int = Field(ge=0, description="How many attempts ran whose cpu time is unknown.", examples=[0])
    peak_memory_bytes: int | None = Field(
        ge=0, description="The largest peak of memory, in bytes; null if known of none.", examples=[41943040]
    )
    unknown_peak_memory: int = Field(ge=0, description="How many attempts ran whose peak is unknown.", examples=[0])


class UsageReport(Answer):
    """What the token's namespace has used, by executor."""

    namespace: str = Field(description="The token's namespace.", examples=["default"])
    since: Time = Field(alias="from", description="Attempts that ended at this time or later.")
    until: Time = Field(alias="to", description="Attempts that ended before this time.")
    results: list[ExecutorUsage] = Field(description="Executors on which an attempt ended in this time, by name.")
