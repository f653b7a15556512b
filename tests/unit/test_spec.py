from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from container_manager.identifiers import uuid7
from container_manager.spec import (
    HONOURED_BY_PURSER,
    MAX_STDIN_BYTES,
    JobRequest,
    JobSpec,
    execution_id,
    parse_execution_id,
)


def request(**fields: Any) -> JobRequest:
    return JobRequest.model_validate({"command": ["true"], **fields})


BOUNDS = [
    ("command", ["x"] * 4096, ["x"] * 4097),
    ("command", ["x" * 32_768], ["x" * 32_769]),
    ("entrypoint", ["x"] * 256, ["x"] * 257),
    ("command", ["x"], []),
    ("env", {"A" * 256: ""}, {"A" * 257: ""}),
    ("env", {f"A{n}": "" for n in range(1024)}, {f"A{n}": "" for n in range(1025)}),
    ("stdin", "x" * MAX_STDIN_BYTES, "x" * (MAX_STDIN_BYTES + 1)),
    ("labels", {"a": "x" * 256}, {"a": "x" * 257}),
    ("labels", {f"a{n}": "" for n in range(64)}, {f"a{n}": "" for n in range(65)}),
    ("memory_mib", 1, 0),
    ("memory_mib", 16_777_216, 16_777_217),
    ("cpu_cores", 0.001, 0.0009),
    ("cpu_cores", 4096, 4096.1),
    ("pids_limit", 1, 0),
    ("tmp_size_mib", 65_536, 65_537),
    ("tmpfs", [{"target": "/a", "size_mib": 65_536}], [{"target": "/a", "size_mib": 65_537}]),
    ("tmpfs", [{"target": "/a"}] * 32, [{"target": "/a"}] * 33),
    ("timeout_seconds", 31_536_000, 31_536_001),
    ("timeout_seconds", 0.001, 0),
    ("queue_timeout_seconds", 0.001, -1),
    ("grace_seconds", 0, -0.1),
    ("grace_seconds", 3600, 3601),
    ("max_retries", 100, 101),
    ("priority", -1000, -1001),
    ("priority", 1000, 1001),
]


@pytest.mark.parametrize(("field", "allowed", "refused"), BOUNDS)
def test_a_field_has_its_bound(field: str, allowed: Any, refused: Any) -> None:
    request(**{field: allowed})
    with pytest.raises(ValidationError) as caught:
        request(**{field: refused})
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", "a\x00b"),
        ("entrypoint", ["a\x00"]),
        ("command", ["a", "\x00"]),
        ("env", {"A": "\x00"}),
        ("env", {"A\x00": ""}),
        ("working_dir", "/a\x00"),
        ("user", "\x00"),
        ("stdin", "a\x00"),
        ("labels", {"a": "\x00"}),
        ("labels", {"a\x00": ""}),
        ("network", "\x00"),
        ("tmpfs", [{"target": "/\x00"}]),
        ("mounts", [{"type": "bind", "source": "/a\x00", "target": "/a"}]),
    ],
)
def test_nul_is_refused_everywhere(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        request(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("memory_mib", "64"),
        ("memory_mib", True),
        ("memory_mib", 1.5),
        ("cpu_cores", float("nan")),
        ("timeout_seconds", float("inf")),
        ("command", "true"),
        ("read_only_root", "yes"),
        ("env", {"A": 1}),
        ("pull_policy", "sometimes"),
        ("working_dir", "relative"),
        ("mounts", [{"type": "tmpfs", "source": "a", "target": "/a"}]),
        ("tiemout", 1),
    ],
)
def test_a_wrong_type_is_not_bent_into_a_right_one(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        request(**{field: value})


@pytest.mark.parametrize("key", ["a", "team", "a.b/c_d-e", "9", "A" * 63])
def test_a_good_label_key_is_taken(key: str) -> None:
    assert request(labels={key: "x"}).labels == {key: "x"}


@pytest.mark.parametrize("key", ["", "-a", "a-", "a b", "é", "a\n", "A" * 64])
def test_a_bad_label_key_is_named(key: str) -> None:
    with pytest.raises(ValidationError, match="must be 1 to 63 letters"):
        request(labels={key: "x"})


@pytest.mark.parametrize("name", ["", "A=B"])
def test_a_bad_env_name_is_named(name: str) -> None:
    with pytest.raises(ValidationError, match="without '=' and NUL"):
        request(env={name: "x"})


def test_nothing_to_run_is_refused() -> None:
    with pytest.raises(ValidationError, match="one of image and command"):
        JobRequest()


@pytest.mark.parametrize("fields", [{"image": "a"}, {"command": ["a"]}, {"entrypoint": ["a"]}])
def test_an_image_or_a_command_is_enough(fields: dict[str, Any]) -> None:
    assert JobRequest.model_validate(fields).asked_fields == frozenset(fields)


def test_asked_are_the_fields_that_say_something() -> None:
    asked = request(env={}, tmpfs=[], stdin=None, read_only_root=False, cpu_cores=1).asked_fields
    assert asked == {"command", "read_only_root", "cpu_cores"}


def test_what_purser_honours_itself_is_not_asked_of_an_executor() -> None:
    fields = {"labels": {"a": "b"}, "priority": 1, "timeout_seconds": 1, "grace_seconds": 1, "max_retries": 1,
              "queue_timeout_seconds": 1, "retry_on": ["oom"], "retry_backoff_seconds": 1,
              "retry_backoff_cap_seconds": 1}  # fmt: skip
    assert set(fields) == HONOURED_BY_PURSER
    assert request(**fields).asked_fields == {"command"}


def test_every_field_is_described() -> None:
    assert [name for name, field in JobRequest.model_fields.items() if not field.description] == []


def test_a_spec_names_its_execution_after_job_and_attempt() -> None:
    job_id = uuid7()
    spec = JobSpec.model_validate(
        {"command": ["true"], "id": job_id, "attempt": 2, "namespace": "a", "memory_mib": 1, "cpu_cores": 1.0,
         "timeout_seconds": 1.0, "grace_seconds": 1.0}
    )  # fmt: skip
    assert spec.execution_id == f"purser-{job_id.hex}-2"


@given(st.uuids(), st.integers(1, 999_999_999))
def test_an_execution_id_is_read_back(job_id: UUID, attempt: int) -> None:
    assert parse_execution_id(execution_id(job_id, attempt)) == (job_id, attempt)


@pytest.mark.parametrize(
    "name", ["", "web", "purser-1-1", f"purser-{'A' * 32}-1", f"purser-{'0' * 32}-x", f"purser-{'0' * 32}-1\n"]
)
def test_a_name_that_is_not_ours_is_not_read(name: str) -> None:
    assert parse_execution_id(name) is None


def test_ids_sort_by_time_and_are_version_7() -> None:
    first = uuid7()
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert first.int >> 80 <= uuid7().int >> 80


def test_an_empty_scenario_asks_for_the_mock_as_well() -> None:
    assert "scenario" in JobRequest(command=["true"], scenario={}).asked_fields
