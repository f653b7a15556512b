"""The real Docker engine that tests run on, and private ones that tests may stop and start."""

import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import docker
from docker import errors

from container_manager.exceptions import EngineUnavailable
from container_manager.executors.docker import DockerExecutor
from container_manager.executors.results import Execution
from container_manager.identifiers import uuid7
from container_manager.spec import JobSpec
from container_manager.states import ENDED

IMAGE = "busybox:local"
DEADLINE = 30.0


def address() -> str:
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


def client(base_url: str | None = None) -> docker.APIClient:
    """A client for what a test does behind an executor's back. Close it."""
    return docker.APIClient(base_url=base_url or address(), timeout=30)


def ensure_image(base_url: str | None = None) -> None:
    """Make `busybox:local` from the host's static busybox, where the engine has it not yet."""
    engine = client(base_url)
    try:
        if not engine.images(IMAGE):
            repository, tag = IMAGE.split(":")
            engine.import_image_from_data(busybox_tar(), repository=repository, tag=tag)
    finally:
        engine.close()


def busybox_tar() -> bytes:
    busybox = shutil.which("busybox")
    assert busybox, "the tests need busybox-static to make an image"
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "etc", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        tar.add(busybox, "bin/busybox")
        for applet in applets:
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
    return buffer.getvalue()


class PrivateEngine:
    """A dockerd of a test's own, in a network namespace of its own: another one's bridge is not touched.

    Used as a context manager; `stop()` and `start()` may be called in between. With `live_restore` its
    containers outlive a stop. On the `host_network` it reaches what listens on this host, and there must be no other.
    """

    def __init__(self, *, live_restore: bool = False, host_network: bool = False) -> None:
        self._live_restore = live_restore
        self._command = ["dockerd"] if host_network else ["unshare", "-n", "dockerd"]
        # Short: a unix socket's path has at most 107 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="pe-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = f"unix://{self._folder}/d.sock"

    def __enter__(self) -> Self:
        try:
            self.start()
            ensure_image(self.base_url)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        flags = ["--bridge=none", "--iptables=false", "--storage-driver=overlay2"]
        places = [f"--{name}={self._folder}/{name}" for name in ("data-root", "exec-root", "pidfile")]
        live = ["--live-restore"] if self._live_restore else []
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, "-H", self.base_url, *flags, *places, *live], stdout=log, stderr=log
            )
        until(self._answers, "an answer of the private engine")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(DEADLINE)
            self._process = None

    def close(self) -> None:
        try:
            if self._process is None and self._live_restore:
                self.start()
            if self._process is not None:
                until(self._has_no_container, "the removal of what the private engine runs")
        finally:
            self.stop()
            self._end_shims()
            self._unmount()
            shutil.rmtree(self._folder)

    def _unmount(self) -> None:
        """What an engine has mounted it may leave so: its data, and the host's network namespace as jobs had it."""
        points = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for point in reversed([point for point in points if point.startswith(f"{self._folder}/")]):
            subprocess.run(["umount", "-l", point], check=False, capture_output=True)

    def _end_shims(self) -> None:
        """An engine with live-restore that went down while it started a container forgets its shim, which stays."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):
                command = (process / "cmdline").read_bytes().split(b"\0")
                if command[0].endswith(b"containerd-shim-runc-v2") and any(
                    argument.startswith(f"{self._folder}/".encode()) for argument in command
                ):
                    os.kill(int(process.name), signal.SIGKILL)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        with socket.socket(socket.AF_UNIX) as knocking:
            if knocking.connect_ex(self.base_url.removeprefix("unix://")):
                return False
        client(self.base_url).close()
        return True

    def _has_no_container(self) -> bool:
        """Remove what there is, which a service that has just ended may be removing too."""
        with closing(client(self.base_url)) as engine:
            left = engine.containers(all=True)
            for container in left:
                with suppress(errors.APIError):
                    engine.remove_container(container["Id"], force=True, v=True)
        return not left


def until(condition: Callable[[], object], what: str) -> None:
    """Ask again until the answer is truthy; the test fails at the deadline."""
    give_up = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < give_up, f"{what} did not come within {DEADLINE} s"
        time.sleep(0.02)


def spec(script: str = "true", **fields: Any) -> JobSpec:
    """A job that runs a shell script in `busybox:local`."""
    defaults = {
        "id": uuid7(), "attempt": 1, "namespace": "test", "image": IMAGE, "command": ["sh", "-c", script],
        "memory_mib": 64, "cpu_cores": 0.5, "timeout_seconds": 60.0, "grace_seconds": 5.0,
    }  # fmt: skip
    return JobSpec.model_validate({**defaults, **fields})


@contextmanager
def executing(base_url: str | None = None, **options: Any) -> Iterator[DockerExecutor]:
    """A docker executor of its own instance; whatever it has launched is removed at the end."""
    config = {"base_url": base_url or address(), "instance": f"test-{uuid7().hex}", **options}
    executor = DockerExecutor(config, name="docker")
    try:
        yield executor
    finally:
        # A private engine that a failed test has left stopped removes its containers by itself.
        with suppress(EngineUnavailable):
            for execution in executor.list_executions():
                executor.cleanup(execution.execution_id)
        executor.close()


def run(executor: DockerExecutor, job: JobSpec) -> tuple[Execution, bytes, bytes]:
    """Launch it and follow it to its end: how it ended, and what it wrote."""
    result = executor.launch_job(job)
    assert result[0], result
    frames = list(executor.follow_logs(job.execution_id, threading.Event()))
    until(lambda: executor.check_status(job.execution_id) in ENDED, "the end of the job")
    stdout, stderr = (b"".join(f.data for f in frames if f.stream == name) for name in ("stdout", "stderr"))
    return executor.inspect(job.execution_id), stdout, stderr


def donors(executor: DockerExecutor) -> list[dict[str, Any]]:
    """The containers that hold network namespaces open for this executor, as the engine lists them."""
    labels = [f"purser.instance={executor.options.instance}", "purser.role=network"]
    with closing(client(executor.options.address)) as engine:
        return list(engine.containers(all=True, filters={"label": labels}))


def fill_networks(executor: DockerExecutor, number: int, namespace: str = "test") -> None:
    """Let the executor know of a launch in a namespace, and wait until so many networks are ready for its next ones."""
    job = spec(namespace=namespace)
    executor._networks.take(job)
    executor._networks.give_back(job.execution_id)
    executor._upkeep.wake()
    until(lambda: len(executor._networks._free_of(namespace)) >= number, "prepared networks")


def fill_warm_pools(executor: DockerExecutor) -> None:
    """Do what the upkeep does until there is nothing to do."""
    while executor._pools.step():
        continue
    assert not executor._pools.problem()


@contextmanager
def warm(folder: Path, base_url: str | None = None, size: int = 1, **options: Any) -> Iterator[DockerExecutor]:
    """A docker executor with a filled warm pool for what `spec` gives; nothing that waits is left at the end."""
    pool = {"image": IMAGE, "memory_mib": 64, "cpu_cores": 0.5, "size": size}
    with executing(base_url, **{"state_dir": str(folder), "warm_pools": [pool], **options}) as executor:
        try:
            fill_warm_pools(executor)
            yield executor
        finally:
            with suppress(EngineUnavailable):
                executor._pools.empty()
