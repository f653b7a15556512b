"""The gate waits for a command and then is that command, in words and exit codes as if there had been no gate."""

import os
import platform
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from container_manager.executors.docker_engine import gate
from container_manager.executors.docker_engine.outcome import init_failure
from tests.engine import until

ROOT = Path(__file__).parents[2]
KEEPS_STDIN = 1
PATH = "/usr/bin:/bin"
_CALLS = {"x86_64": {"ppoll": 271, "rt_sigtimedwait": 128}, "aarch64": {"ppoll": 73, "rt_sigtimedwait": 137}}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "gate"
    path.write_bytes(gate.program(platform.machine()) or b"")
    path.chmod(0o555)
    return path


@pytest.fixture
def started(program: Path) -> Iterator["list[subprocess.Popen[bytes]]"]:
    """Processes that are killed at the end, if they have not ended."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def header(command: Sequence[str], variables: Mapping[str, str] | None = None, flags: int = 0) -> bytes:
    assignments = [f"{name}={value}" for name, value in (variables or {}).items()]
    text = b"".join(word.encode() + b"\0" for word in (*command, *assignments))
    return struct.pack("<5I", 0x31475250, len(text), len(command), len(assignments), flags) + text


def passed(
    program: Path, sent: bytes, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    given = {"PATH": PATH} if environment is None else environment
    return subprocess.run([program], input=sent, env=given, capture_output=True, timeout=30)


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_the_committed_program_is_what_its_source_gives(architecture: str, tmp_path: Path) -> None:
    subprocess.run([ROOT / "scripts" / "gate", tmp_path], check=True)
    assert (tmp_path / f"gate-{architecture}").read_bytes() == gate.program(architecture)


def test_an_architecture_that_it_is_not_built_for_has_none() -> None:
    assert gate.program("riscv64") is None


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_pause_ends_when_it_is_told_to(
    program: Path, started: "list[subprocess.Popen[bytes]]", told: signal.Signals
) -> None:
    process = subprocess.Popen([program, "pause"])
    started.append(process)
    until(lambda: _is_in(process.pid, "rt_sigtimedwait"), "the pause")
    process.send_signal(told)
    assert process.wait(30) == 0


def test_a_pause_that_is_the_first_process_of_its_namespace_ends_when_it_is_told_to(
    program: Path, started: "list[subprocess.Popen[bytes]]"
) -> None:
    process = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", program, "pause"])
    started.append(process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(children.read_text, "its start")
    child = int(children.read_text())
    until(lambda: _is_in(child, "rt_sigtimedwait"), "the pause")
    os.kill(child, signal.SIGTERM)
    assert process.wait(30) == 0


def test_the_command_of_the_header_takes_the_place_of_the_gate(
    program: Path, started: "list[subprocess.Popen[bytes]]"
) -> None:
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": PATH})
    started.append(process)
    out, _ = process.communicate(header(["sh", "-c", "echo $$; exit 3"]), timeout=30)
    assert (int(out), process.returncode) == (process.pid, 3)


def test_it_waits_for_a_header_that_comes_in_pieces(program: Path, started: "list[subprocess.Popen[bytes]]") -> None:
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": PATH})
    started.append(process)
    assert process.stdin
    for byte in header(["echo", "whole"]):
        process.stdin.write(bytes([byte]))
        process.stdin.flush()
    assert process.communicate(timeout=30)[0] == b"whole\n"


def test_arguments_keep_their_bytes(program: Path) -> None:
    words = ["", "two words", "new\nline", "\xe9\u4e2d"]
    ran = passed(program, header(["printf", "<%s>", *words]))
    assert ran.stdout.decode() == "".join(f"<{word}>" for word in words)


def test_what_follows_the_header_is_the_input_of_the_command(program: Path) -> None:
    rest = bytes(range(256)) * 4096
    assert passed(program, header(["cat"], flags=KEEPS_STDIN) + rest).stdout == rest


def test_a_command_without_input_reads_from_dev_null(program: Path) -> None:
    ran = passed(program, header(["sh", "-c", "readlink /proc/self/fd/0; cat"]))
    assert ran.stdout == b"/dev/null\n"


def test_variables_of_the_header_go_over_those_of_the_container(program: Path) -> None:
    own = {"PATH": PATH, "HOME": "/root", "WORD": "old", "WORDS": "kept", "EMPTY": "no"}
    ran = passed(program, header(["env"], {"WORD": "new", "EMPTY": "", "MORE": "a=b"}), own)
    told = dict(line.split("=", 1) for line in ran.stdout.decode().splitlines())
    assert told == {"PATH": PATH, "HOME": "/root", "WORD": "new", "WORDS": "kept", "EMPTY": "", "MORE": "a=b"}


def test_the_command_is_sought_on_the_path_of_the_header(program: Path, tmp_path: Path) -> None:
    script = tmp_path / "own"
    script.write_text("#!/bin/sh\necho found\n")
    script.chmod(0o755)
    assert passed(program, header(["own"], {"PATH": f"/nowhere:{tmp_path}"})).stdout == b"found\n"


def test_a_script_without_a_first_line_is_run_by_the_shell(program: Path, tmp_path: Path) -> None:
    script = tmp_path / "plain"
    script.write_text('echo "$0 $1"\n')
    script.chmod(0o755)
    assert passed(program, header([str(script), "word"])).stdout == f"{script} word\n".encode()


@pytest.mark.parametrize(
    ("command", "words", "code"),
    [
        ("no-such-command", "No such file or directory", 127),
        ("/no/such/command", "No such file or directory", 127),
        ("/", "Permission denied", 126),
        ("/etc/hostname/below", "Not a directory", 1),
        ("n" * 300, "File name too long", 1),
    ],
)
def test_a_command_that_cannot_be_executed_is_told_as_the_init_tells_it(
    program: Path, command: str, words: str, code: int
) -> None:
    ran = passed(program, header([command]))
    assert (ran.returncode, ran.stdout) == (code, b"")
    assert init_failure(ran.stdout, ran.stderr) == f"exec {command} failed: {words}"


@pytest.mark.parametrize(
    "command", ["no-such-command", "/no/such/command", "/", "/etc/hostname/below", "n" * 300, "forbidden"]
)
def test_the_init_itself_says_the_same(program: Path, command: str, tmp_path: Path) -> None:
    init = shutil.which("docker-init") or shutil.which("tini")
    assert init, "the engine's init is needed to compare with"
    (tmp_path / "forbidden").touch(0o644)
    environment = {"PATH": f"{tmp_path}:{PATH}"}
    cold = subprocess.run([init, "-s", "--", command], env=environment, capture_output=True, timeout=30)
    warm = passed(program, header([command]), environment)
    assert warm.returncode == cold.returncode
    assert init_failure(warm.stdout, warm.stderr) == init_failure(cold.stdout, cold.stderr)
    assert init_failure(cold.stdout, cold.stderr)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"PR",
        header(["true"])[:-1],
        header(["true"])[:20],
        b"garbage that is no header at all",
        struct.pack("<5I", 0x31475250, 5, 2, 0, 0) + b"true\0",
        struct.pack("<5I", 0x31475250, 10, 1, 0, 0) + b"true\0true\0",
        struct.pack("<5I", 0x31475250, 0xFFFFFFFF, 1, 0, 0) + b"true\0",
        struct.pack("<5I", 0x31475250, 5, 0xFFFFFFFF, 2, 0) + b"true\0",
        struct.pack("<5I", 0x31475250, 5, 0, 1, 0) + b"A=bc\0",
    ],
)
def test_a_header_that_is_not_whole_is_waited_for_for_ever(
    program: Path, started: "list[subprocess.Popen[bytes]]", sent: bytes
) -> None:
    process = subprocess.Popen([program], stdin=subprocess.PIPE, env={"PATH": PATH})
    started.append(process)
    assert process.stdin
    process.stdin.write(sent)
    process.stdin.close()
    process.stdin = None
    until(lambda: _is_in(process.pid, "ppoll"), "the wait")
    assert process.poll() is None


def _is_in(pid: int, call: str) -> bool:
    """Whether it waits in this system call."""
    return Path(f"/proc/{pid}/syscall").read_text().split()[0] == str(_CALLS[platform.machine()][call])
