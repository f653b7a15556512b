"""A JobSpec as the docker engine's own request."""

import posixpath
from collections.abc import Mapping
from typing import Any

from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.executors.docker_engine.policy import bind_source
from container_manager.spec import JobSpec, Mount

MIB = 1024 * 1024
TMP = "/tmp"  # noqa: S108


def ownership(executor: str, instance: str) -> dict[str, str]:
    """The labels by which an executor knows its own executions."""
    return {"purser.executor": executor, "purser.instance": instance}


def is_owned(labels: Mapping[str, str] | None, executor: str, instance: str) -> bool:
    return (labels or {}).items() >= ownership(executor, instance).items()


def container_request(spec: JobSpec, options: DockerOptions, executor: str, cgroup_parent: str = "") -> dict[str, Any]:
    """The body of `POST /containers/create`. An empty `cgroup_parent` is the engine's default."""
    reads_stdin = bool(spec.stdin)
    return {
        "Image": spec.image,
        "Entrypoint": spec.entrypoint,
        "Cmd": spec.command,
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "WorkingDir": spec.working_dir or "",
        "User": spec.user or options.user or "",
        "Labels": _labels(spec, options, executor),
        "OpenStdin": reads_stdin,
        "StdinOnce": reads_stdin,
        "AttachStdin": reads_stdin,
        "HostConfig": {**_host_config(spec, options), "CgroupParent": cgroup_parent},
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
        "PidsLimit": spec.pids_limit or options.default_pids_limit,
        "NetworkMode": spec.network or options.default_network,
        "IpcMode": "private",
        "CapDrop": ["ALL"],
        "CapAdd": options.cap_add,
        "SecurityOpt": ["no-new-privileges"] if options.no_new_privileges else [],
        "Init": options.init,
        "ReadonlyRootfs": options.read_only_root or bool(spec.read_only_root),
        "Tmpfs": _tmpfs(spec, options),
        "Mounts": [_mount(mount, options) for mount in spec.mounts],
        "LogConfig": _log_config(options),
        "RestartPolicy": {"Name": "no"},
        **({"Runtime": options.runtime} if options.runtime else {}),
    }


def _tmpfs(spec: JobSpec, options: DockerOptions) -> dict[str, str]:
    asked = {tmpfs.target: tmpfs.size_mib for tmpfs in spec.tmpfs}
    taken = {posixpath.normpath(target) for target in (*asked, *(mount.target for mount in spec.mounts))}
    tmp_size = spec.tmp_size_mib or options.default_tmp_size_mib
    if tmp_size and TMP not in taken:
        asked[TMP] = tmp_size
    return {target: f"rw,exec,nosuid,nodev,mode=1777,size={size}m" for target, size in asked.items()}


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
