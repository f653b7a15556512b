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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from docker.errors import DockerException

from tests import engine

_CGROUPS = Path("/sys/fs/cgroup")
_START_SECONDS = 60.0
_POLICY = Path("/usr/sbin/policy-rc.d")


class Missing(RuntimeError):
    """Something that the tests need is not on this machine."""


@contextmanager
def docker_engine() -> Iterator[str]:
    """The URL of an engine that has `busybox:local`: the one of DOCKER_HOST or this host, else one of our own."""
    if _engine_answers():
        require({"busybox": "busybox-static"})
        engine.ensure_image()
        yield engine.address()
        return
    require({"dockerd": "docker.io", "busybox": "busybox-static"})
    if os.geteuid() != 0:
        raise Missing(f"no Docker engine answers at {engine.address()}, and starting one of the tests' own needs root")
    with _no_new_groups("docker"), engine.PrivateEngine(host_network=True) as private:
        yield private.base_url


def _engine_answers() -> bool:
    try:
        engine.client().close()
    except DockerException:
        return False
    return True


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
    programs = _postgres_programs()
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    run_as: dict[str, Any] = {"cwd": home}
    if os.geteuid() == 0:  # initdb refuses root
        run_as |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(home, "postgres", "postgres")
    try:
        initialise: list[str | Path] = [programs / "initdb", "-D", home / "data", "-U", "postgres"]
        subprocess.run(
            [*initialise, "-A", "trust", "-E", "UTF8", "-N"], check=True, stdout=subprocess.DEVNULL, **run_as
        )
        quick = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
        options = [part for setting in quick for part in ("-c", setting)]
        with _postgres_server([programs / "postgres", "-D", home / "data", "-k", home, "-h", "", *options], run_as):
            yield _url(home)
    finally:
        shutil.rmtree(home)


@contextmanager
def _postgres_server(command: Sequence[str | Path], run_as: Mapping[str, Any]) -> Iterator[None]:
    home: Path = run_as["cwd"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **run_as)
    try:
        give_up = time.monotonic() + _START_SECONDS
        while not _postgres_answers(_url(home)):
            if process.poll() is not None or time.monotonic() > give_up:
                raise Missing(f"PostgreSQL did not start:\n{(home / 'log').read_text(errors='replace')}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # its fast shutdown
        process.wait(_START_SECONDS)


def _url(home: Path) -> str:
    return f"postgres://postgres@/postgres?host={home}"


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
