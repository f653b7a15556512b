"""The engine's words, in those of the contract."""

import pytest

from container_manager.executors.docker_engine.outcome import (
    execution,
    init_failure,
    launch_reason,
    pull_reason,
    status_of,
)
from container_manager.states import ExecutionStatus, Reason


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("created", ExecutionStatus.CREATED),
        ("running", ExecutionStatus.RUNNING),
        ("paused", ExecutionStatus.RUNNING),
        ("restarting", ExecutionStatus.RUNNING),
        ("removing", ExecutionStatus.RUNNING),
        ("exited", ExecutionStatus.EXITED),
        ("dead", ExecutionStatus.FAILED),
        ("a word of a later engine", ExecutionStatus.UNKNOWN),
    ],
)
def test_every_state_has_a_status(word: str, status: ExecutionStatus) -> None:
    assert status_of(word, exited_well=True) == status


def test_a_success_in_which_a_child_was_killed_keeps_the_flag() -> None:
    state = {
        "Status": "exited", "ExitCode": 0, "OOMKilled": True, "Error": "",
        "StartedAt": "2026-01-01T00:00:00.123456789Z", "FinishedAt": "2026-01-01T00:00:01Z",
    }  # fmt: skip
    told = execution({"State": state, "Image": "sha256:abc"})
    assert (told.status, told.exit_code, told.oom_killed) == (ExecutionStatus.EXITED, 0, True)


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (404, "manifest for x:y not found: manifest unknown: manifest unknown", Reason.IMAGE_NOT_FOUND),
        (
            404,
            "pull access denied for x, repository does not exist or may require 'docker login'",
            Reason.IMAGE_NOT_FOUND,
        ),
        (404, "no matching manifest for linux/amd64 in the manifest list entries", Reason.IMAGE_NOT_FOUND),
        (500, "Get https://r/v2/x/manifests/y: unauthorized: authentication required", Reason.IMAGE_AUTH),
        (500, "Get https://r/v2/: no basic auth credentials", Reason.IMAGE_AUTH),
        (500, "dial tcp: lookup registry.example: no such host", Reason.IMAGE_PULL_FAILED),
        (500, "net/http: TLS handshake timeout", Reason.IMAGE_PULL_FAILED),
        (200, "write /layer: no space left on device", Reason.IMAGE_PULL_FAILED),
    ],
)
def test_why_an_image_could_not_be_had(status: int, message: str, reason: Reason) -> None:
    assert pull_reason(status, message) == reason


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (400, 'exec: "x": executable file not found in $PATH: unknown', Reason.COMMAND_NOT_FOUND),
        (400, 'exec: "/etc": permission denied: unknown', Reason.COMMAND_NOT_FOUND),
        (400, "No command specified", Reason.COMMAND_NOT_FOUND),
        (404, "No such image: nosuch:image", Reason.IMAGE_NOT_FOUND),
        (404, "network nosuchnet not found", Reason.LAUNCH_REFUSED),
        (400, "invalid mount config for type bind: bind source path does not exist: /a", Reason.LAUNCH_REFUSED),
        (500, "unable to find user x: no matching entries in passwd file", Reason.LAUNCH_REFUSED),
        (500, "unable to find user no space left on device: no matching entries in passwd file", Reason.LAUNCH_REFUSED),
        (500, "Cannot mkdir: /bin/busybox is not a directory", Reason.LAUNCH_REFUSED),
        (500, "OCI runtime create failed: mount tmpfs:/proc: not a directory: unknown", Reason.LAUNCH_REFUSED),
        (
            500,
            "OCI runtime create failed: mkdir /x: no space left on device: unknown",
            Reason.LAUNCH_ERROR,
        ),
        (400, "failed to create shim task: mkdir /run/x: no space left on device: unknown", Reason.LAUNCH_ERROR),
        (500, "driver failed programming external connectivity", Reason.LAUNCH_ERROR),
        (400, "Unknown runtime specified nosuch", Reason.LAUNCH_ERROR),
        (400, "unknown or invalid runtime name: nosuch", Reason.LAUNCH_ERROR),
        (404, "No such container: purser-a-1", Reason.LAUNCH_ERROR),
        (409, 'Conflict. The container name "/purser-a-1" is already in use by container "b".', Reason.LAUNCH_ERROR),
    ],
)
def test_why_a_container_could_not_be_started(status: int, message: str, reason: Reason) -> None:
    assert launch_reason(status, message) == reason


def test_only_the_inits_own_sentence_alone_is_believed() -> None:
    sentence = b"[FATAL tini (7)] exec nosuch failed: No such file or directory\n"
    assert init_failure(b"", sentence) == "exec nosuch failed: No such file or directory"
    assert init_failure(b"something", sentence) is None
    assert init_failure(b"", b"mine\n" + sentence) is None
