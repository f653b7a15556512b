"""What is read most: status, lists and logs, in as few queries as there can be, and not sent again to who has it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from container_manager import lifecycle, recall, tokens
from container_manager.lifecycle import Outcome
from container_manager.models import Attempt, Job, Token
from container_manager.states import JobState, Reason
from container_manager.tokens import Scope
from tests.api.conftest import client_with
from tests.factories import AttemptFactory, ContainerJobFactory

pytestmark = pytest.mark.django_db

Change = Callable[[str], Any]
SUCCEEDED = Outcome(JobState.SUCCEEDED, Reason.COMPLETED, {"exit_code": 0}, exit_code=0)


@pytest.fixture
def job(db: None) -> Job:
    found: Job = AttemptFactory.create().job
    return found


@pytest.fixture
def logged(job: Job, write_log: Callable[..., Any]) -> Job:
    write_log(job, ("stdout", b"hello\n"), finish=False)
    return job


@pytest.fixture(params=["/api/v1/jobs/{}", "/api/v1/jobs", "/api/v1/jobs/{}/logs"], ids=["status", "list", "logs"])
def path(request: pytest.FixtureRequest, logged: Job) -> str:
    """Each hot read, of a job that runs and has written a line."""
    return str(request.param).format(logged.pk)


@pytest.mark.parametrize(
    ("path", "most"), [("/api/v1/jobs/{}", 1), ("/api/v1/jobs/{}/logs", 1), ("/api/v1/jobs", 2)], indirect=["path"]
)
def test_a_hot_read_is_one_query_and_a_list_one_more_for_its_attempts(
    client: Client, path: str, most: int, django_assert_num_queries: Any
) -> None:
    client.get(path)

    with django_assert_num_queries(most):
        assert client.get(path).status_code == 200


def test_the_attempts_of_a_page_are_one_query_however_many_there_are(
    client: Client, django_assert_num_queries: Any
) -> None:
    AttemptFactory.create_batch(20)
    client.get("/api/v1/jobs")

    with django_assert_num_queries(2):
        assert len(client.get("/api/v1/jobs").json()["results"]) == 20


def test_a_job_is_shown_with_all_its_attempts_in_their_order(client: Client, job: Job) -> None:
    for number in (3, 2):
        AttemptFactory.create(job=job, number=number)
    Job.objects.filter(pk=job.pk).update(attempt=3)

    [listed] = client.get("/api/v1/jobs").json()["results"]
    assert [attempt["number"] for attempt in listed["attempts"]] == [1, 2, 3]
    assert client.get(f"/api/v1/jobs/{job.pk}").json() == listed


def test_who_has_the_answer_is_told_that_it_is_still_so(client: Client, path: str) -> None:
    first = client.get(path)
    second = client.get(path, headers={"If-None-Match": first["ETag"]})

    assert (second.status_code, second.content, second["ETag"]) == (304, b"", first["ETag"])
    assert "RateLimit" in second
    assert "Content-Type" not in second


@pytest.mark.parametrize("form", ['"other", {}', "W/{}", "*"])
def test_a_tag_may_be_one_of_several_weak_or_any(client: Client, path: str, form: str) -> None:
    tag = client.get(path)["ETag"]

    assert client.get(path, headers={"If-None-Match": form.format(tag)}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_every_change_of_a_job_changes_its_tag(client: Client, job: Job) -> None:
    """Those of an attempt, and of what waits, are not counted in the job's version."""
    changes: list[Callable[[], Any]] = [
        lambda: Attempt.objects.filter(job=job).update(pulling_at=timezone.now()),
        lambda: lifecycle.note(Job.objects.filter(pk=job.pk), stale_since=timezone.now()),
        lambda: lifecycle.end(job.pk, SUCCEEDED),
        lambda: lifecycle.attempt_cleaned(job.pk, 1, 0.1),
    ]
    seen = [client.get(f"/api/v1/jobs/{job.pk}")["ETag"]]
    for change in changes:
        change()
        answer = client.get(f"/api/v1/jobs/{job.pk}", headers={"If-None-Match": seen[-1]})
        assert answer.status_code == 200
        seen.append(answer["ETag"])

    assert len(set(seen)) == len(changes) + 1


def test_a_place_in_the_queue_that_moves_changes_the_tag(client: Client) -> None:
    first, second = ContainerJobFactory.create(), ContainerJobFactory.create()
    tag = client.get(f"/api/v1/jobs/{second.pk}")["ETag"]
    lifecycle.end(first.pk, Outcome(JobState.CANCELLED, Reason.CANCELLED))

    answer = client.get(f"/api/v1/jobs/{second.pk}", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["waiting"]["position"]) == (200, 1)


def test_a_line_more_changes_the_tag_of_a_log(client: Client, job: Job, write_log: Callable[..., Any]) -> None:
    writer = write_log(job, ("stdout", b"one\n"), finish=False)
    tag = client.get(f"/api/v1/jobs/{job.pk}/logs")["ETag"]
    writer.write("stdout", b"two\n", None)
    writer.finish()

    answer = client.get(f"/api/v1/jobs/{job.pk}/logs", headers={"If-None-Match": tag})
    assert (answer.status_code, len(answer.json()["lines"])) == (200, 2)


def test_a_wait_in_vain_is_answered_with_304_to_who_has_it(client: Client, job: Job) -> None:
    tag = client.get(f"/api/v1/jobs/{job.pk}")["ETag"]
    answer = client.get(f"/api/v1/jobs/{job.pk}?wait=0.1", headers={"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert "Content-Type" not in answer


@pytest.mark.django_db(transaction=True)
def test_an_answer_of_304_has_no_body_and_no_length_and_keeps_the_connection(http: httpx.Client) -> None:
    path = f"/api/v1/jobs/{AttemptFactory.create().job.pk}"
    tag = http.get(path).headers["ETag"]
    answers = [http.get(path, headers={"If-None-Match": tag}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [304, 304]
    assert "content-length" not in answers[0].headers
    assert "connection" not in answers[0].headers


def _changes() -> dict[str, tuple[Change, int]]:
    """What may become of a token behind this process's back, and what its next read is answered with."""

    def update(**columns: Any) -> Change:
        return lambda token: Token.objects.filter(pk=token).update(**columns)

    return {
        "revoked": (tokens.revoke, 401),
        "rotated": (tokens.rotate, 401),
        "deleted": (lambda token: Token.objects.filter(pk=token).delete(), 401),
        "expired": (update(expires_at=timezone.now() - timedelta(seconds=1)), 401),
        "narrowed": (update(scopes=[Scope.METRICS_READ]), 403),
        "limited": (update(rate_limit="1/3600"), 200),
    }


@pytest.mark.parametrize("change", _changes())
def test_a_change_of_a_token_holds_for_the_very_next_read(client: Client, path: str, token: str, change: str) -> None:
    assert client.get(path).status_code == client.get(path).status_code == 200
    act, status = _changes()[change]
    act(token.split("_")[1])

    assert client.get(path).status_code == status
    assert client.get(path).status_code == (429 if change == "limited" else status)


@pytest.mark.parametrize("query", ["/api/v1/jobs?limit=no", "/api/v1/jobs/1", "/api/v1/jobs?executor=none"])
def test_what_is_refused_before_anything_is_read_is_refused_for_the_token_first(
    client: Client, token: str, query: str
) -> None:
    client.get("/api/v1/jobs")
    assert client.get(query).status_code in (404, 422)
    tokens.revoke(token.split("_")[1])

    assert client.get(query).status_code == 401


def test_a_scope_that_a_token_is_given_opens_at_once(job: Job) -> None:
    token, text = tokens.create(namespace="default", name="test", scopes=[Scope.METRICS_READ])
    client = client_with(text)
    assert client.get("/api/v1/jobs").status_code == 403
    Token.objects.filter(pk=token.pk).update(scopes=[Scope.JOBS_READ])

    assert client.get("/api/v1/jobs").status_code == 200


def test_the_secret_before_a_rotation_opens_for_its_time_and_no_longer(client: Client, token: str) -> None:
    client.get("/api/v1/jobs")
    tokens.rotate(token.split("_")[1], overlap_seconds=60)
    assert client.get("/api/v1/jobs").status_code == 200
    Token.objects.update(previous_expires_at=timezone.now())

    assert client.get("/api/v1/jobs").status_code == 401


def test_a_wrong_secret_opens_nothing_where_the_right_one_is_remembered(client: Client, token: str) -> None:
    client.get("/api/v1/jobs")

    assert client_with(token[:-64] + "0" * 64).get("/api/v1/jobs").status_code == 401
    assert client.get("/api/v1/jobs").status_code == 200


def test_a_read_is_charged_once_also_when_the_token_has_changed(client: Client, token: str) -> None:
    def left(answer: Any) -> int:
        return int(answer["RateLimit"].split("r=")[1].split(";")[0])

    before = left(client.get("/api/v1/jobs"))
    Token.objects.update(name="renamed")

    assert left(client.get("/api/v1/jobs")) == before - 1


def test_only_so_many_tokens_are_remembered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "_MOST_TOKENS", 2)
    others = [tokens.create(namespace="default", name="test", scopes=tuple(Scope))[1] for _ in range(3)]
    for text in others:
        assert client_with(text).get("/api/v1/jobs").status_code == 200

    assert client.get("/api/v1/jobs").status_code == 200
    assert len(recall._memory) <= 2
