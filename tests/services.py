"""Real services for the tests: a Docker engine and a PostgreSQL, private and thrown away.

What is missing is installed where that is possible (root on Debian), else named in one sentence. Only what was
started here is stopped, and nothing of it is left.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg

from container_manager.executors.docker_engine.client import Engine
from container_manager.executors.docker_engine.options import DockerOptions
from tests import engine

_CGROUPS = Path("/sys/fs/cgroup")
_START_SECONDS = 60.0
_POLICY = Path("/usr/sbin/policy-rc.d")


class Missing(RuntimeError):
    """Something that the tests need is not on this machine."""


@contextmanager
def docker_engine(*, host_network: bool = True) -> Iterator[str]:
    """The URL of an engine that has `busybox:local`: the one of DOCKER_HOST or this host, else one of our own."""
    if _engine_answers():
        require({"busybox": "busybox-static"})
        engine.ensure_image()
        yield engine.address()
        return
    require({"dockerd": "docker.io", "busybox": "busybox-static"})
    if os.geteuid() != 0:
        raise Missing(f"no Docker engine answers at {engine.address()}, and starting one of the tests' own needs root")
    with _no_new_groups("docker"), engine.PrivateEngine(host_network=host_network) as private:
        yield private.base_url


def _engine_answers() -> bool:
    with closing(Engine(DockerOptions())) as found:
        return found.takes_connections()


@contextmanager
def _no_new_groups(name: str) -> Iterator[None]:
    """Remove the control groups of that name that an engine leaves behind."""
    before = set(_CGROUPS.glob(f"*/{name}"))
    yield
    for left in {*_CGROUPS.glob(f"*/{name}")} - before:
        left.rmdir()


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own; its superuser may make databases."""
    with Postgres() as server:
        yield server.url


class Postgres:
    """A PostgreSQL server of a test's own. Used as a context manager; `stop()` and `start()` may be called in between.

    It answers at the same `url` again. What is committed outlives a crash of the server only with `synchronous_commit`,
    and one of the host only with `fsync` too.
    """

    def __init__(self, *, synchronous_commit: str = "off", fsync: str = "off") -> None:
        self._programs = _postgres_programs()
        self._home = Path(tempfile.mkdtemp(prefix="pg-"))
        self._run_as: dict[str, Any] = {"cwd": self._home}
        self._settings = {
            "fsync": fsync,
            "synchronous_commit": synchronous_commit,
            "full_page_writes": fsync,
            "max_connections": "200",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgres://postgres@/postgres?host={self._home}"

    def __enter__(self) -> Self:
        if os.geteuid() == 0:  # initdb refuses root
            self._run_as |= {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(self._home, "postgres", "postgres")
        data = self._home / "data"
        initialise: list[str | Path] = [self._programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust"]
        try:
            subprocess.run([*initialise, "-E", "UTF8", "-N"], check=True, stdout=subprocess.DEVNULL, **self._run_as)
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Returns when it answers. Raises Missing when it does not."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [
            self._programs / "postgres",
            "-D",
            self._home / "data",
            "-k",
            self._home,
            "-h",
            "",
            *options,
        ]
        with (self._home / "log").open("ab") as log:
            process = self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._run_as)
        give_up = time.monotonic() + _START_SECONDS
        while not _postgres_answers(self.url):
            if process.poll() is not None or time.monotonic() > give_up:
                raise Missing(f"PostgreSQL did not start:\n{(self._home / 'log').read_text(errors='replace')}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends its connections and then itself; SIGQUIT is as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_SECONDS)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._home)


def _postgres_programs() -> Path:
    """Where initdb and postgres are; Debian does not have them on the PATH."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), *map(Path, os.get_exec_path())]
    found = [place for place in places if (place / "initdb").exists() and (place / "postgres").exists()]
    if not found:
        install(["postgresql"], "a PostgreSQL server")
        return _postgres_programs()
    return found[0]


def _postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def require(programs: dict[str, str]) -> None:
    """See that these programs are there, by the Debian package that has each. Raises Missing."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = {program: package for program, package in programs.items() if not shutil.which(program, path=path)}
    if missing:
        install(list(missing.values()), ", ".join(missing))


def install(packages: list[str], what: str) -> None:
    """Install Debian packages, starting none of their services. Raises Missing where that cannot be done."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Missing(f"the tests need {what}; on Debian: apt-get install {' '.join(packages)}")
    sys.stdout.write(f"Installing {' '.join(packages)}\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_starts():
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", "-qq", *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)


@contextmanager
def _no_service_starts() -> Iterator[None]:
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
