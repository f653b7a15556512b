import re
from itertools import product
from pathlib import Path

import pytest

from container_manager.states import (
    ACTIVE,
    ENDED,
    JOB_FAULTS,
    NOT_HELD_AGAINST_EXECUTOR,
    RETRYABLE,
    TERMINAL,
    TRANSITIONS,
    ExecutionStatus,
    JobState,
    Reason,
    sources_of,
)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "states.md").read_text()
ALLOWED = {
    ("queued", "launching"),
    ("queued", "failed"),
    ("queued", "cancelled"),
    ("launching", "running"),
    ("launching", "queued"),
    ("launching", "succeeded"),
    ("launching", "failed"),
    ("launching", "cancelled"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "cancelled"),
    ("running", "queued"),
}


@pytest.mark.parametrize(("source", "target"), list(product(JobState, JobState)))
def test_an_arrow_is_in_the_table_if_and_only_if_it_is_designed(source: JobState, target: JobState) -> None:
    assert (target in TRANSITIONS[source]) is ((source, target) in ALLOWED)
    assert (source in sources_of(target)) is ((source, target) in ALLOWED)


def test_every_state_has_its_row_in_the_table() -> None:
    assert set(TRANSITIONS) == set(JobState)


def test_terminal_are_the_states_without_an_arrow_out() -> None:
    assert {"succeeded", "failed", "cancelled"} == TERMINAL
    assert all(not TRANSITIONS[state] for state in TERMINAL)


def test_active_states_are_not_terminal_and_not_waiting() -> None:
    assert {"launching", "running"} == ACTIVE


def test_every_state_can_be_reached_from_the_first() -> None:
    seen, ahead = set(), {JobState.QUEUED}
    while ahead:
        seen |= ahead
        ahead = {target for state in ahead for target in TRANSITIONS[state]} - seen
    assert seen == set(JobState)


def test_a_retryable_reason_is_never_the_jobs_own_fault() -> None:
    assert not RETRYABLE & JOB_FAULTS
    assert set(Reason) >= RETRYABLE | NOT_HELD_AGAINST_EXECUTOR


def test_an_ended_execution_is_neither_gone_nor_unknown() -> None:
    assert {ExecutionStatus.EXITED, ExecutionStatus.FAILED} == ENDED


def test_the_documented_arrows_are_the_table() -> None:
    states = "|".join(JobState)
    rows = re.findall(rf"^\| ({states}) \| ({states}) \|", DOCUMENT, re.MULTILINE)
    assert sorted(rows) == sorted((source, target) for source, targets in TRANSITIONS.items() for target in targets)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_documented_with_its_retry(reason: Reason) -> None:
    (meaning,) = re.findall(rf"^\| {reason} \| (.+) \|$", DOCUMENT, re.MULTILINE)
    assert ("tried again" in meaning) is (reason in RETRYABLE)


def test_no_other_reason_is_documented() -> None:
    table = DOCUMENT.partition("| reason |")[2]
    assert set(re.findall(r"^\| (\w+) \|", table, re.MULTILINE)) == set(Reason)
