"""Many clients at once: as many jobs run as there are slots, and one key is one job."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from tests import engine
from tests.e2e.service import DEADLINE, Service, free_port, until

SLOTS = 10
CLIENTS = 50
LAUNCHES = 200
T = TypeVar("T")


class EngineEvents:
    """What the engine itself tells of the containers of one installation, from now on."""

    def __init__(self, base_url: str, instance: str) -> None:
        self._client = engine.client(base_url)
        wanted = {"type": "container", "label": f"purser.instance={instance}", "event": ["start", "die"]}
        self._events = self._client.events(decode=True, filters=wanted)
        self._told: list[str] = []
        threading.Thread(target=self._note, daemon=True).start()

    @property
    def running(self) -> list[int]:
        """How many run after each event."""
        return list(itertools.accumulate(1 if action == "start" else -1 for action in self._told))

    @property
    def counts(self) -> Counter[str]:
        return Counter(self._told)

    def close(self) -> None:
        self._events.close()
        self._client.close()

    def _note(self) -> None:
        for event in self._events:
            self._told.append(event["Action"])


@pytest.fixture
def events(docker_url: str, tmp_path: Path) -> Iterator[EngineEvents]:
    events = EngineEvents(docker_url, tmp_path.name)
    yield events
    events.close()


@pytest.fixture
def service(tmp_path: Path, database_url: str, docker_url: str) -> Iterator[Service]:
    docker = {
        "base_url": docker_url, "instance": tmp_path.name, "max_jobs": SLOTS, "mount_roots": [str(tmp_path)],
        "total_memory": 100_000, "total_cpu": 100,
    }  # fmt: skip
    executors = {"docker": {"OPTIONS": docker}, "mock": {}}
    with Service(tmp_path, database_url, PURSER_EXECUTORS=json.dumps(executors)) as service:
        yield service


def together(count: int, work: Callable[[], T]) -> list[T]:
    """The same by many at the same moment, each in a thread of its own."""
    ready = threading.Barrier(count)

    def start() -> T:
        ready.wait(DEADLINE)
        return work()

    with ThreadPoolExecutor(count) as threads:
        return [done.result() for done in [threads.submit(start) for _ in range(count)]]


def test_fifty_clients_at_ten_slots_run_ten_jobs_at_once_and_never_more(
    service: Service, events: EngineEvents, tmp_path: Path
) -> None:
    service.serve()
    service.start("dispatch")  # a second dispatcher races with the server's own
    (gate := tmp_path / "gate").mkdir()
    body = {
        "image": "busybox:local", "memory_mib": 16, "cpu_cores": 0.1,
        "command": ["sh", "-c", "while [ ! -e /gate/open ]; do sleep 0.1; done; sleep 0.2"],
        "mounts": [{"type": "bind", "source": str(gate), "target": "/gate", "read_only": True}],
    }  # fmt: skip
    headers = dict(service.client().headers)

    def launch() -> str:
        with httpx.Client(base_url=service.address, headers=headers, timeout=DEADLINE) as client:
            answer = client.post("/api/v1/executors/docker/jobs", json=body)
            assert answer.status_code == 202, answer.text
            return str(answer.headers["location"])

    locations = together(CLIENTS, launch)
    until(lambda: events.counts["start"] >= SLOTS, "ten at once", 120)
    (gate / "open").touch()
    client = service.client()
    until(lambda: events.counts["die"] >= CLIENTS, "the end of all", 240)
    states = [
        until(lambda at=at: (job := client.get(at).json())["cleaned_at"] and job["state"], "its end")  # type: ignore[misc]
        for at in locations
    ]

    print(f"{CLIENTS} jobs, at most {max(events.running)} at once, events {dict(events.counts)}")  # noqa: T201
    assert max(events.running) == SLOTS
    assert events.counts == {"start": CLIENTS, "die": CLIENTS}
    assert states == ["succeeded"] * CLIENTS


def test_two_hundred_launches_with_one_key_make_one_job(service: Service, database_url: str) -> None:
    service.serve("--no-dispatcher")
    addresses = [service.address]
    if database_url.startswith("postgres"):
        addresses += [another_server(service) for _ in range(2)]
    headers = dict(service.client().headers)
    turns = itertools.cycle(addresses)

    answers = together(LAUNCHES, lambda: launch_with_key(next(turns), headers))
    counts = Counter((answer.status_code, answer.headers.get("idempotency-replayed")) for answer in answers)
    found = service.client().get("/api/v1/jobs").json()["results"]
    late = launch_with_key(addresses[-1], headers)

    print(f"{LAUNCHES} launches over {len(addresses)} servers: {dict(counts)}")  # noqa: T201
    assert len(found) == 1
    assert counts[202, None] == 1
    assert set(counts) <= {(202, None), (202, "true"), (409, None)}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}
    assert {answer.text for answer in answers if answer.status_code == 202} == {late.text}
    assert (late.status_code, late.headers["idempotency-replayed"]) == (202, "true")


def launch_with_key(address: str, headers: dict[str, str]) -> httpx.Response:
    """By a client of its own."""
    with httpx.Client(base_url=address, headers=headers, timeout=120) as client:
        return client.post(
            "/api/v1/executors/mock/jobs", json={"command": ["true"]}, headers={"Idempotency-Key": "one"}
        )


def another_server(service: Service) -> str:
    """One more process on the same database; returns its address."""
    first, port = service.environment["PURSER_PORT"], free_port()
    service.environment["PURSER_PORT"] = str(port)
    service.start("serve", "--no-dispatcher")
    service.environment["PURSER_PORT"] = first
    address = f"http://127.0.0.1:{port}"
    until(lambda: answers(address), "an answer of another server", 90)
    return address


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/livez", timeout=5).is_success
    except httpx.TransportError:
        return False
