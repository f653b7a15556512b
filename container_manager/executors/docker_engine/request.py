"""A JobSpec as the docker engine's own request."""

import posixpath
from collections.abc import Mapping
from typing import Any

from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.executors.docker_engine.policy import bind_source
from container_manager.spec import JobSpec, Mount

MIB = 1024 * 1024
TMP = "/tmp"  # noqa: S108
ROLE = "purser.role"  # of a container that belongs to no job
NETWORK = "purser.network"  # of a job's container: the id of the one whose network namespace it joins


def ownership(executor: str, instance: str) -> dict[str, str]:
    """The labels by which an executor knows its own executions."""
    return {"purser.executor": executor, "purser.instance": instance}


def is_owned(labels: Mapping[str, str] | None, executor: str, instance: str) -> bool:
    return (labels or {}).items() >= ownership(executor, instance).items()


def completed(spec: JobSpec, options: DockerOptions) -> JobSpec:
    """The job with the operator's defaults in the place of what it leaves open."""
    defaults = {
        "pull_policy": options.pull_policy,
        "user": options.user,
        "pids_limit": options.default_pids_limit,
        "tmp_size_mib": None if _takes_tmp(spec) else options.default_tmp_size_mib,
        "network": options.default_network,
        "read_only_root": options.read_only_root,
    }
    return spec.model_copy(update={name: value for name, value in defaults.items() if getattr(spec, name) is None})


def container_request(
    spec: JobSpec, options: DockerOptions, executor: str, cgroup_parent: str = "", network: str = ""
) -> dict[str, Any]:
    """The body of `POST /containers/create`. An empty `cgroup_parent` is the engine's default.

    `network` is the container whose network namespace it joins, in the place of one of its own.
    """
    spec, reads_stdin = completed(spec, options), bool(spec.stdin)
    return {
        "Image": spec.image,
        "Entrypoint": spec.entrypoint,
        "Cmd": spec.command,
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "WorkingDir": spec.working_dir or "",
        "User": spec.user or "",
        "Labels": {**_labels(spec, options, executor), **({NETWORK: network} if network else {})},
        "OpenStdin": reads_stdin,
        "StdinOnce": reads_stdin,
        "AttachStdin": reads_stdin,
        "HostConfig": {
            **_host_config(spec, options),
            **({"NetworkMode": f"container:{network}"} if network else {}),
            "CgroupParent": cgroup_parent,
        },
    }


def _labels(spec: JobSpec, options: DockerOptions, executor: str) -> dict[str, str]:
    return {
        **options.labels,
        **{f"purser.label.{key}": value for key, value in spec.labels.items()},
        **ownership(executor, options.instance),
        "purser.job": str(spec.id),
        "purser.attempt": str(spec.attempt),
        "purser.namespace": spec.namespace,
    }


def _host_config(spec: JobSpec, options: DockerOptions) -> dict[str, Any]:
    memory = spec.memory_mib * MIB
    return {
        "Memory": memory,
        "MemorySwap": memory,
        "NanoCpus": round(spec.cpu_cores * 1e9),
        "PidsLimit": spec.pids_limit,
        "NetworkMode": spec.network,
        "IpcMode": "private",
        "CapDrop": ["ALL"],
        "CapAdd": options.cap_add,
        "SecurityOpt": ["no-new-privileges"] if options.no_new_privileges else [],
        "Init": options.init,
        "ReadonlyRootfs": options.read_only_root or bool(spec.read_only_root),
        "Tmpfs": _tmpfs(spec),
        "Mounts": [_mount(mount, options) for mount in spec.mounts],
        "LogConfig": _log_config(options),
        "RestartPolicy": {"Name": "no"},
        **({"Runtime": options.runtime} if options.runtime else {}),
    }


def _tmpfs(spec: JobSpec) -> dict[str, str]:
    asked = {tmpfs.target: tmpfs.size_mib for tmpfs in spec.tmpfs}
    if spec.tmp_size_mib and not _takes_tmp(spec):
        asked[TMP] = spec.tmp_size_mib
    return {target: f"rw,exec,nosuid,nodev,mode=1777,size={size}m" for target, size in asked.items()}


def _takes_tmp(spec: JobSpec) -> bool:
    """Whether something else that it asks for is its /tmp."""
    targets = [*(tmpfs.target for tmpfs in spec.tmpfs), *(mount.target for mount in spec.mounts)]
    return TMP in map(posixpath.normpath, targets)


def _mount(mount: Mount, options: DockerOptions) -> dict[str, Any]:
    # The engine refuses a bind source that is not there; it creates one only for the older `Binds`.
    return {
        "Type": mount.type,
        "Source": bind_source(options, mount) if mount.type == "bind" else mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
    }


def _log_config(options: DockerOptions) -> dict[str, Any]:
    config = {"max-size": f"{options.log_size_mib // 2}m", "max-file": "2"}
    return {"Type": options.log_driver, "Config": {**config, "compress": "false"}}
