"""The main job over REST on a real engine: every kind of end, and nothing left behind."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import engine
from tests.e2e.service import DEADLINE, Service, free_port, until
from tests.registry import Registry

JOBS = "/api/v1/executors/docker/jobs"


@pytest.fixture
def service(tmp_path: Path, database_url: str, docker_url: str) -> Iterator[Service]:
    executors = {"docker": {"OPTIONS": {"base_url": docker_url, "instance": tmp_path.name, "max_retries": 0}}}
    # One thread for requests: a pool that grows with them would hide what a job leaves behind.
    settings = {"PURSER_EXECUTORS": json.dumps(executors), "PURSER_API_THREADS": "1"}
    with Service(tmp_path, database_url, **settings) as service:
        service.serve()
        until(lambda: httpx.get(f"{service.address}/readyz").is_success, "readiness")
        yield service
        client = service.client()
        until(lambda: all_cleaned(client), "the removal of every container")


@pytest.fixture
def client(service: Service) -> httpx.Client:
    return service.client()


def launch(client: httpx.Client, *command: str, **fields: Any) -> httpx.Response:
    return client.post(JOBS, json={"image": "busybox:local", "command": [*command]} | fields)


def finished(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text

    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(answer.headers["location"], params={"wait": 10}).json()
        return job if job["finished_at"] else None

    return until(look, "the end of the job") or {}


def text(client: httpx.Client, job: dict[str, Any], **parameters: str) -> str:
    return client.get(job["links"]["logs"], params=parameters, headers={"Accept": "text/plain"}).text


def test_a_launch_is_accepted_with_its_place_and_ends_with_its_own_exit_code(client: httpx.Client) -> None:
    answer = launch(client, "sh", "-c", "echo out; echo err >&2; exit 3")

    job = finished(client, answer)

    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["state"], job["reason"], job["exit_code"]) == ("failed", "exit_nonzero", 3)
    assert (text(client, job, stream="stdout"), text(client, job, stream="stderr")) == ("out\n", "err\n")


def test_a_job_that_takes_more_than_its_memory_ends_as_oom(client: httpx.Client) -> None:
    job = finished(client, launch(client, "dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1", memory_mib=64))

    assert (job["state"], job["reason"], job["evidence"]["memory_mib"]) == ("failed", "oom", 64)


def test_a_job_whose_image_is_being_pulled_is_cancelled_without_waiting_for_the_pull(client: httpx.Client) -> None:
    with Registry(stalls_at="/blobs/") as slow:
        answer = launch(client, "true", image=f"{slow.address}/there")
        assert slow.stalled.wait(DEADLINE)
        client.post(answer.json()["links"]["cancel"]).raise_for_status()
        job = finished(client, answer)

    assert (job["state"], job["reason"], job["attempt"]) == ("cancelled", "cancelled", 1)


def test_a_job_over_its_time_ends_within_two_seconds_and_its_grace(client: httpx.Client) -> None:
    job = finished(client, launch(client, "sleep", "60", timeout_seconds=1, grace_seconds=1))

    attempt = job["attempts"][0]
    started, ended = (datetime.fromisoformat(attempt[name]) for name in ("started_at", "finished_at"))
    assert (job["state"], job["reason"]) == ("failed", "timeout")
    assert 1 <= (ended - started).total_seconds() <= 1 + 2 + 1


def test_an_image_that_the_engine_does_not_have_and_may_not_pull_is_not_found(client: httpx.Client) -> None:
    job = finished(client, launch(client, "true", image="nosuch:local", pull_policy="never"))

    assert (job["state"], job["reason"], job["attempt"]) == ("failed", "image_not_found", 1)


def test_an_image_that_its_registry_does_not_have_is_not_found(client: httpx.Client) -> None:
    with empty_registry() as address:
        job = finished(client, launch(client, "true", image=f"{address}/nosuch:1"))

    assert (job["state"], job["reason"], job["attempt"]) == ("failed", "image_not_found", 1)


def test_a_command_that_is_not_there_is_told_apart(client: httpx.Client) -> None:
    job = finished(client, launch(client, "/no/such/command"))

    assert (job["state"], job["reason"]) == ("failed", "command_not_found")


def test_standard_input_is_given_and_ends(client: httpx.Client) -> None:
    job = finished(client, launch(client, "wc", "-c", stdin="x" * 100_000))

    assert text(client, job).strip() == "100000"


def test_cancel_and_cleanup_leave_nothing_bound_to_a_job_twice_in_a_row(
    service: Service, client: httpx.Client, docker_url: str
) -> None:
    warm_up = finished(client, launch(client, "true"))
    client.delete(warm_up["links"]["self"])
    before = traces(service, client, docker_url, [])
    made: list[str] = []
    for _ in range(2):
        path = launch(client, "sh", "-c", "trap '' TERM; sleep 60", grace_seconds=0.2).headers["location"]
        made.append(path.rpartition("/")[2].replace("-", ""))
        until(lambda path=path: client.get(path).json().get("state") == "running", "the start")  # type: ignore[misc]

        assert client.post(f"{path}/cancel").status_code == 202
        assert [client.delete(path).status_code for _ in range(2)] == [204, 204]

        job = client.get(path).json()
        assert (job["state"], job["reason"]) == ("cancelled", "cancelled")
        assert job["cleaned_at"] is not None
        until(lambda: traces(service, client, docker_url, made) == before, f"{before}, without a trace of the job")


def test_metrics_count_what_was_done_and_nothing_stays_allocated(client: httpx.Client) -> None:
    for code in ("0", "3"):
        job = finished(client, launch(client, "sh", "-c", f"exit {code}"))
        client.delete(job["links"]["self"])

    metrics = client.get("/api/v1/executors/docker/metrics").json()

    counts = {(row["state"], row["reason"]): row["count"] for row in metrics["jobs"]}
    assert (counts["succeeded", "completed"], counts["failed", "exit_nonzero"]) == (1, 1)
    assert (metrics["utilization"]["memory_used_mib"], metrics["utilization"]["cpu_used_cores"]) == (0, 0)


def all_cleaned(client: httpx.Client) -> bool:
    return all(job["cleaned_at"] for job in client.get("/api/v1/jobs").json()["results"])


def traces(service: Service, client: httpx.Client, docker_url: str, jobs: list[str]) -> dict[str, Any]:
    """What a job could leave: on the engine, in the kernel, in the service's process, in the books."""
    docker = engine.client(docker_url)
    try:
        labels = {"filters": {"label": f"purser.instance={service.data_dir.name}"}}
        containers = docker.containers(all=True, **labels)
        volumes = docker.volumes(**labels)["Volumes"] or []
    finally:
        docker.close()
    utilization = client.get("/api/v1/executors/docker/metrics").json()["utilization"]
    return {
        "containers": [found["Names"] for found in containers],
        "volumes": volumes,
        "cgroups": [str(path) for job in jobs for path in Path("/sys/fs/cgroup").glob(f"*/**/purser-{job}*")],
        "threads": len(list(Path(f"/proc/{service.processes[0].pid}/task").iterdir())),
        "held": (utilization["memory_used_mib"], utilization["cpu_used_cores"]),
    }


@contextmanager
def empty_registry() -> Iterator[str]:
    """A registry on loopback that answers, and has no image."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/v2/"
            body = b"{}" if known else b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'
            self.send_response(200 if known else 404)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
