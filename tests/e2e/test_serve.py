import contextlib
import json
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.service import ROOT, Service, stop, until

JOBS = "/api/v1/executors/process/jobs"


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Any]:
    with Service(tmp_path, database_url) as service:
        yield service


@pytest.fixture
def sqlite_service(tmp_path: Path) -> Iterator[Any]:
    with Service(tmp_path) as service:
        yield service


def launch(client: httpx.Client, *command: str, **fields: Any) -> Any:
    answer = client.post(JOBS, json={"command": [*command], **fields})
    assert answer.status_code == 202, answer.text
    return f"{JOBS}/{answer.json()['id']}"


def ended(client: httpx.Client, path: str) -> Any:
    def look() -> Any:
        job = client.get(path, params={"wait": 5}).json()
        return job if job["finished_at"] else None

    return until(look, f"the end of {path}")


def test_one_command_serves_the_api_and_runs_jobs(service: Service) -> None:
    service.serve()
    client = service.client()

    path = launch(client, "sh", "-c", "echo out; echo err >&2")

    assert ended(client, path)["state"] == "succeeded"
    assert client.get(f"{path}/logs", params={"stream": "stderr"}, headers={"Accept": "text/plain"}).text == "err\n"


def test_api_and_dispatcher_run_as_processes_of_their_own(service: Service) -> None:
    server, dispatcher = service.serve("--no-dispatcher"), service.start("dispatch")
    client = service.client()
    until(lambda: client.get("/readyz").is_success, "readiness")

    assert ended(client, launch(client, "true"))["state"] == "succeeded"
    assert (stop(server), stop(dispatcher)) == (0, 0)


def test_without_a_dispatcher_it_lives_but_is_not_ready(service: Service) -> None:
    service.serve("--no-dispatcher")
    client = service.client()

    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_sigterm_answers_what_waits_and_ends_with_code_0(service: Service) -> None:
    process = service.serve()
    client = service.client()
    path = launch(client, "sleep", "60")
    until(lambda: client.get(path).json()["state"] == "running", "the start of the job")
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(client.get(path, params={"wait": 25})))
    waiter.start()
    until(lambda: client.get("/metrics").is_success, "an answer beside the waiting request")

    assert stop(process) == 0
    waiter.join()
    assert [answer.status_code for answer in answers] == [200]
    service.serve()
    service.client().delete(path)


def test_a_followed_log_is_ended_by_sigterm_and_goes_on_afterwards(service: Service) -> None:
    process = service.serve()
    client = service.client()
    path = launch(client, "sh", "-c", "echo first; sleep 3; echo last")
    with client.stream("GET", f"{path}/logs", params={"follow": "true"}, headers={"Accept": "text/plain"}) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "first"
        assert stop(process) == 0
        with contextlib.suppress(httpx.RemoteProtocolError):  # cut short, and so said to be
            assert list(lines) in ([], [""])

    service.serve()
    client = service.client()
    assert ended(client, path)["state"] == "succeeded"
    assert client.get(f"{path}/logs", headers={"Accept": "text/plain"}).text == "first\nlast\n"


def test_a_job_that_is_accepted_while_nothing_dispatches_runs_later(service: Service) -> None:
    process = service.serve("--no-dispatcher")
    path = launch(service.client(), "true")
    stop(process)

    service.serve()

    assert ended(service.client(), path)["state"] == "succeeded"


def test_sigint_drains_like_sigterm(sqlite_service: Service) -> None:
    process = sqlite_service.serve()

    process.send_signal(signal.SIGINT)

    assert process.wait(30) == 0
    assert '"event": "stopped"' in sqlite_service.log("serve")


def test_the_first_token_is_made_once_and_for_its_owner_only(sqlite_service: Service) -> None:
    stop(sqlite_service.serve())
    path = sqlite_service.data_dir / "token"
    first = path.read_text()
    sqlite_service.serve()

    assert path.read_text() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sqlite_service.client().get("/api/v1/jobs").status_code == 200


def test_a_port_that_is_taken_is_named(sqlite_service: Service) -> None:
    sqlite_service.serve()

    refused = sqlite_service.run("serve")

    assert refused.returncode == 1
    assert refused.stderr == (
        f"CommandError: cannot listen on 127.0.0.1 port {sqlite_service.port}: Address already in use; "
        "PURSER_HOST and PURSER_PORT choose another\n"
    )


def test_a_token_of_the_command_line_opens_what_its_scopes_say_until_it_is_revoked(sqlite_service: Service) -> None:
    sqlite_service.serve()
    token = sqlite_service.run("token", "create", "--name", "reader", "--scope", "jobs:read").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}

    def status(method: str, **body: Any) -> Any:
        return httpx.request(method, f"{sqlite_service.address}{JOBS}", headers=headers, **body).status_code

    assert status("GET") == 200
    assert status("POST", json={"command": ["true"]}) == 403
    assert sqlite_service.run("token", "revoke", token.split("_")[1]).returncode == 0
    assert status("GET") == 401
    assert "revoked" in sqlite_service.run("token", "list").stdout


def test_an_executor_that_is_configured_wrongly_stops_the_start_and_names_the_key(tmp_path: Path) -> None:
    with Service(tmp_path, PURSER_EXECUTORS='{"mock": {"OPTIONS": {"tiemout": 5}}}') as service:
        refused = service.run("check")

    assert refused.returncode == 1
    assert "unknown key 'tiemout'; did you mean 'timeout'?" in refused.stderr


def test_every_line_of_the_log_is_json_with_the_request_s_id(sqlite_service: Service) -> None:
    sqlite_service.serve()
    sqlite_service.client().get("/livez", headers={"X-Request-ID": "of-mine"})
    until(lambda: "of-mine" in sqlite_service.log("serve"), "the line about the request")

    lines = [json.loads(line) for line in sqlite_service.log("serve").splitlines()]
    assert any(line.get("request_id") == "of-mine" and line["status"] == 200 for line in lines)


def test_the_log_names_the_job_beside_the_request_that_launched_it_and_beside_each_call_of_its_engine(
    tmp_path: Path,
) -> None:
    with Service(tmp_path, PURSER_EXECUTORS='{"mock": {"OPTIONS": {"debug_mode": true}}}') as service:
        service.serve()
        client = service.client()
        headers = {"X-Request-ID": "of-mine", "Prefer": "wait=30"}
        job = client.post("/api/v1/executors/mock/jobs", json={"command": ["true"]}, headers=headers).json()
        client.delete(f"/api/v1/jobs/{job['id']}")
        calls = {"launch_job", "inspect", "cleanup"}
        until(
            lambda: calls <= {line.get("call") for line in lines_about(service, job["id"])}, "the calls of the engine"
        )

    assert any(line.get("request_id") == "of-mine" for line in lines_about(service, job["id"]))


def lines_about(service: Service, job_id: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in service.log("serve").splitlines() if line.endswith("}")]
    return [line for line in lines if line.get("job_id") == job_id]


def test_the_commands_are_there_from_the_checkout() -> None:
    assert (ROOT / "manage.py").stat().st_mode & 0o111
