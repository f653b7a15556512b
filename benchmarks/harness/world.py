"""What sections measure: the service as real processes, an engine, databases; each is started when it is asked for."""

import json
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from benchmarks.harness import jobs, machine
from benchmarks.harness.http import Connection, connection
from container_manager.executors.docker_engine.options import DockerOptions
from tests import services
from tests.e2e.service import Service, stop

UNLIMITED = "100000000/60"  # a limit that nobody reaches, but that is kept count of
ROOM: dict[str, Any] = {"total_memory": 1_000_000, "total_cpu": 1000}


class NotHere(RuntimeError):
    """A section needs what cannot be had of a service that it has not started."""


@dataclass(frozen=True, slots=True)
class Purser:
    """A service that answers. `pids` are its processes where they are known."""

    address: str
    token: str
    pids: tuple[int, ...] = ()

    def connection(self) -> AbstractContextManager[Connection]:
        return connection(self.address, self.token)


@dataclass
class World:
    """Gives what is needed, and ends it. With `url` it is a running service that is measured."""

    small: bool = False
    url: str = ""
    token: str = ""
    executor: str = ""
    machine: dict[str, str] = field(default_factory=machine.describe)

    def __post_init__(self) -> None:
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._resources.close()

    @cached_property
    def folder(self) -> Path:
        """A directory that is removed at the end; users of other services can pass through it."""
        path = Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix="pb-")))
        path.chmod(0o711)
        return path

    @cached_property
    def engine(self) -> str:
        """The address of a Docker engine that has `busybox:local`."""
        url = self._resources.enter_context(services.docker_engine(host_network=False))
        self.machine["docker engine"] = _engine_version(url)
        return url

    @cached_property
    def _postgres(self) -> str:
        url = self._resources.enter_context(services.Postgres(synchronous_commit="on", fsync="on")).url
        with psycopg.connect(url) as server:
            found = server.execute("SHOW server_version").fetchone()
        self.machine["PostgreSQL"] = f"{found[0] if found else ''}; fsync, full_page_writes, synchronous_commit on"
        return url

    def database(self, kind: str) -> str:
        """The URL of a new empty database, `sqlite` or `postgresql`."""
        name = f"bench_{secrets.token_hex(4)}"
        if kind == "sqlite":
            return f"sqlite:///{self.folder / name}.sqlite3"
        with psycopg.connect(self._postgres, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return urlsplit(self._postgres)._replace(path=f"/{name}").geturl()

    def installation(self, executors: Mapping[str, Mapping[str, Any]], database: str = "", **settings: str) -> Service:
        """A service that is not started yet, in a directory of its own. Use it as a context manager."""
        data = Path(tempfile.mkdtemp(dir=self.folder))
        data.chmod(0o711)
        return Service(
            data,
            database,
            PURSER_EXECUTORS=json.dumps(executors),
            PURSER_LOG_LEVEL="warning",
            PURSER_RATE_LIMIT=UNLIMITED,
            **settings,
        )

    @contextmanager
    def purser(
        self, executors: Mapping[str, Mapping[str, Any]], database: str = "", *, apart: bool = False, **settings: str
    ) -> Iterator[Purser]:
        """The running service that was named, else one of our own; `apart`: API and dispatcher as two processes."""
        if self.url:
            yield Purser(self.url, self.token)
            return
        with self.installation(executors, database, **settings) as service:
            service.serve(*(["--no-dispatcher"] if apart else []))
            if apart:
                service.start("dispatch")
            yield started(service)
            for process in service.processes:  # so that nothing that it prepared ahead is left on the engine
                stop(process)

    def executor_of(self, own: str) -> str:
        """The executor to ask: ours, or the one that was named with the running service."""
        return self.executor if self.url and self.executor else own

    def require_own(self, section: str) -> None:
        """Raises NotHere when a running service is measured."""
        if self.url:
            raise NotHere(f"{section} starts and ends the service that it measures: run it without --url")


def started(service: Service) -> Purser:
    """The service as it runs."""
    pids = tuple(process.pid for process in service.processes if process.poll() is None)
    return Purser(service.address, (service.data_dir / "token").read_text().strip(), pids)


def docker_executor(engine: str, **options: Any) -> dict[str, Any]:
    """The entry of a docker executor with room for all that a benchmark launches."""
    return {
        "BACKEND": "container_manager.executors.docker.DockerExecutor",
        "OPTIONS": {"base_url": engine, **ROOM, **_ahead(options)},
    }


def _ahead(options: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing is prepared ahead unless it is asked for: that is measured apart."""
    return {**{name: off for name, off in AHEAD.items() if name in DockerOptions.model_fields}, **options}


AHEAD: dict[str, Any] = {"prepared_networks": 0, "warm_pools": []}


def _engine_version(url: str) -> str:
    with jobs.raw_client(url) as client:
        parts = [f"{part['Name']} {part['Version']}" for part in client.version()["Components"]]
        return ", ".join([*parts, f"storage {client.info()['Driver']}"])
