"""Network namespaces made ahead, from the service's start to its end."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import engine
from tests.e2e.service import Service, stop, until

JOB = {"image": engine.IMAGE, "command": ["true"]}


@pytest.fixture
def service(tmp_path: Path, database_url: str, docker_url: str) -> Iterator[Service]:
    options = {"base_url": docker_url, "instance": tmp_path.name, "prepared_networks": 2}
    executors = {"docker": {"OPTIONS": options}}
    with Service(tmp_path, database_url, PURSER_EXECUTORS=json.dumps(executors)) as service:
        yield service


def prepared(service: Service, docker_url: str) -> list[Any]:
    labels = [f"purser.instance={service.data_dir.name}", "purser.role=network"]
    with closing(engine.client(docker_url)) as client:
        return list(client.containers(all=True, filters={"label": labels}))


def ended(client: httpx.Client) -> dict[str, Any]:
    answer = client.post("/api/v1/executors/docker/jobs", json=JOB, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_way_of_each_launch_is_told_and_a_stop_takes_along_what_was_made_ahead(
    service: Service, docker_url: str
) -> None:
    process = service.serve()
    until(lambda: httpx.get(f"{service.address}/readyz").is_success, "readiness")
    client = service.client()
    first = ended(client)
    until(lambda: len(prepared(service, docker_url)) == 2, "network namespaces made ahead")
    jobs = until(
        lambda: (found := [first, ended(client)])[1]["attempts"][0]["launch_path"] == "prepared_network" and found,
        "a launch into one",
    )
    why = client.get(f"{jobs[0]['links']['self']}/explain").json()["evidence"]
    launches = client.get("/api/v1/executors/docker/metrics").json()["launches"]

    assert (why["launch_path"], why["launch_path_detail"]) == ("cold", "no network namespace of its tenant was ready")
    assert launches["cold"] >= 1
    assert launches["prepared_network"] >= 1
    assert stop(process) == 0
    assert prepared(service, docker_url) == []
