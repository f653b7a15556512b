"""The config keys of the docker executor."""

import itertools
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from container_manager.executors.config import ExecutorOptions
from container_manager.executors.docker_engine.reference import is_reference, registry_of
from container_manager.executors.docker_engine.secret_files import DEFAULT_DIR, is_in_memory

DEFAULT_BASE_URL = "unix:///var/run/docker.sock"
SCHEMES = ("unix://", "tcp://", "ssh://")
# With these a job leaves nothing in its network namespace that the next one in it would find.
_LEAVES_NO_TRACE = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
MIN_MEMORY_MIB = 6
MIN_CPU_CORES = 0.01
# With these a job could put something in the place of the program that waits in other jobs' containers.
_REMOUNTING = frozenset({"ALL", "SYS_ADMIN", "DAC_READ_SEARCH", "SYS_MODULE", "SYS_RAWIO"})


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Tls(_Options):
    """How a tcp:// engine is trusted and how we prove who we are. Each is the path of a PEM file."""

    ca_cert: str | None = Field(
        default=None, description="Who signed the engine's certificate. Default: the host's authorities."
    )
    client_cert: str | None = Field(default=None, description="Our certificate.")
    client_key: str | None = Field(default=None, description="The key of our certificate.")
    verify: bool = Field(default=True, description="Whether the engine's certificate is checked.")

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.client_cert is None) != (self.client_key is None):
            raise ValueError("client_cert and client_key go together")
        return self


class Credentials(_Options):
    """A registry's user; the password is named, never written here, and goes to that registry only."""

    registry: str = Field(description="The host of the registry, such as `registry.example:5000` or `docker.io`.")
    username: str = Field(min_length=1, description="The registry's user name.")
    password_env: str | None = Field(default=None, description="The environment variable that holds the password.")
    password_file: str | None = Field(default=None, description="The file that holds the password.")

    @field_validator("registry")
    @classmethod
    def _host(cls, host: str) -> str:
        if registry_of(f"{host}/image") != host:
            raise ValueError("must be a host as images name it: lower case, with a dot or a port, and nothing else")
        return host

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.password_env is None) == (self.password_file is None):
            raise ValueError("exactly one of password_env and password_file is needed")
        return self

    def read(self) -> dict[str, str]:
        """What the registry is told. Raises OSError or KeyError when the password is not where it should be."""
        password = (
            Path(self.password_file).read_text().strip() if self.password_file else os.environ[self.password_env or ""]
        )
        return {"username": self.username, "password": password}


class WarmPool(_Options):
    """Containers that are made and started ahead, each used once, by jobs with this very image, memory and cpu."""

    image: str = Field(description="The image, as jobs name it.")
    memory_mib: int = Field(ge=MIN_MEMORY_MIB, description="Their memory (MiB).")
    cpu_cores: float = Field(ge=MIN_CPU_CORES, allow_inf_nan=False, description="Their cpu (cores).")
    size: int = Field(ge=1, le=256, description="How many are kept ready.")

    @field_validator("image")
    @classmethod
    def _reference(cls, image: str) -> str:
        if not is_reference(image):
            raise ValueError(f"{image[:100]!r} is no reference such as 'busybox:1.36'")
        return image


class DockerOptions(ExecutorOptions):
    """Where the engine is, and what jobs may ask of it. What is hardened here no request can relax."""

    base_url: str | None = Field(
        default=None, description="unix://, tcp:// or ssh:// address. Default: DOCKER_HOST, else the local socket."
    )
    tls: Tls | None = Field(default=None, description="TLS for a tcp:// address. Default: none, or DOCKER_TLS_VERIFY.")
    engine_timeout_seconds: float = Field(
        default=60, gt=0, le=3600, allow_inf_nan=False, description="How long the engine may take to answer (s)."
    )
    instance: str = Field(
        default="default",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
        description="Tells two Pursers on one engine apart; each sees only its own executions.",
    )
    pull_policy: Literal["missing", "always", "never"] = Field(default="missing", description="When images are pulled.")
    pull_timeout_seconds: float = Field(
        default=300, gt=0, allow_inf_nan=False, description="How long a pull may be without any progress (s)."
    )
    registry_auth: dict[str, Credentials] = Field(
        default_factory=dict, description="Registry credentials by the name that a request refers to."
    )
    networks: list[str] = Field(
        default=["none"],
        min_length=1,
        description="Networks that a job may join; `none`, or else the first, is the default.",
    )
    mount_roots: list[str] = Field(
        default_factory=list,
        description="Directories under which jobs may bind-mount, read-only. Only the operator may write there.",
    )
    writable_mount_roots: list[str] = Field(
        default_factory=list,
        description="Directories that jobs may also bind-mount for writing, as a whole or a directory below that no"
        " symbolic link leads to; unix:// only. What remains: a job that holds such a mount can swap a directory for"
        " a link between this check and the mount, so give jobs that do not trust each other or the host none.",
    )
    volumes: list[str] = Field(default_factory=list, description="Volumes that jobs may mount; they must exist.")
    volume_prefixes: list[str] = Field(default_factory=list, description="The same, by the start of their names.")
    default_pids_limit: int = Field(
        default=512, ge=1, description="Processes and threads of a job that asks for no limit."
    )
    max_pids_limit: int = Field(default=4096, ge=1, description="Most processes and threads that a job may ask for.")
    default_tmp_size_mib: int | None = Field(
        default=64, ge=1, description="Size of a job's private /tmp in memory (MiB); null leaves the image's /tmp."
    )
    read_only_root: bool = Field(default=False, description="Make every job's root file system read-only.")
    user: str | None = Field(default=None, description="User of a job that asks for none. Default: the image's.")
    init: bool = Field(default=True, description="Run a small init as PID 1 that reaps and passes signals on.")
    cap_add: list[str] = Field(default_factory=list, description="Capabilities that jobs keep; all others are dropped.")
    no_new_privileges: bool = Field(
        default=True, description="Keep jobs from gaining privileges by set-user-id programs."
    )
    runtime: str | None = Field(default=None, description="The engine's OCI runtime to use, by name.")
    prepared_networks: int = Field(
        default=0,
        ge=0,
        le=32,
        description="Network namespaces kept ready for each tenant that launches jobs: those without a network start"
        " faster in one. 0 is off.",
    )
    secrets_dir: str = Field(
        default=DEFAULT_DIR,
        pattern="^/",
        description="Directory in memory, at the same path for Purser and engine, through which secrets become files of"
        " jobs. Without one, or on an engine that is not local, secrets can be variables only.",
    )
    warm_pools: list[WarmPool] = Field(
        default_factory=list,
        max_length=64,
        description="Containers to keep ready, as a list of `image`, `memory_mib`, `cpu_cores` and `size`: a job that"
        " asks for just these, and for nothing else that is fixed when a container is made, takes one; unix:// only.",
    )
    state_dir: str | None = Field(
        default=None,
        pattern="^/",
        description="Directory, at the same path for Purser and engine and not `noexec`, for what `warm_pools` need;"
        " all dispatchers of an engine use the same. Default: `purser/docker` in the user's state directory.",
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Labels put on every container.")
    log_driver: Literal["local", "json-file"] = Field(
        default="local", description="Where the engine keeps output. `json-file` replaces bytes that are not UTF-8."
    )
    log_size_mib: int = Field(
        default=256, ge=2, description="Most of a job's output that the engine keeps and get_logs returns (MiB)."
    )

    @field_validator("base_url")
    @classmethod
    def _known_scheme(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(SCHEMES):
            raise ValueError(f"must start with one of {', '.join(SCHEMES)}")
        return url

    @field_validator("mount_roots", "writable_mount_roots")
    @classmethod
    def _absolute(cls, roots: list[str]) -> list[str]:
        for root in roots:
            if not root.startswith("/") or ".." in Path(root).parts:
                raise ValueError(f"{root!r} must be an absolute path without '..'")
        return roots

    @field_validator("volume_prefixes")
    @classmethod
    def _some_prefix(cls, prefixes: list[str]) -> list[str]:
        if "" in prefixes:
            raise ValueError("an empty prefix would allow every volume")
        return prefixes

    @field_validator("labels")
    @classmethod
    def _not_ours(cls, labels: dict[str, str]) -> dict[str, str]:
        for key in labels:
            if key.startswith("purser."):
                raise ValueError(f"{key!r}: labels that start with 'purser.' are Purser's own")
        return labels

    @field_validator("warm_pools")
    @classmethod
    def _different(cls, pools: list[WarmPool]) -> list[WarmPool]:
        kinds = [(pool.image, pool.memory_mib, pool.cpu_cores) for pool in pools]
        if len(set(kinds)) < len(kinds):
            raise ValueError("two pools have the same image, memory_mib and cpu_cores")
        return pools

    @model_validator(mode="after")
    def _warm_pools_can_be(self) -> Self:
        if not self.warm_pools:
            return self
        if self.default_network != "none":
            raise ValueError("warm_pools needs the network `none` among networks: containers that wait have no other")
        if kept := _REMOUNTING & {capability.upper().removeprefix("CAP_") for capability in self.cap_add}:
            raise ValueError(f"warm_pools does not go with cap_add of {', '.join(sorted(kept))}")
        for root in self.writable_mount_roots:
            one, other = self.resolve(root), self.resolve(self.own_dir)
            if is_under(one, other) or is_under(other, one):
                raise ValueError(f"writable_mount_roots {root!r} and state_dir {self.own_dir!r} overlap")
        return self

    @model_validator(mode="after")
    def _prepared_networks_can_be(self) -> Self:
        if not self.prepared_networks:
            return self
        if self.default_network != "none":
            raise ValueError("prepared_networks needs the network `none` among networks: those made ahead have none")
        if kept := {name.upper().removeprefix("CAP_") for name in self.cap_add} - _LEAVES_NO_TRACE:
            raise ValueError(f"prepared_networks does not go with cap_add of {', '.join(sorted(kept))}")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tls and not self.address.startswith("tcp://"):
            raise ValueError("tls needs a tcp:// base_url")
        if self.default_pids_limit > self.max_pids_limit:
            raise ValueError("default_pids_limit is over max_pids_limit")
        return self

    @model_validator(mode="after")
    def _apart(self) -> Self:
        """A link that a job makes under a writable root must not be where other jobs' mounts are looked up."""
        if self.writable_mount_roots and not self.is_local:
            raise ValueError("writable_mount_roots needs a unix:// base_url")
        for pair in itertools.product(self.mount_roots, self.writable_mount_roots):
            one, other = map(self.resolve, pair)
            if is_under(one, other) or is_under(other, one):
                raise ValueError("mount_roots {!r} and writable_mount_roots {!r} overlap".format(*pair))
        return self

    @property
    def address(self) -> str:
        """Where the engine is, by config, environment or default."""
        return self.base_url or os.environ.get("DOCKER_HOST") or DEFAULT_BASE_URL

    @property
    def own_dir(self) -> str:
        """The `state_dir`, by config or default."""
        usual = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "purser/docker"
        return self.state_dir or str(usual)

    @property
    def is_local(self) -> bool:
        """Whether the engine is reached by a socket of this host, whose paths are the engine's."""
        return self.address.startswith("unix://")

    @property
    def secret_kinds(self) -> tuple[str, ...]:
        """As what this engine can give secrets."""
        return ("file", "env") if self.is_local and is_in_memory(self.secrets_dir) else ("env",)

    def resolve(self, path: str) -> str:
        """The path with its symbolic links followed, where they can be seen from here."""
        return os.path.realpath(path) if self.is_local else os.path.normpath(path)

    @property
    def default_network(self) -> str:
        return "none" if "none" in self.networks else self.networks[0]


def is_under(path: str, root: str) -> bool:
    """Whether an absolute path is the root or below it, as both are written."""
    return os.path.commonpath([path, root]) == os.path.commonpath([root])
