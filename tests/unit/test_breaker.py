"""The circuit breaker that all dispatchers share."""

from typing import Any

import pytest
from django.utils import timezone

from container_manager import breaker, jobs, reports
from container_manager.dispatcher.claim import claim
from container_manager.executors.mock import MockExecutor
from container_manager.identifiers import uuid7
from container_manager.ledger import DatabaseLedger
from container_manager.models import Breaker, Job
from container_manager.spec import JobRequest

pytestmark = pytest.mark.django_db


def fail(times: int, cooldown: float = 60) -> None:
    for _ in range(times):
        breaker.launch_failed("mock", "no space left", 3, cooldown)


def cool_down() -> None:
    Breaker.objects.update(until=timezone.now())


def launch() -> Job:
    return jobs.launch("mock", JobRequest(command=["x"]), namespace="a", describe=lambda job: {}).job


def take(**options: Any) -> int:
    mock = MockExecutor({"default_cpu": 0.1, **options}, name="mock", ledger=DatabaseLedger("mock"))
    return len(claim(mock, uuid7(), 5))


def test_it_opens_after_failures_in_a_row_and_a_success_closes_it() -> None:
    fail(2)
    assert breaker.find("mock").state == "closed"
    breaker.launch_succeeded("mock")
    fail(2)
    assert breaker.find("mock").state == "closed"
    fail(1)
    assert breaker.find("mock").state == "open"
    breaker.launch_succeeded("mock")
    assert breaker.find("mock").state == "closed"


def test_nothing_is_claimed_while_it_is_open_and_the_job_says_why() -> None:
    job = launch()
    fail(3)

    assert take() == 0
    assert jobs.waiting(job) == {
        "code": "breaker",
        "detail": "launches pause: 3 launches in a row failed, the last with: no space left",
        "position": 1,
    }


def test_one_launch_is_let_through_after_the_cooldown_whoever_asks() -> None:
    for _ in range(3):
        launch()
    fail(3)
    cool_down()

    assert breaker.find("mock").state == "half-open"
    assert (take(), take()) == (1, 0)
    breaker.launch_succeeded("mock")
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
