"""What a user asks for and what an executor is given: one definition of every field of a job."""

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from typing_extensions import TypeAliasType

MAX_STDIN_BYTES = 1024 * 1024
MAX_SECRET_CHARACTERS = 65_536
SECRETS_DIR = "/run/secrets"
_LABEL_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?")
_ENV_NAME = re.compile(r"[^=\x00]{1,256}")


def _names(pattern: re.Pattern[str]) -> dict[str, Any]:
    """What the schema says of the names in an object; validators below say it in a sentence."""
    return {"propertyNames": {"pattern": f"^{pattern.pattern}$"}}


HONOURED_BY_PURSER = frozenset(
    {
        "labels",
        "priority",
        "queue_timeout_seconds",
        "timeout_seconds",
        "grace_seconds",
        "max_retries",
        "retry_on",
        "retry_backoff_seconds",
        "retry_backoff_cap_seconds",
    }
)
"""Fields of a request that the dispatcher honours itself, the same on every executor."""

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=32_768)]
Word = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", max_length=4096)]


SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$")]
SecretKind = TypeAliasType(
    "SecretKind",
    Annotated[
        Literal["file", "env"], Field(description="`file`: a file in memory. `env`: a variable of the environment.")
    ],
)


def _without_parents(path: str) -> str:
    if ".." in path.split("/"):
        raise ValueError("must be a path without '..'")
    return path


AbsolutePath = Annotated[
    str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=4096), AfterValidator(_without_parents)
]


RetryReason = TypeAliasType(
    "RetryReason",
    Annotated[
        Literal[
            "command_not_found",
            "engine_lost",
            "exit_nonzero",
            "image_auth",
            "image_not_found",
            "image_pull_failed",
            "launch_error",
            "oom",
            "signal",
            "timeout",
        ],
        Field(description="A reason for which a job can be launched again."),
    ],
)
PullPolicy = TypeAliasType(
    "PullPolicy",
    Annotated[Literal["missing", "always", "never"], Field(description="When an image is pulled from its registry.")],
)
MountType = TypeAliasType(
    "MountType", Annotated[Literal["bind", "volume"], Field(description="A host directory, or a named volume.")]
)
Environment = TypeAliasType(
    "Environment",
    Annotated[
        dict[str, Text],
        Field(
            max_length=1024,
            description="Environment variables by name; a name has 1 to 256 characters and no `=`.",
            examples=[{"LANG": "C.UTF-8"}],
            json_schema_extra=_names(_ENV_NAME),
        ),
    ],
)
Labels = TypeAliasType(
    "Labels",
    Annotated[
        dict[str, Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00]*$")]],
        Field(
            max_length=64,
            description="Names and values to find a job by; a name has 1 to 63 letters, digits, `.`, `_`, `-` or `/`, "
            "with a letter or digit at both ends.",
            examples=[{"team": "a"}],
            json_schema_extra=_names(_LABEL_KEY),
        ),
    ],
)
Scenario = TypeAliasType(
    "Scenario",
    Annotated[
        dict[str, Any],
        Field(
            description="What the `mock` executor plays, such as `run_seconds`, `exit_code` and `output`.",
            examples=[{"run_seconds": 0.5, "exit_code": 3, "output": [{"stream": "stdout", "text": "hello\n"}]}],
        ),
    ],
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Tmpfs(_Strict):
    """An empty file system in memory, gone with the execution."""

    target: AbsolutePath = Field(description="Where it is mounted.", examples=["/scratch"])
    size_mib: int = Field(default=64, ge=1, le=65_536, description="Its size in MiB.")


class Mount(_Strict):
    """A directory of the host or a volume of the engine, under a root that the operator allows."""

    type: MountType = Field(description="A host directory, or a named volume.")
    source: Word = Field(description="The host directory or the volume's name.", examples=["/srv/data"])
    target: AbsolutePath = Field(description="Where it is mounted.", examples=["/data"])
    read_only: bool = Field(default=True, description="Whether the job may only read it.")


class Secret(_Strict):
    """A value that the job is given and nobody is shown: by `value`, `stored` or `provided`."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$",
        description="Its name in this job: 1 to 63 letters, digits, '_', '.' and '-'.",
        examples=["api-token"],
    )
    value: SecretStr | None = Field(
        default=None,
        max_length=MAX_SECRET_CHARACTERS,
        description="The value itself. It is kept encrypted until the job has ended, and never comes back.",
        json_schema_extra={"writeOnly": True},
    )
    stored: SecretName | None = Field(
        default=None, description="The name of a stored secret of the namespace, as it is at the launch request."
    )
    provided: Word | None = Field(
        default=None, description="The name of a secret that the operator provides in the executor's config."
    )
    kind: SecretKind = Field(
        default="file", description="Whether it is given as a `file` in memory or as an `env` variable."
    )
    target: Word | None = Field(
        default=None,
        description="The path of the file, or the name of the variable. "
        "Default: `/run/secrets/` and the name, or the name.",
    )

    @field_validator("value")
    @classmethod
    def _without_nul(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and "\x00" in value.get_secret_value():
            raise ValueError("must not contain NUL")
        return value

    @property
    def place(self) -> str:
        """The path of its file, or the name of its variable."""
        return self.target or (f"{SECRETS_DIR}/{self.name}" if self.kind == "file" else self.name)


class JobRequest(_Strict):
    """What to run, with which limits. Everything has a default but the command or the image."""

    image: Word | None = Field(
        default=None, description="The image to run, where the executor runs images.", examples=["busybox:local"]
    )
    pull_policy: PullPolicy | None = Field(
        default=None, description="When the image is pulled. Default: the executor's."
    )
    registry_auth: Word | None = Field(
        default=None,
        description="The name of registry credentials that the operator has put in the executor's config.",
    )
    entrypoint: list[Text] | None = Field(
        default=None, min_length=1, max_length=256, description="Replaces the image's entrypoint."
    )
    command: list[Text] | None = Field(
        default=None,
        min_length=1,
        max_length=4096,
        description="The command and its arguments, one item each; no shell reads it.",
        examples=[["echo", "hello"]],
    )
    env: Environment = Field(default_factory=dict, description="Environment variables.")
    working_dir: AbsolutePath | None = Field(default=None, description="The directory to start in.")
    user: Word | None = Field(
        default=None, description="User, or user:group, by name or number.", examples=["1000:1000"]
    )
    stdin: Text | None = Field(
        default=None, max_length=MAX_STDIN_BYTES, description="Text given to the command on standard input."
    )
    labels: Labels = Field(default_factory=dict, description="Names and values to find the job by.")
    memory_mib: int | None = Field(
        default=None,
        ge=1,
        le=16_777_216,
        description="Memory limit in MiB: reserved and enforced. Default: the executor's.",
    )
    cpu_cores: float | None = Field(
        default=None,
        ge=0.001,
        le=4096,
        allow_inf_nan=False,
        description="Cpu limit in cores: reserved and enforced. Default: the executor's.",
    )
    pids_limit: int | None = Field(
        default=None, ge=1, le=4_194_304, description="How many processes and threads at most."
    )
    tmp_size_mib: int | None = Field(
        default=None, ge=1, le=65_536, description="Size in MiB of a private /tmp held in memory."
    )
    network: Word | None = Field(
        default=None, description="The network to join; one of the executor's `networks`. Default: `none`."
    )
    read_only_root: bool | None = Field(default=None, description="Whether the root file system is read-only.")
    tmpfs: list[Tmpfs] = Field(default_factory=list, max_length=32, description="File systems in memory.")
    mounts: list[Mount] = Field(
        default_factory=list, max_length=32, description="Host directories and volumes, under allowed roots only."
    )
    secrets: list[Secret] = Field(
        default_factory=list,
        max_length=32,
        description="Values that the job is given as files or variables, and that never come back.",
    )
    timeout_seconds: float | None = Field(
        default=None,
        gt=0,
        le=31_536_000,
        allow_inf_nan=False,
        description="Wall time in seconds from start to stop. Default: the executor's.",
    )
    queue_timeout_seconds: float | None = Field(
        default=None,
        gt=0,
        le=31_536_000,
        allow_inf_nan=False,
        description="How long in seconds it may wait to be launched. Default: for ever.",
    )
    grace_seconds: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="Seconds between SIGTERM and SIGKILL when it is stopped. Default: the executor's.",
    )
    max_retries: int | None = Field(
        default=None,
        ge=0,
        le=100,
        description="How often it is launched again for a reason of `retry_on`. Default: the executor's.",
    )
    retry_on: list[RetryReason] | None = Field(
        default=None,
        max_length=16,
        description="Reasons for which it is launched again. Default: faults of the engine, which are "
        "`engine_lost`, `image_pull_failed` and `launch_error`; never the job's own end.",
        examples=[["engine_lost", "exit_nonzero"]],
    )
    retry_backoff_seconds: float = Field(
        default=1.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="Longest wait (s) before the first retry. It doubles with each; each is at least half of that.",
    )
    retry_backoff_cap_seconds: float = Field(
        default=300.0, gt=0, le=86_400, allow_inf_nan=False, description="No retry waits longer than so many seconds."
    )
    priority: int = Field(default=0, ge=-1000, le=1000, description="Higher is launched earlier.")
    scenario: Scenario | None = Field(
        default=None, description="What the `mock` executor plays; other executors refuse it."
    )

    @field_validator("entrypoint", "command")
    @classmethod
    def _program(cls, words: list[str] | None, info: ValidationInfo) -> list[str] | None:
        is_program = info.field_name == "entrypoint" or info.data.get("entrypoint") is None
        if words and not words[0] and is_program:
            raise ValueError("must begin with the name of a program, which is not empty")
        return words

    @field_validator("env")
    @classmethod
    def _env_names(cls, env: dict[str, str]) -> dict[str, str]:
        for name in env:
            if not _ENV_NAME.fullmatch(name):
                raise ValueError(f"name {name!r} must be 1 to 256 characters without '=' and NUL")
        return env

    @field_validator("labels")
    @classmethod
    def _label_keys(cls, labels: dict[str, str]) -> dict[str, str]:
        for key in labels:
            if not _LABEL_KEY.fullmatch(key):
                raise ValueError(
                    f"key {key!r} must be 1 to 63 letters, digits, '.', '_', '-' or '/', "
                    "with a letter or digit at both ends"
                )
        return labels

    @model_validator(mode="after")
    def _something_to_run(self) -> "JobRequest":
        if self.image is None and self.command is None and self.entrypoint is None:
            raise ValueError("one of image and command is needed")
        return self

    @property
    def asked_fields(self) -> frozenset[str]:
        """The fields that an executor must honour or refuse."""
        asked = {name for name in self.model_fields_set if getattr(self, name) not in (None, [], {})}
        if self.scenario is not None:
            asked.add("scenario")  # an empty one asks for the mock as well
        return frozenset(asked - HONOURED_BY_PURSER)


class JobSpec(JobRequest):
    """One attempt of a job, complete: what an executor's `launch_job` is given."""

    id: UUID
    attempt: int
    namespace: str
    memory_mib: int
    cpu_cores: float
    timeout_seconds: float
    grace_seconds: float

    @property
    def execution_id(self) -> str:
        return execution_id(self.id, self.attempt)


_EXECUTION_ID = re.compile(r"purser-([0-9a-f]{32})-(\d{1,9})")


def execution_id(job_id: UUID, attempt: int) -> str:
    """The engine's name for one attempt of a job, known before the engine is asked."""
    return f"purser-{job_id.hex}-{attempt}"


def parse_execution_id(name: str) -> tuple[UUID, int] | None:
    """The job id and attempt in an engine's name, or None for a name that is not ours."""
    match = _EXECUTION_ID.fullmatch(name)
    return (UUID(match[1]), int(match[2])) if match else None
