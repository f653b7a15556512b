"""Waits and streams across processes: one API process holds, another one and a dispatcher change the job."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_logs import SSE, Sse
from tests.e2e.service import DEADLINE, Service, free_port, until

JOBS = "/api/v1/executors/mock/jobs"


@pytest.fixture
def clients(tmp_path: Path, postgres_database_url: str) -> Iterator[list[httpx.Client]]:
    """Clients of two API processes on one database, beside a dispatcher."""
    with Service(tmp_path, postgres_database_url) as service:
        service.serve("--no-dispatcher")
        first = service.client()
        service.port = free_port()
        service.address = f"http://127.0.0.1:{service.port}"
        service.environment["PURSER_PORT"] = str(service.port)
        service.serve("--no-dispatcher")
        service.start("dispatch")
        until(lambda: first.get("/readyz").is_success, "readiness")
        yield [first, service.client()]


def launch(client: httpx.Client, seconds: float, **headers: str) -> Any:
    body = {"command": ["true"], "scenario": {"run_seconds": seconds}}
    answer = client.post(JOBS, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer


def walk(client: httpx.Client, job: str) -> list[int]:
    """Every version that a client sees which always waits for the next one."""
    seen: list[int] = []
    document: dict[str, Any] = {"version": 0, "cleaned_at": None}
    while not document["cleaned_at"]:
        began = time.monotonic()
        document = client.get(f"/api/v1/jobs/{job}", params={"wait": 20, "version": document["version"]}).json()
        assert time.monotonic() - began < 15, f"it was not told of the change after version {seen}"
        if document["finished_at"] and not document["cleaned_at"]:
            time.sleep(0.01)  # an end is answered at once, whatever the version
        seen.append(document["version"])
    return seen


def test_no_wait_misses_a_change_that_another_process_makes(clients: list[httpx.Client]) -> None:
    first, second = clients
    with ThreadPoolExecutor(20) as pool:
        for _ in range(5):
            job = launch(first, 0.05).json()["id"]
            walks = [pool.submit(walk, client, job) for client in (first, second) * 4]
            for one in walks:
                versions = one.result(DEADLINE)
                assert versions == sorted(versions)


def test_a_launch_holds_for_the_end_that_a_dispatcher_of_its_own_brings(clients: list[httpx.Client]) -> None:
    for client in clients:
        began = time.monotonic()
        answer = launch(client, 0.2, Prefer="wait=20")

        assert (answer.status_code, answer.json()["state"]) == (200, "succeeded")
        assert time.monotonic() - began < 10


def test_a_cancel_at_one_process_is_told_by_the_other(clients: list[httpx.Client]) -> None:
    first, second = clients
    job = launch(first, 600).json()["id"]
    holding = threading.Event()
    told: list[str] = []

    def follow() -> None:
        with second.stream("GET", f"/api/v1/jobs/{job}/events", headers={"Accept": SSE}) as answer:
            for event in Sse(answer.iter_lines()):
                holding.set()
                told.append(event["event"])

    following = threading.Thread(target=follow)
    following.start()
    assert holding.wait(DEADLINE)
    first.post(f"/api/v1/jobs/{job}/cancel", json={})
    following.join(DEADLINE)

    assert told[-1] == "end"
    assert second.get(f"/api/v1/jobs/{job}").json()["reason"] == "cancelled"
