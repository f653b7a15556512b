"""GET …/jobs/{job}/explain."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pydantic import TypeAdapter

from api.schemas.jobs import Explanation
from container_manager import explanation, lifecycle
from container_manager.breaker import DatabaseBreaker
from container_manager.circuit import Rule
from container_manager.identifiers import uuid7
from container_manager.lifecycle import Outcome
from container_manager.models import Capacity, Job, Namespace
from container_manager.states import JobState, Reason
from tests.api.conftest import launch
from tests.factories import AttemptFactory, ContainerJobFactory

HOLDS = {"capacity", "quota", "queue", "backoff", "breaker", "executor"}
ACTIVITIES = {"launching", "running", "stopping", "stale"}
EVIDENCE: dict[Reason, dict[str, Any]] = {
    Reason.SIGNAL: {"signal": "SIGKILL"},
    Reason.QUEUE_TIMEOUT: {"queue_timeout_seconds": 5, "waited_seconds": 5.1},
    Reason.IMAGE_NOT_FOUND: {"error": "no such image: busybox:nowhere"},
}


def explain(client: Client, job: Job | str) -> Any:
    answer = client.get(f"/api/v1/jobs/{job if isinstance(job, str) else job.pk}/explain")
    assert answer.status_code == 200, answer.content
    TypeAdapter(Explanation).validate_json(answer.content)
    return answer.json()


def test_every_reason_and_every_other_code_has_a_hint() -> None:
    assert set(explanation.HINTS) == set(Reason) | HOLDS | ACTIVITIES


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained_in_one_shape(client: Client, reason: Reason) -> None:
    states = {Reason.COMPLETED: "succeeded", Reason.CANCELLED: "cancelled"}
    job = ContainerJobFactory.create(
        ended=True, state=states.get(reason, "failed"), reason=reason, exit_code=3, evidence=EVIDENCE.get(reason, {}),
        request={"command": ["true"], "queue_timeout_seconds": 5},
    )  # fmt: skip
    found = explain(client, job)

    assert (found["code"], found["state"]) == (reason, job.state)
    assert found["hint"] == explanation.HINTS[reason]
    assert found["sentence"].endswith(".") and "{" not in found["sentence"] and "?" not in found["sentence"]


def test_an_end_comes_with_what_it_rests_on_and_what_led_there(client: Client) -> None:
    attempt = AttemptFactory.create(
        queued_seconds=2.0, pull_seconds=1.5, launching_at=timezone.now() - timedelta(seconds=3)
    )
    usage = {"peak_memory_bytes": 64 * 1024**2}
    lifecycle.end(attempt.job.pk, Outcome(JobState.FAILED, Reason.OOM, {"memory_mib": 64}, 137, usage=usage))
    lifecycle.attempt_cleaned(attempt.job.pk, 1, 0.25)
    found = explain(client, attempt.job)

    assert found["sentence"] == "The kernel killed it at its memory limit of 64 MiB."
    assert (found["evidence"]["exit_code"], found["evidence"]["peak_memory_bytes"]) == (137, 64 * 1024**2)
    phases = [(moment["phase"], moment["attempt"]) for moment in found["timeline"]]
    assert phases == [(phase, 1) for phase in ("queued", "pulling", "launching", "ended", "cleanup")]
    assert [moment["seconds"] for moment in found["timeline"]][:2] == [2.0, 1.5]
    assert found["timeline"][-2]["reason"] == "oom"


def test_a_refused_launch_is_told_in_the_engines_words(client: Client) -> None:
    job = ContainerJobFactory.create(
        ended=True, state="failed", reason="launch_refused", exit_code=None, evidence={"error": "no such user: bob"}
    )
    found = explain(client, job)

    assert found["sentence"] == "The engine refused the request: no such user: bob."
    assert found["evidence"]["engine"] == "no such user: bob"


def test_a_job_that_waits_for_room_says_how_much_is_missing(client: Client) -> None:
    Capacity.objects.create(executor="mock", memory_used=1000, memory_total=1024)
    found = explain(client, ContainerJobFactory.create())

    assert found["code"] == "capacity"
    assert found["evidence"]["short_of"] == {"memory_mib": {"asked": 64, "free": 24}}
    assert found["evidence"]["position"] == 1
    assert [(moment["phase"], moment["seconds"]) for moment in found["timeline"]] == [("queued", None)]


def test_a_job_over_its_namespaces_quota_says_so(client: Client) -> None:
    Namespace.objects.create(name="default", max_jobs=1, jobs_used=1)
    found = explain(client, ContainerJobFactory.create())

    assert (found["code"], found["evidence"]["short_of"]) == ("quota", {"jobs": {"asked": 1, "free": 0}})


def test_a_job_behind_an_open_breaker_says_what_failed(client: Client) -> None:
    rule = Rule(1, timedelta(minutes=1))
    DatabaseBreaker("mock").change(lambda circuit: circuit.launch_failed("launch_error", rule, timezone.now()))
    found = explain(client, ContainerJobFactory.create())

    assert found["code"] == "breaker"
    breaker = found["evidence"]["breaker"]
    assert (breaker["state"], breaker["failures"], breaker["causes"]) == ("open", 1, ["launch_error"])


def test_a_retry_says_which_attempt_failed_why_and_when_it_goes_on(client: Client) -> None:
    attempt = AttemptFactory.create(job__max_retries=3)
    soon = timezone.now() + timedelta(minutes=1)
    lost = Outcome(JobState.FAILED, Reason.ENGINE_LOST, {"error": "gone"})
    lifecycle.retry(attempt.job.pk, lost, fence=0, not_before=soon)
    found = explain(client, attempt.job)

    backoff = found["evidence"]["backoff"]
    assert (found["code"], found["evidence"]["engine"]) == ("backoff", "gone")
    assert (backoff["attempt"], backoff["reason"], backoff["attempts_left"]) == (1, "engine_lost", 3)
    assert [(moment["phase"], moment["attempt"]) for moment in found["timeline"]][-1] == ("queued", 2)


def test_a_job_that_ended_while_it_waited_for_a_retry_shows_that_end_last(client: Client) -> None:
    attempt = AttemptFactory.create(job__max_retries=3)
    lost = Outcome(JobState.FAILED, Reason.ENGINE_LOST)
    lifecycle.retry(attempt.job.pk, lost, fence=0, not_before=timezone.now() + timedelta(minutes=1))
    lifecycle.end(attempt.job.pk, Outcome(JobState.CANCELLED, Reason.CANCELLED))
    last = explain(client, attempt.job)["timeline"][-1]

    assert (last["phase"], last["attempt"], last["reason"]) == ("ended", 2, "cancelled")


def test_who_cancelled_a_job_is_told(client: Client) -> None:
    waiting = launch(client, {"command": ["true"]}).json()["id"]
    running = AttemptFactory.create().job
    for job in (waiting, running.pk):
        client.post(f"/api/v1/jobs/{job}/cancel", content_type="application/json")

    ended, stopping = explain(client, waiting), explain(client, running)
    assert (ended["code"], stopping["code"]) == ("cancelled", "stopping")
    assert ended["evidence"]["cancel"]["by"].endswith(" test")
    assert stopping["evidence"]["cancel"]["by"] == ended["evidence"]["cancel"]["by"]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({}, "running"),
        ({"state": "launching"}, "launching"),
        ({"stale_since": timezone.now()}, "stale"),
        ({"timed_out_at": timezone.now()}, "stopping"),
    ],
)
def test_a_job_that_is_active_says_what_it_does(client: Client, columns: dict[str, Any], code: str) -> None:
    job = AttemptFactory.create().job
    Job.objects.filter(pk=job.pk).update(**columns)

    assert explain(client, job)["code"] == code


def test_an_explanation_stands_under_the_executor_too_and_nowhere_else(client: Client) -> None:
    job = ContainerJobFactory.create(ended=True)
    path = f"jobs/{job.pk}/explain"

    assert client.get(f"/api/v1/executors/mock/{path}").json() == client.get(f"/api/v1/{path}").json()
    assert client.get(f"/api/v1/executors/other/{path}").status_code == 404
    assert client.get(f"/api/v1/jobs/{uuid7()}/explain").status_code == 404


def test_another_namespaces_job_is_not_explained(client: Client) -> None:
    job = ContainerJobFactory.create(namespace="elsewhere")

    assert client.get(f"/api/v1/jobs/{job.pk}/explain").status_code == 404


@pytest.mark.parametrize("ended", [False, True])
def test_which_way_a_launch_took_and_why_not_a_faster_one_is_told(client: Client, ended: bool) -> None:
    way = {"launch_path": "cold", "launch_path_detail": "no prepared network was free"}
    job = AttemptFactory.create(**way).job
    if ended:
        lifecycle.end(job.pk, Outcome(JobState.SUCCEEDED, Reason.COMPLETED, exit_code=0))

    assert explain(client, job)["evidence"].items() >= way.items()
    assert client.get(f"/api/v1/jobs/{job.pk}").json()["attempts"][0].items() >= way.items()


def test_an_executor_that_has_one_way_only_tells_none(client: Client) -> None:
    evidence = explain(client, AttemptFactory.create().job)["evidence"]

    assert (evidence["launch_path"], evidence["launch_path_detail"]) == (None, None)
