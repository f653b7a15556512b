"""What an executor's config allows a request to ask of the docker engine."""

import os
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator

from container_manager.exceptions import FieldError
from container_manager.executors.docker_engine.options import MIN_CPU_CORES, MIN_MEMORY_MIB, DockerOptions, is_under
from container_manager.executors.docker_engine.reference import is_reference, registry_of
from container_manager.spec import JobRequest, Mount


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
    elif not is_reference(request.image):
        yield FieldError("image", "invalid", f"{request.image[:100]!r} is no reference such as 'busybox:1.36'")
    if request.registry_auth is not None:
        yield from _registry_auth(options, request.registry_auth, request.image or "")


def _registry_auth(options: DockerOptions, name: str, image: str) -> Iterator[FieldError]:
    """A password goes to no registry but its own."""
    credentials = options.registry_auth.get(name)
    if credentials is None:
        yield _not_allowed("registry_auth", name, options.registry_auth)
    elif credentials.registry != registry_of(image):
        detail = f"{name!r} is for images of {credentials.registry}, not of {registry_of(image)}"
        yield FieldError("registry_auth", "not_allowed", detail)


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


def _not_allowed(field: str, value: str, allowed: Iterable[str]) -> FieldError:
    names = ", ".join(sorted(allowed)) or "none"
    return FieldError(field, "not_allowed", f"{value!r} is not allowed; allowed are: {names}")


def _mounts(options: DockerOptions, request: JobRequest) -> Iterator[FieldError]:
    for index, mount in enumerate(request.mounts):
        allowed = _volume_allowed if mount.type == "volume" else _bind_allowed
        if not allowed(options, mount):
            yield _not_allowed(f"mounts.{index}.source", mount.source, _sources(options, mount))


def _sources(options: DockerOptions, mount: Mount) -> list[str]:
    """What a mount like this one may have as its source."""
    if mount.type == "volume":
        return [*options.volumes, *(f"{prefix}*" for prefix in options.volume_prefixes)]
    writable = options.writable_mount_roots if options.is_local else []
    roots = [*writable, *options.mount_roots] if mount.read_only else writable
    return [f"directories under {root}" for root in roots]


def _volume_allowed(options: DockerOptions, mount: Mount) -> bool:
    return mount.source in options.volumes or mount.source.startswith(tuple(options.volume_prefixes))


def _bind_allowed(options: DockerOptions, mount: Mount) -> bool:
    if not mount.source.startswith("/") or ".." in mount.source.split("/"):
        return False
    source = options.resolve(mount.source)
    if mount.read_only and any(is_under(source, options.resolve(root)) for root in options.mount_roots):
        return True
    return options.is_local and any(_is_plainly_under(mount.source, root) for root in options.writable_mount_roots)


def _is_plainly_under(source: str, root: str) -> bool:
    """Whether it is the root, or a directory below that no link leads to: jobs can make links there."""
    path, root = os.path.normpath(source), os.path.normpath(root)
    if path == root or not is_under(path, root):
        return path == root
    plain = os.path.join(os.path.realpath(root), os.path.relpath(path, root))
    return os.path.isdir(path) and os.path.realpath(path) == plain


def bind_source(options: DockerOptions, mount: Mount) -> str:
    """The host directory that was checked, its symbolic links followed where they can be seen from here."""
    return options.resolve(mount.source)


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
