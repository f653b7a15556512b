"""The engine goes away and comes back: nothing is declared failed, nothing is lost, all goes on by itself."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.service import Service, until
from tests.engine import PrivateEngine
from tests.engine import client as docker_client

JOBS = "/api/v1/executors/docker/jobs"
HEALTH = "/api/v1/executors/docker/health"


@pytest.fixture(params=[True, False], ids=["live-restore", "no live-restore"])
def private(request: pytest.FixtureRequest) -> Iterator[PrivateEngine]:
    with PrivateEngine(live_restore=request.param) as private:
        yield private


@pytest.fixture
def client(tmp_path: Path, database_url: str, private: PrivateEngine) -> Iterator[httpx.Client]:
    executors = {"docker": {"OPTIONS": {"base_url": private.base_url, "max_retries": 0}}}
    settings = {"PURSER_EXECUTORS": json.dumps(executors), "PURSER_REPORT_SECONDS": "0.5"}
    with Service(tmp_path, database_url, **settings) as service:
        service.serve()
        yield service.client()


def launch(client: httpx.Client, script: str) -> Callable[[], dict[str, Any]]:
    answer = client.post(JOBS, json={"image": "busybox:local", "command": ["sh", "-c", script]})
    assert answer.status_code == 202, answer.text
    return lambda: client.get(answer.headers["location"]).json()


def touch(private: PrivateEngine, path: str) -> None:
    """Make a file in the job that ran before the outage."""
    with closing(docker_client(private.base_url)) as engine:
        (container,) = [each for each in engine.containers() if "echo before" in each["Command"]]
        engine.exec_start(engine.exec_create(container["Id"], ["touch", path])["Id"])


def test_an_outage_of_the_engine_loses_nothing(
    client: httpx.Client, private: PrivateEngine, request: pytest.FixtureRequest
) -> None:
    lives_on = "no live-restore" not in request.node.callspec.id
    running = launch(client, "echo before; while [ ! -e /tmp/back ]; do sleep 0.1; done; echo after; exit 4")
    until(lambda: running()["state"] == "running", "the start of the job")

    private.stop()
    until(lambda: not client.get(HEALTH).json()["healthy"], "the bad news")
    health = client.get(HEALTH).json()
    waiting = launch(client, "echo later")
    until(lambda: running()["stale_since"], "the word that nothing is known")

    assert private.base_url in health["detail"]
    assert running()["state"] == "running"
    assert waiting()["state"] == "queued"

    private.start()
    until(lambda: client.get(HEALTH).json()["healthy"], "the good news")
    if lives_on:
        touch(private, "/tmp/back")
    until(lambda: waiting()["state"] == "succeeded", "the end of the job that waited", 60)
    ended = until(lambda: (job := running())["finished_at"] and job, "the end of the job that ran", 60)

    logs = client.get(ended["links"]["logs"], headers={"Accept": "text/plain"}).text
    assert ended["attempt"] == 1
    if lives_on:
        assert (ended["reason"], ended["exit_code"], logs) == ("exit_nonzero", 4, "before\nafter\n")
    else:
        assert (ended["reason"], ended["exit_code"], logs) == ("engine_lost", 143, "before\n")
