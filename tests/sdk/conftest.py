"""Clients that others' generators write from openapi.yaml, and a live service to use them on."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import Service
from tests.sdk.workshop import OPENAPI, ROOT, java_generator, node, run

SETTINGS = {"PURSER_EXECUTORS": json.dumps({"mock": {}}), "PURSER_MAX_BODY_BYTES": "65536"}


class Live:
    """A service, and tokens: one that may do everything, one that may only read, one whose queue takes one job."""

    def __init__(self, service: Service) -> None:
        self.address = service.address
        self.token = (service.data_dir / "token").read_text().strip()
        self.reader = _created(service, "--name", "reader", "--scope", "jobs:read")
        self.crowded = _created(service, "--name", "crowded", "--namespace", "crowded")
        done = service.run("namespace", "set", "crowded", "--max-queued", "1", "--max-jobs", "1")
        assert done.returncode == 0, done.stderr

    @property
    def arguments(self) -> tuple[str, ...]:
        """What a program of another language is given."""
        return self.address, self.token, self.reader, self.crowded


def _created(service: Service, *options: str) -> str:
    done = service.run("token", "create", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1] if "purser_" in done.stdout.split()[-1] else done.stdout.split()[0]


@pytest.fixture(scope="package")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Service(tmp_path_factory.mktemp("sdk-service"), **SETTINGS) as service:
        service.serve()
        yield Live(service)


@pytest.fixture(scope="package")
def python_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Python client, which can be imported."""
    folder = tmp_path_factory.mktemp("python")
    run(ROOT / "scripts" / "generate-client", folder / "purser_client")
    sys.path.insert(0, str(folder))
    yield folder / "purser_client"
    sys.path.remove(str(folder))


@pytest.fixture(scope="package")
def typescript_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the TypeScript client in `client`."""
    folder = tmp_path_factory.mktemp("typescript")
    node("openapi-ts", "--file", ROOT / "sdk" / "typescript.mjs", "--input", OPENAPI, "--output", folder / "client")
    return folder


@pytest.fixture(scope="package")
def go_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Go module with the client in it."""
    folder = tmp_path_factory.mktemp("go")
    java_generator("generate", "--input-spec", OPENAPI, "--config", ROOT / "sdk" / "go.yaml", "--output", folder)
    return folder
