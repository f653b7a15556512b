"""`purser run` in shell scripts, against a service that is cancelled into, restarted and killed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import ROOT, Service, stop, until
from tests.registry import Registry

LINES, STEPS = 10_000, 50
MANY = (
    f'i=0; while [ $i -lt {STEPS} ]; do seq -f "%099.0f" $((i*{LINES})) $((i*{LINES}+{LINES - 1})); '
    "echo step $i >&2; i=$((i+1)); sleep 0.1; done"
)
"""50,000,000 bytes in lines of 100, over at least five seconds."""
MANY_SHA256 = hashlib.sha256(b"".join(b"%099d\n" % number for number in range(LINES * STEPS))).hexdigest()
MANY_STDERR = "".join(f"step {number}\n" for number in range(STEPS)).encode()


class Shell:
    """Runs scripts that call `purser`, as a pipeline does."""

    def __init__(self, service: Service, folder: Path) -> None:
        program = folder / "bin" / "purser"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m purser "$@"\n')
        program.chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PURSER_")},
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PURSER_URL": service.address,
            "PURSER_TOKEN_FILE": str(service.data_dir / "token"),
            "PURSER_EXECUTOR": "process",
        }
        self.started: list[subprocess.Popen[bytes]] = []

    def __call__(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", script, "sh", *arguments], env=self.environment, capture_output=True, text=True, timeout=120
        )

    def start(self, script: str, *arguments: str) -> subprocess.Popen[bytes]:
        """In a process group of its own, as a terminal or a pipeline starts it."""
        process = subprocess.Popen(
            ["sh", "-c", script, "sh", *arguments],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def close(self) -> None:
        for process in self.started:
            with process:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def jobs(self, *options: str) -> Any:
        return json.loads(self('purser ls -o json "$@"', *options).stdout)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("service")) as service:
        service.serve()
        yield service


@pytest.fixture
def shell(service: Service, tmp_path: Path) -> Iterator[Shell]:
    with closing(Shell(service, tmp_path)) as shell:
        yield shell


class Reader:
    """Takes in what a program writes while it writes it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.count, self.stderr = 0, b""
        self._hash = hashlib.sha256()
        self._process = process
        self._threads = [threading.Thread(target=each) for each in (self._read_stdout, self._read_stderr)]
        for thread in self._threads:
            thread.start()

    def sha256(self) -> str:
        """Of all that it has written to standard output, once it has ended."""
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()
        return self._hash.hexdigest()

    def _read_stdout(self) -> None:
        assert self._process.stdout
        while piece := os.read(self._process.stdout.fileno(), 65536):
            self._hash.update(piece)
            self.count += len(piece)

    def _read_stderr(self) -> None:
        assert self._process.stderr
        while piece := os.read(self._process.stderr.fileno(), 65536):
            self.stderr += piece


@pytest.mark.parametrize(
    ("call", "code", "told"),
    [
        ("-- true", 0, ""),
        ("-- sh -c 'exit 7'", 7, ""),
        ("-- sh -c 'exit 255'", 255, ""),
        ("-- sh -c 'kill -9 $$'", 137, ""),
        ("--timeout 0.5 -- sleep 30", 124, "failed: timeout (timeout_seconds 0.5"),
        ("-- /no/such/command", 127, "failed: command_not_found ("),
        ("an-image -- true", 125, "image: the process executor cannot honour image"),
        ("--memory-mib 0 -- true", 125, "memory_mib: must be greater than or equal to 1; got 0"),
        ("--executor nowhere -- true", 125, "nowhere"),
        ("--no-such-option -- true", 125, "No such option '--no-such-option'"),
        ("--key 'a b' -- true", 125, "must be 1 to 255 visible ASCII characters; got 'a b'"),
    ],
)
def test_it_ends_as_the_job_ends_and_says_what_the_code_does_not(shell: Shell, call: str, code: int, told: str) -> None:
    ran = shell(f"purser run {call}")

    assert (ran.returncode, ran.stdout) == (code, "")
    assert told in ran.stderr
    assert [line.startswith("purser: ") for line in ran.stderr.splitlines()].count(True) == bool(told)


def test_what_the_job_writes_comes_apart_and_byte_for_byte(shell: Shell) -> None:
    process = shell.start(r"""purser run -- sh -c 'printf "a\r\n\377\000 no newline"; printf "oh\n\376" >&2'""")
    stdout, stderr = process.communicate(timeout=60)

    assert (stdout, stderr) == (b"a\r\n\xff\x00 no newline", b"oh\n\xfe")


def test_what_is_asked_for_reaches_the_job(shell: Shell) -> None:
    ran = shell(
        'GIVEN="from here" purser run -e A="x=y" -e GIVEN -w /tmp --stdin - -l stage=test --memory-mib 64 '
        "-- sh -c 'echo $A $GIVEN; pwd; cat' <<END\nthe input\nEND"
    )

    assert (ran.stdout, ran.stderr) == ("x=y from here\n/tmp\nthe input\n", "")
    (job,) = shell.jobs("--label", "stage=test")
    assert (job["memory_mib"], job["labels"]) == (64, {"stage": "test"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_process_group_cancels_the_job_and_waits_for_its_end(
    shell: Shell, number: signal.Signals
) -> None:
    command = "trap 'echo last words; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    process = shell.start(f'trap : INT TERM; purser run -l kind={number} -- sh -c "$1"; echo "code $?"', command)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"

    os.killpg(process.pid, number)

    assert process.communicate(timeout=60)[0] == b"last words\ncode 130\n"
    (job,) = shell.jobs("--label", f"kind={number}")
    assert (job["state"], job["reason"]) == ("cancelled", "cancelled")


def test_a_signal_while_it_waits_in_the_queue_cancels_it_there(tmp_path: Path) -> None:
    executors = '{"process": {"OPTIONS": {"max_jobs": 1}}}'
    with Service(tmp_path, PURSER_EXECUTORS=executors) as service, closing(Shell(service, tmp_path)) as shell:
        service.serve()
        first = shell("purser run --detach -- sleep 60").stdout.strip()
        process = shell.start('trap : INT; purser run -- echo never; echo "code $?"')
        assert process.stderr
        told = process.stderr.readline().decode()
        assert told.startswith("purser: waiting in the queue at position 1: ")

        os.killpg(process.pid, signal.SIGINT)

        assert process.communicate(timeout=60)[0] == b"code 130\n"
        assert shell('purser rm "$1"', first).returncode == 0


def test_the_pull_of_an_image_is_told_and_is_ended_by_a_signal(tmp_path: Path, docker_url: str) -> None:
    executors = json.dumps({"docker": {"OPTIONS": {"base_url": docker_url, "instance": tmp_path.name}}})
    with (
        Registry(stalls_at="/blobs/") as slow,
        Service(tmp_path, PURSER_EXECUTORS=executors) as service,
        closing(Shell(service, tmp_path)) as shell,
    ):
        service.serve()
        ran = shell("purser run -x docker busybox:local -- sh -c 'echo out; echo err >&2; exit 3'")
        assert (ran.returncode, ran.stdout, ran.stderr[-4:]) == (3, "out\n", "err\n")

        image = f"{slow.address}/there"
        process = shell.start('trap : INT; purser run -x docker "$1" -- true; echo "code $?"', image)
        assert process.stderr
        assert f"purser: pulling the image {image}\n".encode() in iter(process.stderr.readline, b"")
        os.killpg(process.pid, signal.SIGINT)

        assert process.communicate(timeout=60)[0] == b"code 130\n"
        assert shell("purser ls --quiet | xargs purser rm").returncode == 0


def test_a_second_signal_leaves_once_the_service_has_heard_of_the_first(shell: Shell) -> None:
    command = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    process = shell.start('exec purser run --grace 15 -l kind=stubborn -- sh -c "$1"', command)
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == b"ready\n"

    process.send_signal(signal.SIGINT)
    assert b"cancelling the job" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 130
    assert process.stderr.read() == b"purser: left before the job's end\n"
    (job,) = shell.jobs("--label", "kind=stubborn")
    assert job["cancel_requested_at"]
    assert shell('purser status --wait "$1"', job["id"]).returncode == 130


def test_a_reader_that_goes_away_ends_the_job(shell: Shell) -> None:
    command = "while :; do echo more; sleep 0.05; done"
    ran = shell('{ purser run -l kind=unheard -- sh -c "$1"; echo "code $?" >&2; } | head -n 1', command)

    assert ran.stdout == "more\n"
    assert ran.stderr.endswith("code 130\n")
    assert shell.jobs("--label", "kind=unheard")[0]["state"] == "cancelled"


def test_a_repeat_with_the_same_key_runs_nothing_and_shows_the_same(shell: Shell) -> None:
    script = "purser run --key once -l kind=once -- sh -c 'date +%s%N; exit 5'"
    first, second = shell(script), shell(script)

    assert (first.returncode, second.returncode) == (5, 5)
    assert first.stdout == second.stdout != ""
    assert len(shell.jobs("--label", "kind=once")) == 1


def test_two_at_once_with_the_same_key_are_one_job(shell: Shell) -> None:
    script = "exec purser run --key twice -l kind=twice -- sh -c 'date +%s%N; sleep 1; date +%s%N; exit 6'"
    started = [shell.start(script) for _ in range(2)]
    written = [process.communicate(timeout=60)[0] for process in started]

    assert [process.returncode for process in started] == [6, 6]
    assert written[0] == written[1]
    assert written[0].count(b"\n") == 2
    assert len(shell.jobs("--label", "kind=twice")) == 1


def test_the_same_key_for_something_else_is_refused(shell: Shell) -> None:
    ran = shell("purser run --key else -- true && purser run --key else -- false")

    assert ran.returncode == 125
    assert ran.stderr == "purser: Idempotency-Key 'else' was used with another request\n"


def test_fifty_megabytes_come_whole_though_the_service_is_stopped_and_killed_amid(tmp_path: Path) -> None:
    with Service(tmp_path) as service, closing(Shell(service, tmp_path)) as shell:
        served = service.serve()
        process = shell.start('exec purser run --quiet --key many -- sh -c "$1"', MANY)
        reader = Reader(process)

        until(lambda: reader.count > 8_000_000, "the first part of the log")
        assert stop(served) == 0
        at_stop = reader.count
        served = service.serve()
        until(lambda: reader.count > at_stop + 8_000_000, "more of the log after the restart")
        served.kill()
        served.wait()
        at_kill = reader.count
        assert at_stop < at_kill < 50_000_000, "the service was not killed amid the log"
        service.serve()

        assert (reader.sha256(), reader.count, reader.stderr) == (MANY_SHA256, 50_000_000, MANY_STDERR)
        assert process.wait(10) == 0
        again = Reader(shell.start('exec purser run --quiet --key many -- sh -c "$1"', MANY))
        assert (again.sha256(), again.stderr) == (MANY_SHA256, MANY_STDERR)
        assert len(shell.jobs()) == 1


def test_jobs_are_listed_shown_followed_cancelled_and_removed(shell: Shell) -> None:
    launch = "purser run --detach -l kind=kept -- sh -c 'echo one; echo two; echo oops >&2; sleep 60'"
    job_id = shell(launch).stdout.strip()
    until(lambda: shell('purser logs "$1"', job_id).stdout == "one\ntwo\n", "the first lines")

    assert job_id in shell("purser ls --state running --label kind=kept --since 1h").stdout
    assert shell("purser ls --quiet --label kind=kept").stdout == f"{job_id}\n"
    assert "running" in shell('purser status "$1"', job_id).stdout
    assert shell('purser logs "$1" --stream stderr', job_id).stderr == "oops\n"
    assert shell('purser logs "$1" --tail 1 --stream stdout', job_id).stdout == "two\n"
    lines = [json.loads(line) for line in shell('purser logs -o json "$1"', job_id).stdout.splitlines()]
    assert [line["text"] for line in lines] == ["one", "two", "oops"]
    followed = shell.start('exec purser logs -f "$1"', job_id)
    assert json.loads(shell('purser cancel --wait -o json "$1"', job_id).stdout)[0]["state"] == "cancelled"
    assert followed.communicate(timeout=60)[0] == b"one\ntwo\n"
    assert shell('purser status --wait "$1"', job_id).returncode == 130
    assert json.loads(shell('purser rm -o json "$1"', job_id).stdout)[0]["cleaned_at"]


def test_json_is_the_jobs_own_document_and_its_output_goes_to_standard_error(shell: Shell) -> None:
    ran = shell("purser run -o json -- sh -c 'echo out; exit 4'")

    assert (ran.returncode, ran.stderr) == (4, "out\n")
    job = json.loads(ran.stdout)
    assert job["exit_code"] == 4
    refused = shell('purser cancel "$1"', job["id"])
    assert (refused.returncode, refused.stderr.count("\n")) == (125, 1)
    assert {each["name"] for each in json.loads(shell("purser executors -o json").stdout)} >= {"process", "mock"}


def test_the_token_is_never_shown(shell: Shell) -> None:
    token = Path(shell.environment["PURSER_TOKEN_FILE"]).read_text().strip()
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")

    ran = shell(
        f"PURSER_TOKEN_FILE= PURSER_TOKEN={wrong} purser ls; PURSER_TOKEN_FILE= PURSER_TOKEN='{token} x' purser ls"
    )

    assert ran.returncode == 2
    assert wrong not in ran.stderr
    assert token not in ran.stderr
