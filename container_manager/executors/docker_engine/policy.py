"""What an executor's config allows a request to ask of the docker engine."""

import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterator

from container_manager.exceptions import FieldError
from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.spec import JobRequest, Mount

MIN_MEMORY_MIB = 6
MIN_CPU_CORES = 0.01
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:[A-Za-z0-9.-]+(?::\d+)?/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?"
)


def denials(options: DockerOptions, request: JobRequest) -> list[FieldError]:
    """Every field whose value the config, or the engine by its nature, does not allow."""
    return [
        *_image(options, request),
        *_limits(options, request),
        *_mounts(options, request),
        *_targets(request),
    ]


def _image(options: DockerOptions, request: JobRequest) -> Iterator[FieldError]:
    if request.image is None:
        yield FieldError("image", "required", "this executor runs images; name one")
    elif len(request.image) > 512 or not _REFERENCE.fullmatch(request.image):
        yield FieldError("image", "invalid", f"{request.image[:100]!r} is no reference such as 'busybox:1.36'")
    if request.registry_auth is not None and request.registry_auth not in options.registry_auth:
        yield _not_allowed("registry_auth", request.registry_auth, options.registry_auth)


def _limits(options: DockerOptions, request: JobRequest) -> Iterator[FieldError]:
    if request.memory_mib is not None and request.memory_mib < MIN_MEMORY_MIB:
        yield FieldError("memory_mib", "too_small", f"is {request.memory_mib}; the least is {MIN_MEMORY_MIB} MiB")
    if request.cpu_cores is not None and request.cpu_cores < MIN_CPU_CORES:
        yield FieldError("cpu_cores", "too_small", f"is {request.cpu_cores}; the least is {MIN_CPU_CORES} cores")
    if request.pids_limit is not None and request.pids_limit > options.max_pids_limit:
        yield FieldError("pids_limit", "too_large", f"is {request.pids_limit}; the most is {options.max_pids_limit}")
    if request.network is not None and request.network not in options.networks:
        yield _not_allowed("network", request.network, options.networks)
    if request.read_only_root is False and options.read_only_root:
        yield FieldError("read_only_root", "not_allowed", "this executor makes every root file system read-only")


def _not_allowed(field: str, value: str, allowed: object) -> FieldError:
    names = ", ".join(sorted(allowed)) if isinstance(allowed, list | dict) and allowed else "none"
    return FieldError(field, "not_allowed", f"{value!r} is not allowed; allowed are: {names}")


def _mounts(options: DockerOptions, request: JobRequest) -> Iterator[FieldError]:
    for index, mount in enumerate(request.mounts):
        allowed = _volume_allowed if mount.type == "volume" else _bind_allowed
        if not allowed(options, mount):
            detail = f"{mount.type} {mount.source!r} is not under what the operator allows"
            yield FieldError(f"mounts.{index}.source", "not_allowed", detail)


def _volume_allowed(options: DockerOptions, mount: Mount) -> bool:
    return mount.source in options.volumes or mount.source.startswith(tuple(options.volume_prefixes))


def _bind_allowed(options: DockerOptions, mount: Mount) -> bool:
    if not mount.source.startswith("/") or ".." in mount.source.split("/"):
        return False
    resolve = os.path.realpath if options.address.startswith("unix://") else os.path.normpath
    source = resolve(mount.source)
    return any(_is_under(source, resolve(root)) for root in options.mount_roots)


def _is_under(path: str, root: str) -> bool:
    return os.path.commonpath([path, root]) == root


def bind_source(options: DockerOptions, mount: Mount) -> str:
    """The host directory that was checked, its symbolic links followed where they can be seen from here."""
    return os.path.realpath(mount.source) if options.address.startswith("unix://") else mount.source


def _targets(request: JobRequest) -> Iterator[FieldError]:
    targets = [
        (f"{kind}.{index}.target", posixpath.normpath("/" + item.target.lstrip("/")))
        for kind in ("tmpfs", "mounts")
        for index, item in enumerate(getattr(request, kind))
    ]
    counts = Counter(target for _, target in targets)
    counts["/tmp"] += request.tmp_size_mib is not None  # noqa: S108
    for field, target in targets:
        if target == "/":
            yield FieldError(field, "invalid", "the root cannot be a target")
        elif counts[target] > 1:
            yield FieldError(field, "duplicate", f"{target!r} is a target more than once")
