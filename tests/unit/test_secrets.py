"""How a job's secrets are kept, until its end and no longer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pydantic import SecretStr

from container_manager import jobs, lifecycle, secrets, vault, webhooks
from container_manager.exceptions import (
    IdempotencyMismatch,
    InvalidJob,
    SecretUnavailable,
    SecretUnreadable,
    TooManySecrets,
    UnknownSecret,
)
from container_manager.executors.registry import executors
from container_manager.identifiers import uuid7
from container_manager.lifecycle import Outcome
from container_manager.models import IdempotencyKey, Job, StoredSecret, Webhook
from container_manager.spec import JobRequest
from container_manager.states import JobState, Reason

pytestmark = pytest.mark.django_db

VALUE = "hunter2-in-no-book"


@pytest.fixture(autouse=True)
def _sources(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("OPERATORS_TOKEN", "from a variable")
    sources = {
        "token": {"env": "OPERATORS_TOKEN", "namespaces": ["*"]},
        "key": {"file": str(tmp_path / "key"), "namespaces": ["default"]},
        "lost": {"file": str(tmp_path / "none"), "namespaces": ["default"]},
        "theirs": {"env": "OPERATORS_TOKEN", "namespaces": ["elsewhere"]},
    }
    mock = {"BACKEND": "container_manager.executors.mock.MockExecutor"}
    settings.EXECUTORS = {"mock": {**mock, "OPTIONS": {"secret_sources": sources, "state_dir": str(tmp_path)}}}
    yield
    executors.reset()


def request(*given: dict[str, Any], **fields: Any) -> JobRequest:
    return JobRequest.model_validate({"command": ["x"], "secrets": list(given), **fields})


def launch(*given: dict[str, Any], key: str | None = None, **fields: Any) -> Job:
    body = request(*given, **fields)
    found = jobs.launch("mock", body, namespace="default", describe=lambda job: job.request, idempotency_key=key)
    return Job.objects.get(pk=found.job.pk)


def given(job: Job) -> list[str]:
    job = Job.objects.get(pk=job.pk)
    job.attempt = 1
    return [secret.value for secret in executors["mock"].given_secrets(job.spec())]


def test_a_value_is_kept_encrypted_apart_from_the_request_and_given_to_the_job() -> None:
    job = launch({"name": "one", "value": VALUE}, {"name": "TWO", "kind": "env", "value": "zwei"})
    assert job.request["secrets"] == [{"name": "one"}, {"name": "TWO", "kind": "env"}]
    assert VALUE not in json.dumps(Job.objects.values().get(), default=str)
    assert given(job) == [VALUE, "zwei"]


def test_a_stored_secret_is_the_one_of_the_launch_request() -> None:
    secrets.put("default", "key", "old")
    job = launch({"name": "one", "stored": "key"})
    secrets.put("default", "key", "new")
    secrets.remove("default", "key")
    assert given(job) == ["old"]


def test_what_the_operator_provides_is_read_when_it_is_given() -> None:
    job = launch({"name": "a", "provided": "token"}, {"name": "b", "provided": "key"})
    assert job.secrets == ""
    assert given(job) == ["from a variable", "from a file\n"]


def test_what_the_operator_does_not_have_is_an_error_without_its_place() -> None:
    job = launch({"name": "a", "provided": "lost"})
    with pytest.raises(SecretUnavailable, match="secret 'lost' cannot be read: FileNotFoundError"):
        given(job)


@pytest.mark.parametrize("reason", [Reason.COMPLETED, Reason.CANCELLED])
def test_values_are_wiped_when_the_job_has_ended(reason: Reason) -> None:
    job = launch({"name": "one", "value": VALUE})
    state = JobState.SUCCEEDED if reason == Reason.COMPLETED else JobState.CANCELLED
    if state == JobState.SUCCEEDED:
        lifecycle.claim(job, uuid7())
    lifecycle.end(job.pk, Outcome(state, reason))
    assert Job.objects.get(pk=job.pk).secrets == ""


def test_values_are_kept_for_a_retry() -> None:
    job = launch({"name": "one", "value": VALUE})
    lifecycle.claim(job, uuid7())
    fence = Job.objects.get(pk=job.pk).fence
    lost = Outcome(JobState.FAILED, Reason.ENGINE_LOST)
    assert lifecycle.retry(job.pk, lost, fence=fence, not_before=timezone.now())
    assert given(job) == [VALUE]


def test_another_key_does_not_open_them(settings: Any) -> None:
    job = launch({"name": "one", "value": VALUE})
    settings.SECRET_KEY = "n" * 40
    with pytest.raises(SecretUnreadable):
        job.spec()


def test_everything_is_encrypted_anew_with_the_present_key(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    job, bare = launch({"name": "one", "value": VALUE}), launch()
    secrets.put("default", "key", VALUE)
    webhook, signing = webhooks.register("default", webhooks.WebhookRequest(url="https://example.org/"))
    webhooks.rotate(webhook, webhooks.Rotation())
    old, settings.SECRET_KEY = settings.SECRET_KEY, "n" * 40
    with pytest.raises(CommandError, match="PURSER_OLD_SECRET_KEYS"):
        call_command("reseal")
    settings.SECRET_KEY_FALLBACKS = [old]
    call_command("reseal")
    assert capsys.readouterr().out == "4 secrets are encrypted with the present key\n"
    settings.SECRET_KEY_FALLBACKS = []
    assert given(job) == [VALUE]
    assert Job.objects.get(pk=bare.pk).secrets == ""
    assert vault.open_sealed(StoredSecret.objects.get().value) == VALUE
    assert vault.open_sealed(Webhook.objects.get().old_secret) == signing


def test_the_same_key_with_another_value_is_another_request() -> None:
    job = launch({"name": "one", "value": VALUE}, key="k")
    assert launch({"name": "one", "value": VALUE}, key="k") == job
    with pytest.raises(IdempotencyMismatch):
        launch({"name": "one", "value": "another"}, key="k")


def test_what_is_remembered_of_a_key_needs_the_services_key_to_be_tried_out(settings: Any) -> None:
    launch({"name": "one", "value": VALUE}, key="k")
    known = IdempotencyKey.objects.get()
    assert VALUE not in known.response
    old, settings.SECRET_KEY = settings.SECRET_KEY, "n" * 40
    with pytest.raises(IdempotencyMismatch):
        launch({"name": "one", "value": VALUE}, key="k")
    settings.SECRET_KEY_FALLBACKS = [old]
    launch({"name": "one", "value": VALUE}, key="k")
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("secret", "field", "told"),
    [
        ({"name": "a"}, "secrets.0", "exactly one of value, stored and provided is needed; given are: none"),
        ({"name": "a", "value": "x", "provided": "token"}, "secrets.0", "given are: value, provided"),
        ({"name": "a", "stored": "nowhere"}, "secrets.0.stored", "the namespace has no secret 'nowhere'"),
        ({"name": "a", "provided": "nowhere"}, "secrets.0.provided", "is not provided for this namespace"),
        ({"name": "a", "provided": "theirs"}, "secrets.0.provided", "is not provided for this namespace"),
        ({"name": "a-b", "kind": "env", "value": "x"}, "secrets.0.name", "a variable's name is"),
        ({"name": "a", "kind": "env", "target": "1", "value": "x"}, "secrets.0.target", "a variable's name is"),
        ({"name": "a", "target": "relative", "value": "x"}, "secrets.0.target", "must be an absolute path"),
        ({"name": "a", "target": "/etc/../x", "value": "x"}, "secrets.0.target", "must be an absolute path"),
        ({"name": "a", "target": "//", "value": "x"}, "secrets.0.target", "must be an absolute path"),
        ({"name": "a", "target": "/scratch/", "value": "x"}, "secrets.0.target", "the place of something else"),
        ({"name": "LANG", "kind": "env", "value": "x"}, "secrets.0.target", "the place of something else"),
    ],
)
def test_what_is_wrong_with_a_secret_is_named(secret: dict[str, Any], field: str, told: str) -> None:
    body = request(secret, env={"LANG": "C"}, tmpfs=[{"target": "/scratch"}])
    found = [(error.field, error.detail) for error in jobs.violations("mock", body, "default")]
    assert [(where, told in detail) for where, detail in found] == [(field, True)], found
    with pytest.raises(InvalidJob):
        launch(secret, env={"LANG": "C"}, tmpfs=[{"target": "/scratch"}])


def test_two_secrets_have_two_places() -> None:
    body = request({"name": "a", "value": "x"}, {"name": "b", "target": "/run/secrets//a", "value": "x"})
    assert [error.code for error in jobs.violations("mock", body)] == ["duplicate", "duplicate"]


def test_a_value_shows_in_no_text_of_a_request() -> None:
    body = request({"name": "a", "value": VALUE})
    for text in (repr(body), str(body), body.model_dump_json(), repr(executors["mock"])):
        assert VALUE not in text
    assert body.secrets[0].value == SecretStr(VALUE)


def test_stored_secrets_are_bounded_and_of_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "MOST", 2)
    for name in ("a", "b"):
        secrets.put("default", name, VALUE)
    with pytest.raises(TooManySecrets):
        secrets.put("default", "c", VALUE)
    secrets.put("default", "a", "new")
    assert [secret.name for secret in secrets.listed("default")] == ["a", "b"]
    assert secrets.listed("elsewhere") == []
    with pytest.raises(UnknownSecret):
        secrets.remove("elsewhere", "a")
