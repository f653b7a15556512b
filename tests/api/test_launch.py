"""POST /api/v1/executors/{executor}/jobs."""

from typing import Any

import pytest
from django.test import Client

from container_manager import namespaces
from container_manager.models import Job
from tests.api.conftest import launch

BODY = {"command": ["echo", "hello"], "labels": {"team": "a"}, "memory_mib": 64, "cpu_cores": 0.5}


def test_a_launch_is_accepted_with_the_job_and_where_it_is(client: Client) -> None:
    answer = launch(client, BODY)

    assert answer.status_code == 202
    document = answer.json()
    assert answer["Location"] == f"/api/v1/jobs/{document['id']}" == document["links"]["self"]
    assert document["state"] == "queued"
    assert document["request"] == BODY


def test_a_launch_puts_the_job_on_record_for_the_tokens_namespace(client: Client) -> None:
    document = launch(client, BODY).json()

    job = Job.objects.get()
    assert (str(job.pk), job.namespace, job.executor) == (document["id"], "default", "mock")
    assert (job.memory_mib, job.cpu_millis, job.labels) == (64, 500, {"team": "a"})


def test_what_is_left_out_takes_the_executors_defaults(client: Client) -> None:
    document = launch(client, {"command": ["true"]}).json()

    assert (document["memory_mib"], document["cpu_cores"], document["timeout_seconds"]) == (256, 1.0, 300)


def test_times_are_in_utc_and_end_in_z(client: Client) -> None:
    document = launch(client, BODY).json()

    assert document["created_at"].endswith("Z")
    assert document["started_at"] is None


def test_a_repeat_with_the_same_key_gets_the_first_answer_and_launches_nothing(client: Client) -> None:
    first = launch(client, BODY, **{"Idempotency-Key": "k1"})
    second = launch(client, BODY, **{"Idempotency-Key": "k1"})

    assert second.json() == first.json()
    assert (first.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")
    assert second["Location"] == first["Location"]
    assert Job.objects.count() == 1


def test_a_key_with_another_request_is_refused(client: Client) -> None:
    launch(client, BODY, **{"Idempotency-Key": "k1"})
    answer = launch(client, {"command": ["false"]}, **{"Idempotency-Key": "k1"})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert answer.json()["errors"][0]["header"] == "Idempotency-Key"


def test_a_key_that_is_not_visible_ascii_is_refused(client: Client) -> None:
    answer = launch(client, BODY, **{"Idempotency-Key": "k" * 256})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")


def test_a_full_queue_says_when_to_try_again(client: Client, settings: Any) -> None:
    settings.PURSER = settings.PURSER.model_copy(update={"max_queued": 1})
    launch(client, BODY)
    answer = launch(client, BODY)

    assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
    assert int(answer["Retry-After"]) > 0


def test_a_full_queue_of_the_namespace_says_when_to_try_again(client: Client) -> None:
    namespaces.set_quotas("default", max_queued=1)
    launch(client, BODY)
    answer = launch(client, BODY)

    assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
    assert int(answer["Retry-After"]) > 0


def test_what_is_over_the_namespaces_quota_is_refused_with_the_numbers(client: Client) -> None:
    namespaces.set_quotas("default", max_memory_mib=100)
    answer = launch(client, {**BODY, "memory_mib": 101})

    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [
            {
                "pointer": "/memory_mib",
                "code": "too_large",
                "detail": "101 MiB is asked; the quota of the namespace is 100 MiB",
            }
        ],
    )


def test_every_wrong_field_is_named_at_once(client: Client) -> None:
    body = {"memory_mib": -1, "cpu_cores": 3, "env": {"A": "\x00"}, "colour": "red", "mounts": [], "stdin": "x"}
    answer = launch(client, {**body, "command": ["true"]})

    named = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert set(named) == {"/memory_mib", "/cpu_cores", "/env/A", "/colour", "/stdin"}
    assert "greater than or equal to 1" in named["/memory_mib"]
    assert "-1" in named["/memory_mib"]
    assert "at most 2" in named["/cpu_cores"]
    assert answer.json()["detail"] == "; ".join(f"{place}: {detail}" for place, detail in named.items())


def test_a_wrong_environment_value_is_not_repeated_in_the_answer(client: Client) -> None:
    answer = launch(client, {"command": ["true"], "env": {"PASSWORD": ["hunter2"]}})

    assert answer.status_code == 422
    assert b"hunter2" not in answer.content


def test_an_unknown_field_is_told_with_the_nearest_right_one(client: Client) -> None:
    answer = launch(client, {"command": ["true"], "memory_mb": 64})

    assert "did you mean memory_mib?" in answer.json()["errors"][0]["detail"]


def test_an_unknown_executor_is_told_before_the_body_is_looked_at(client: Client) -> None:
    answer = launch(client, "{", executor="nowhere")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_executor")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"command": [}', "line 1, column 14"),
        ('{\n"a": NaN}', "line 2"),
        ('{"a": 1, "a": 2}', "'a' is given twice"),
        ("[]", "an array"),
    ],
)
def test_a_broken_body_is_told_with_its_place(client: Client, text: str, place: str) -> None:
    answer = launch(client, text)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert place in answer.json()["detail"]
