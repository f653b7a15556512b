"""The circuit breaker that all dispatchers share."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from container_manager import breaker, jobs, reports
from container_manager.breaker import DatabaseBreaker
from container_manager.circuit import Circuit, Rule
from container_manager.dispatcher.claim import claim
from container_manager.executors.mock import MockExecutor
from container_manager.identifiers import uuid7
from container_manager.ledger import DatabaseLedger
from container_manager.models import Breaker, Job
from container_manager.spec import JobRequest

pytestmark = pytest.mark.django_db


SHARED = DatabaseBreaker("mock")


def fail(times: int) -> None:
    for _ in range(times):
        SHARED.change(
            lambda circuit: circuit.launch_failed("launch_error", Rule(3, timedelta(minutes=1)), timezone.now())
        )


def succeed() -> None:
    SHARED.change(Circuit.launch_succeeded)


def cool_down() -> None:
    Breaker.objects.update(until=timezone.now())


def launch() -> Job:
    return jobs.launch("mock", JobRequest(command=["x"]), namespace="a", describe=lambda job: {}).job


def take(**options: Any) -> int:
    mock = MockExecutor({"default_cpu": 0.1, **options}, name="mock", ledger=DatabaseLedger("mock"), breaker=SHARED)
    return len(list(claim(mock, uuid7(), 5)))


def test_it_opens_after_failures_in_a_row_and_a_success_closes_it() -> None:
    fail(2)
    assert breaker.find("mock").state == "closed"
    succeed()
    fail(2)
    assert breaker.find("mock").state == "closed"
    fail(1)
    assert breaker.find("mock").state == "open"
    succeed()
    assert breaker.find("mock").state == "closed"


def test_nothing_is_claimed_while_it_is_open_and_the_job_says_why() -> None:
    job = launch()
    fail(3)

    assert take() == 0
    assert jobs.waiting(job) == {
        "code": "breaker",
        "detail": "launches pause: 3 launches in a row failed with: launch_error",
        "position": 1,
    }


def test_one_launch_is_let_through_after_the_cooldown_whoever_asks() -> None:
    for _ in range(3):
        launch()
    fail(3)
    cool_down()

    assert breaker.find("mock").state == "half-open"
    assert (take(), take()) == (1, 0)
    succeed()
    assert take() == 2


def test_a_launch_that_fails_while_half_open_opens_it_again() -> None:
    launch(), launch()
    fail(3)
    cool_down()
    assert take() == 1
    fail(1)

    assert breaker.find("mock").state == "open"
    assert take() == 0


def test_a_launch_of_which_nothing_is_heard_does_not_keep_it_half_open() -> None:
    launch(), launch()
    fail(3)
    cool_down()
    assert take() == 1
    cool_down()

    assert take() == 1


def test_nothing_to_launch_takes_no_launch_away() -> None:
    fail(3)
    cool_down()
    assert take() == 0
    launch()

    assert take() == 1


def test_a_failure_while_it_is_open_does_not_make_the_pause_longer() -> None:
    fail(3)
    until = Breaker.objects.get().until
    fail(1)

    assert Breaker.objects.get().until == until


def test_health_shows_it() -> None:
    assert reports.health("mock").breaker == "closed"
    fail(3)

    assert reports.health("mock").breaker == "open"


def test_a_step_that_somebody_else_takes_first_is_taken_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = iter([1, 0, 0])
    real = DatabaseBreaker._write

    def late(self: DatabaseBreaker, row: Breaker, after: Circuit) -> bool:
        fail(next(before))
        return real(self, row, after)

    monkeypatch.setattr(DatabaseBreaker, "_write", late)
    fail(1)

    assert breaker.find("mock").failures == 2


def test_a_database_that_is_away_loses_a_count_and_no_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    fail(2)
    mock = MockExecutor({"refuse": {"reason": "launch_error"}}, name="mock", breaker=SHARED)
    job = launch().spec()
    with monkeypatch.context() as patched:
        patched.setattr(Breaker.objects, "filter", away)
        assert not mock.launch_job(job)[0]
        assert mock.health_check()

    assert breaker.find("mock").failures == 2


def away(**_: Any) -> Any:
    raise OperationalError("away")


def test_a_breaker_tells_no_word_of_a_job(settings: Any) -> None:
    mock = MockExecutor(
        {"refuse": {"reason": "launch_error", "message": "secret"}}, name="mock", breaker=SHARED, ledger=None
    )
    job = launch()
    for _ in range(3):
        mock.launch_job(job.spec())

    told = str([jobs.waiting(job), reports.health("mock")])
    assert "3 launches in a row failed with: launch_error" in told
    assert "secret" not in told


def test_good_looks_heal_an_executor_that_nobody_launches_on() -> None:
    mock = MockExecutor({"failure_cooldown_seconds": 0}, name="mock", breaker=SHARED)
    fail(3)
    assert not mock.health_check()
    cool_down()

    assert [bool(mock.health_check()) for _ in range(2)] == [False, True]
    assert breaker.find("mock").state == "closed"
