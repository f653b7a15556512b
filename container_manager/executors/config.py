"""Validation of executor configs: one model of keys, one way to say what is wrong."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from container_manager.exceptions import InvalidConfig
from container_manager.wording import known_at, nearest, sentence

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class SecretSource(BaseModel):
    """Where a secret is that jobs may have; it is named, never written here."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    env: str | None = Field(default=None, description="The environment variable of Purser that holds it.")
    file: str | None = Field(default=None, description="The file that holds it.")
    namespaces: list[str] = Field(min_length=1, description="Whose jobs may have it; `*` is everybody's.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("exactly one of env and file is needed")
        return self

    def is_for(self, namespace: str) -> bool:
        return "*" in self.namespaces or namespace in self.namespaces

    def read(self) -> str:
        """The value. Raises OSError, KeyError or UnicodeDecodeError when it is not where it should be."""
        return Path(self.file).read_text() if self.file else os.environ[self.env or ""]


class ExecutorOptions(BaseModel):
    """The config keys that every executor has. Memory is in MiB, cpu in cores, times in seconds."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    timeout: Positive | None = Field(default=None, description="Default wall time of a job (s).")
    max_retries: int | None = Field(default=None, ge=0, description="Default for a job's max_retries.")
    debug_mode: bool = Field(
        default=False, description="Log every call of the engine: its execution, its time, and what came of it."
    )
    max_memory: Positive | None = Field(default=None, description="Most that one job may ask for (MiB).")
    max_cpu: Positive | None = Field(default=None, description="Most that one job may ask for (cores).")
    total_memory: Positive | None = Field(
        default=None, description="What all jobs may hold together (MiB). Default: what the engine reports."
    )
    total_cpu: Positive | None = Field(
        default=None, description="What all jobs may hold together (cores). Default: what the engine reports."
    )
    max_jobs: int | None = Field(default=None, ge=1, description="How many jobs may run at once. Default: any number.")
    default_memory: int = Field(default=256, ge=1, description="Memory of a job that asks for none (MiB).")
    default_cpu: Positive = Field(default=1.0, description="Cpu of a job that asks for none (cores).")
    grace_seconds: NotNegative = Field(default=10, description="Default time between SIGTERM and SIGKILL (s).")
    launch_concurrency: int = Field(default=4, ge=1, le=64, description="Launches under way at once per dispatcher.")
    failure_threshold: int | None = Field(
        default=None,
        ge=1,
        description="Failed launches in a row, none of them the job's fault, that make it unhealthy.",
    )
    secret_sources: dict[str, SecretSource] = Field(
        default_factory=dict, description="Secrets that the operator provides to jobs, by the name that a request uses."
    )
    failure_cooldown_seconds: NotNegative = Field(
        default=10,
        description="Pause until one launch is let through to try it; after as long again a good probe heals it (s).",
    )


class BareOptions(ExecutorOptions):
    """For an executor that declares no options of its own: unknown keys are kept."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


def parse_options(cls: type[ExecutorOptions] | None, config: Mapping[str, Any], *, owner: str) -> ExecutorOptions:
    """Read a config. Raises InvalidConfig, a ValueError, that names every bad key, its value and what is allowed."""
    model = cls or BareOptions
    try:
        return model.model_validate(dict(config))
    except ValidationError as error:
        sentences = [_sentence(model, detail) for detail in error.errors()]
        raise InvalidConfig(f"executor {owner!r}: " + "; ".join(sentences)) from None


def _sentence(model: type[BaseModel], detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"unknown key {key!r}{_hint(str(detail['loc'][-1]), known_at(model, detail['loc']))}"
    told = sentence(model, detail)
    return f"{key} {told}" if detail["type"] == "missing" else f"{key} is {detail['input']!r}: {told}"


def _hint(name: str, known: Sequence[str] | None) -> str:
    if near := nearest(name, known):
        return f"; did you mean {near!r}?"
    return f"; known are {', '.join(known)}" if known else ""
