"""POST /api/v1/executors/{executor}/jobs?dry_run=true."""

from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from pydantic import TypeAdapter

from api.schemas.jobs import DryRun
from container_manager import namespaces
from container_manager.executors.docker import DockerExecutor
from container_manager.executors.docker_engine.request import container_request
from container_manager.executors.mock import MockExecutor
from container_manager.executors.process import ProcessExecutor
from container_manager.executors.registry import executors
from container_manager.identifiers import uuid7
from container_manager.models import Capacity, Job
from container_manager.spec import JobSpec
from tests.api.conftest import launch
from tests.factories import ContainerJobFactory

PATH = "/api/v1/executors/{}/jobs?dry_run=true"


def rehearse(client: Client, body: dict[str, Any], executor: str = "mock", **headers: str) -> Any:
    return client.post(PATH.format(executor), data=body, content_type="application/json", headers=headers)


def rehearsed(client: Client, body: dict[str, Any], executor: str = "mock") -> Any:
    answer = rehearse(client, body, executor)
    assert answer.status_code == 200, answer.content
    TypeAdapter(DryRun).validate_json(answer.content)
    return answer.json()


def rows() -> dict[str, list[Any]]:
    """Everything that is on record, but when the token was last used."""
    models = apps.get_app_config("container_manager").get_models()
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in models
        if model.__name__ not in ("Token", "AuditEntry")
    }


@pytest.fixture
def engines(settings: Any, tmp_path: Any) -> None:
    backend = "container_manager.executors."
    settings.EXECUTORS = {
        **settings.EXECUTORS,
        "docker": {
            "BACKEND": backend + "docker.DockerExecutor",
            "OPTIONS": {
                "base_url": f"unix://{tmp_path}/none.sock",
                "instance": "i1",
                "max_pids_limit": 100,
                "default_pids_limit": 50,
            },
        },
        "process": {
            "BACKEND": backend + "process.ProcessExecutor",
            "OPTIONS": {"state_dir": str(tmp_path / "process"), "sandbox": "none"},
        },
    }


def test_what_a_launch_would_do_is_answered_with_its_defaults(client: Client) -> None:
    found = rehearsed(client, {"command": ["true"], "cpu_cores": 0.5, "queue_timeout_seconds": 9})

    effective = found["effective"]
    assert (effective["memory_mib"], effective["cpu_cores"], effective["timeout_seconds"]) == (256, 0.5, 300)
    assert (effective["queue_timeout_seconds"], effective["priority"]) == (9, 0)
    assert effective["retry_on"] == ["engine_lost", "image_pull_failed", "launch_error"]
    assert "memory_mib" in found["defaulted"] and "cpu_cores" not in found["defaulted"]
    assert (found["limits"]["max_memory_mib"], found["policy"]["isolation"]) == (1024, "simulated")


def test_nothing_is_written(client: Client) -> None:
    ContainerJobFactory.create()
    launch(client, {"command": ["true"], "labels": {"a": "b"}}, **{"Idempotency-Key": "k0"})
    before = rows()
    body = {"command": ["true"], "labels": {"team": "a"}}
    for executor in ("mock", "other"):
        assert rehearse(client, body, executor, **{"Idempotency-Key": "k1", "Prefer": "wait=5"}).status_code == 200
    assert rehearse(client, {"memory_mib": 0}).status_code == 422

    assert rows() == before


def test_every_violated_field_is_told_at_once(client: Client) -> None:
    namespaces.set_quotas("default", max_cpu_millis=500)
    body = {
        "command": 5, "memory_mib": 4096, "cpu_cores": 1, "stdin": "x", "network": "host", "colour": "red",
        "timeout_seconds": -1, "scenario": {"exit_code": 999},
    }  # fmt: skip
    answer = rehearse(client, body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_job")
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/command", "/memory_mib", "/cpu_cores", "/stdin", "/network", "/colour", "/timeout_seconds",
        "/scenario/exit_code",
    }  # fmt: skip


@pytest.mark.usefixtures("engines")
def test_what_the_executors_policy_refuses_is_told_at_once(client: Client) -> None:
    body = {
        "image": "Bad Image", "memory_mib": 1, "pids_limit": 101, "network": "host", "registry_auth": "nobody",
        "mounts": [{"type": "bind", "source": "/etc", "target": "/data"}], "command": [],
    }  # fmt: skip
    answer = rehearse(client, body, "docker")

    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/image", "/memory_mib", "/pids_limit", "/network", "/registry_auth", "/mounts/0/source", "/command",
    }  # fmt: skip


@pytest.mark.parametrize("body", [{"memory_mib": 4096}, {"memory_mib": 4096, "command": [""]}])
def test_a_request_without_a_program_is_told_what_else_is_wrong(client: Client, body: dict[str, Any]) -> None:
    answer = rehearse(client, body)

    assert "/memory_mib" in {error["pointer"] for error in answer.json()["errors"]}


def test_a_job_that_would_wait_is_told_why(client: Client) -> None:
    Capacity.objects.create(executor="mock", memory_used=1000, memory_total=1024)
    ContainerJobFactory.create()
    found = rehearsed(client, {"command": ["true"], "memory_mib": 64})

    assert found["queued"] is True
    assert (found["waiting"]["code"], found["waiting"]["position"]) == ("capacity", 2)
    assert found["waiting"]["memory_mib"] == {"asked": 64, "free": 24}


def test_a_full_queue_is_answered_as_a_launch_would_be(client: Client, settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"max_queued": 1})
    ContainerJobFactory.create()

    assert rehearse(client, {"command": ["true"]}).status_code == 429


def test_an_unknown_executor_is_not_found(client: Client) -> None:
    assert rehearse(client, {"command": ["true"]}, "nowhere").status_code == 404


@pytest.mark.usefixtures("engines")
def test_secrets_are_not_repeated(client: Client) -> None:
    secrets = [{"name": "TOKEN", "value": "hunter4", "kind": "env"}, {"name": "key", "value": "hunter5"}]
    body = {
        "image": "busybox:1",
        "command": ["true"],
        "env": {"PASSWORD": "hunter2"},
        "stdin": "hunter3",
        "secrets": secrets,
    }
    answer = rehearse(client, body, "docker")

    assert answer.status_code == 200, answer.content
    assert answer.json()["effective"]["env"] == {"PASSWORD": "***"}
    assert answer.json()["engine_request"]["body"]["Env"] == ["PASSWORD=***", "TOKEN=***"]
    (mount,) = answer.json()["engine_request"]["body"]["HostConfig"]["Mounts"]
    assert (mount["Target"], mount["ReadOnly"]) == ("/run/secrets/key", True)
    assert b"hunter" not in answer.content


@pytest.mark.usefixtures("engines")
def test_docker_is_described_by_the_body_that_it_would_be_sent(client: Client) -> None:
    found = rehearsed(client, {"image": "busybox:1", "command": ["true"], "memory_mib": 64}, "docker")["engine_request"]

    assert found["path"].startswith("/containers/create?name=purser-")
    assert (found["body"]["Image"], found["body"]["HostConfig"]["Memory"]) == ("busybox:1", 64 * 1024**2)
    docker = executors["docker"]
    assert isinstance(docker, DockerExecutor)
    spec = JobSpec(**SPEC, image="busybox:1")
    assert docker.describe_launch(spec)["body"] == container_request(spec, docker.options, "docker")


@pytest.mark.usefixtures("engines")
def test_process_is_described_by_its_command_line(client: Client) -> None:
    found = rehearsed(client, {"command": ["echo", "hello"]}, "process")["engine_request"]

    assert isinstance(executors["process"], ProcessExecutor)
    assert found["command_line"] == ["echo", "hello"]
    assert found["env"]["LANG"] == "C.UTF-8"


def test_mock_is_described_by_its_script(client: Client) -> None:
    found = rehearsed(client, {"command": ["true"], "scenario": {"exit_code": 3}})

    assert isinstance(executors["mock"], MockExecutor)
    assert found["engine_request"] == {"script": {"exit_code": 3}}


def given(effective: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in effective.items() if value not in (None, [], {})}


def test_what_is_rehearsed_can_be_launched(client: Client) -> None:
    effective = rehearsed(client, {"command": ["true"]})["effective"]
    answer = launch(client, given(effective))

    assert answer.status_code == 202, answer.content
    assert Job.objects.get().timeout_seconds == effective["timeout_seconds"]


@pytest.mark.usefixtures("engines")
@pytest.mark.parametrize(
    ("executor", "filled"),
    [
        ("docker", {"pull_policy": "missing", "pids_limit": 50, "tmp_size_mib": 64, "network": "none",
                    "read_only_root": False}),
        ("process", {"working_dir": "/tmp", "network": "host"}),
    ],
)  # fmt: skip
def test_the_executors_own_defaults_are_filled_in_and_it_honours_them(
    client: Client, executor: str, filled: dict[str, Any]
) -> None:
    body = {"image": "busybox:1", "command": ["true"]} if executor == "docker" else {"command": ["true"]}
    found = rehearsed(client, body, executor)

    assert {name: found["effective"][name] for name in filled} == filled
    assert filled.keys() <= set(found["defaulted"])
    again = rehearsed(client, given(found["effective"]), executor)
    assert (again["effective"], again["defaulted"]) == (found["effective"], [])


@pytest.mark.usefixtures("engines")
def test_what_is_asked_for_as_tmp_leaves_no_default_for_it(client: Client) -> None:
    body = {"image": "busybox:1", "command": ["true"], "tmpfs": [{"target": "/tmp", "size_mib": 8}]}
    found = rehearsed(client, body, "docker")

    assert found["effective"]["tmp_size_mib"] is None
    assert found["engine_request"]["body"]["HostConfig"]["Tmpfs"] == {"/tmp": "rw,exec,nosuid,nodev,mode=1777,size=8m"}


SPEC: dict[str, Any] = {
    "id": uuid7(), "attempt": 1, "namespace": "default", "command": ["true"], "memory_mib": 64, "cpu_cores": 1.0,
    "timeout_seconds": 60.0, "grace_seconds": 5.0,
}  # fmt: skip


def test_a_key_that_could_not_be_used_is_refused_as_at_a_launch(client: Client) -> None:
    answer = rehearse(client, {"command": ["true"]}, **{"Idempotency-Key": "not visible"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
