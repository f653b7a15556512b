"""From a request to what a supervisor is given, and what of a request cannot be had here."""

import os
import posixpath
from collections.abc import Iterator
from typing import Any

from container_manager.exceptions import FieldError
from container_manager.executors.cgroups import Group
from container_manager.executors.process_host.directory import MARK
from container_manager.executors.process_host.options import ProcessOptions
from container_manager.executors.process_host.sandbox import Bubblewrap, User, find_user
from container_manager.executors.results import Capabilities
from container_manager.spec import SECRETS_DIR, JobRequest, JobSpec, Secret

_HOME = "/tmp"  # noqa: S108  (private in a sandbox)
_BUBBLEWRAPS_OWN_PROCESSES = 2
_WRITABLE = (f"{SECRETS_DIR}/", "/tmp/")  # noqa: S108


def errors_in(request: JobRequest, options: ProcessOptions, capabilities: Capabilities) -> Iterator[FieldError]:
    """Values that are not allowed, of fields that are honoured."""
    if not (request.command or request.entrypoint):
        yield FieldError("command", "required", "the command and its arguments, at least one word")
    if request.network not in (None, *capabilities.networks):
        yield FieldError("network", "not_allowed", f"allowed is {capabilities.networks[0]!r}")
    for index, secret in enumerate(request.secrets):
        yield from _secret_errors(index, secret, capabilities)
    if MARK in request.env:
        yield FieldError("env", "not_allowed", f"{MARK} is set by Purser")
    if request.pids_limit and request.pids_limit > options.max_pids_limit:
        yield FieldError("pids_limit", "not_allowed", f"allowed is 1 to {options.max_pids_limit}")
    if request.read_only_root is False and "read_only_root" in capabilities.fields:
        yield FieldError("read_only_root", "not_allowed", "the root is always read-only; allowed is true")
    if request.user and "user" in capabilities.fields:
        yield from _user_errors(request.user, [options.default_user, *options.allowed_users])


def _secret_errors(index: int, secret: Secret, capabilities: Capabilities) -> Iterator[FieldError]:
    if secret.kind == "env" and secret.place == MARK:
        yield FieldError(f"secrets.{index}.target", "not_allowed", f"{MARK} is set by Purser")
    path = posixpath.normpath(secret.place)
    if secret.kind == "file" and not path.startswith(_WRITABLE) and "file" in capabilities.secrets:
        detail = f"allowed are paths below {' and '.join(_WRITABLE)}: the rest of the host is read-only"
        yield FieldError(f"secrets.{index}.target", "not_allowed", detail)


def _user_errors(user: str, allowed: list[str]) -> Iterator[FieldError]:
    try:
        asked = find_user(user)
    except ValueError as error:
        yield FieldError("user", "not_allowed", f"{error}; allowed is {', '.join(allowed)}")
        return
    if (asked.uid, asked.gid) not in {(known.uid, known.gid) for known in map(find_user, allowed)}:
        yield FieldError("user", "not_allowed", f"allowed is {', '.join(allowed)}")


def completed(job: JobSpec, options: ProcessOptions, capabilities: Capabilities) -> JobSpec:
    """The job with the defaults of what is honoured here in the place of what it leaves open."""
    defaults = {
        "working_dir": _HOME,
        "user": options.default_user,
        "network": capabilities.networks[0],
        "pids_limit": options.max_pids_limit,
        "tmp_size_mib": options.default_tmp_size_mib,
        "read_only_root": True,
    }
    left_open = [name for name in defaults if name in capabilities.fields and getattr(job, name) is None]
    return job.model_copy(update={name: defaults[name] for name in left_open})


def pids_of(job: JobSpec, options: ProcessOptions, bubblewrap: Bubblewrap | None) -> int:
    """How many processes the control group of a job may have."""
    return (job.pids_limit or options.max_pids_limit) + (_BUBBLEWRAPS_OWN_PROCESSES if bubblewrap else 0)


def spec_of(job: JobSpec, options: ProcessOptions, bubblewrap: Bubblewrap | None, group: Group) -> dict[str, Any]:
    """What the supervisor reads. Nothing of the host's environment is in it, nor of Purser's."""
    user = _user(job, options)
    working_dir = job.working_dir or _HOME
    size = job.tmp_size_mib or options.default_tmp_size_mib
    return {
        "argv": [*(job.entrypoint or ()), *(job.command or ())],
        "sandbox": bubblewrap.prefix(user, working_dir, size, _hidden_for(job)) if bubblewrap else [],
        "secret_dirs": _hidden_for(job),
        "env": {"PATH": options.path, "HOME": _HOME, "LANG": "C.UTF-8", **job.env},
        "mark": {MARK: job.execution_id},
        "working_dir": working_dir,
        "stdin": job.stdin,
        "user": user and [user.uid, user.gid, list(user.groups)],
        "cgroups": group.directories,
        "log_max_bytes": options.log_max_bytes,
    }


def _hidden_for(job: JobSpec) -> list[str]:
    """Directories in the place of which a sandbox has one in memory, for the secrets of this job."""
    return [SECRETS_DIR] if any(secret.kind == "file" for secret in job.secrets) else []


def _user(job: JobSpec, options: ProcessOptions) -> User | None:
    """Whom it runs as; None for Purser's own user, who is all there is unless that is root."""
    return find_user(job.user or options.default_user) if os.geteuid() == 0 else None
