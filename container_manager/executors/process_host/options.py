"""Config of the process executor."""

from typing import Literal

from pydantic import Field, field_validator

from container_manager.executors.cgroups import MIB
from container_manager.executors.config import ExecutorOptions
from container_manager.executors.process_host.sandbox import find_user


class ProcessOptions(ExecutorOptions):
    """Config keys of the process executor, beside those that every executor has."""

    sandbox: Literal["auto", "bubblewrap", "none"] = Field(
        default="auto",
        description="`auto` is bubblewrap unless it is absent or answers that it does not work;"
        " `bubblewrap` is unhealthy then.",
    )
    state_dir: str | None = Field(
        default=None, description="Directory for executions. Default: `purser/process` in the user's state directory."
    )
    hidden_paths: list[str] = Field(
        default=["/home", "/root", "/run"],
        description="Directories that are empty inside bubblewrap; state_dir always is.",
    )
    log_max_bytes: int = Field(
        default=64 * MIB, ge=0, description="Output that is kept of one execution; more is dropped and counted."
    )
    max_pids_limit: int = Field(
        default=1024, ge=1, description="Most processes and threads of a job, and the limit of one that asks for none."
    )
    default_tmp_size_mib: int = Field(
        default=256, ge=1, description="Size of a private /tmp that no size is asked for."
    )
    path: str = Field(
        default="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        description="PATH of a job that sets none.",
    )
    default_user: str = Field(
        default="65534:65534",
        description="`user` or `user:group` of jobs when Purser is root; else they run as Purser.",
    )
    allowed_users: list[str] = Field(default=[], description="Other users that a job may ask for when Purser is root.")
    cgroup_parent: str = Field(
        default="/", pattern="^/", description="Control group below which each execution gets one of its own."
    )

    @field_validator("default_user", "allowed_users")
    @classmethod
    def _users_exist(cls, users: str | list[str]) -> str | list[str]:
        for user in [users] if isinstance(users, str) else users:
            find_user(user)
        return users
