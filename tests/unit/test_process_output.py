"""What a process job writes is kept byte for byte, and up to its bound."""

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from container_manager.exceptions import EngineUnavailable
from container_manager.executors.process_host.supervisor import FRAME, Log
from tests.contract.rig import Rig
from tests.unit.process_base import BUBBLEWRAP, PLAIN, OnThisHost, directory, outcome, python, shell


class TestInBubblewrap(OnThisHost):
    options: dict[str, Any] = BUBBLEWRAP

    def test_streams_are_kept_apart_and_in_order(self, rig: Rig) -> None:
        script = "for n in 1 2 3; do echo out$n; sleep 0.1; echo err$n >&2; sleep 0.1; done"
        execution_id = shell(rig, script)
        outcome(rig, execution_id)
        frames = list(rig.executor.follow_logs(execution_id, threading.Event()))
        assert [(frame.stream, frame.data) for frame in frames] == [
            (stream, f"{stream[3:]}{n}\n".encode()) for n in (1, 2, 3) for stream in ("stdout", "stderr")
        ]
        times = [frame.at for frame in frames if frame.at]
        assert times == sorted(times)
        assert timedelta(0) <= datetime.now(UTC) - times[-1] < timedelta(seconds=10)

    def test_a_line_of_a_megabyte_arrives_whole(self, rig: Rig) -> None:
        script = "import sys; sys.stdout.write('x' * 1_000_000 + '\\n'); sys.stderr.write('y' * 1_000_000)"
        assert rig.follow(python(rig, script)) == (b"x" * 1_000_000 + b"\n", b"y" * 1_000_000)

    def test_every_byte_value_arrives(self, rig: Rig) -> None:
        script = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000)"
        assert rig.follow(python(rig, script))[0] == bytes(range(256)) * 1000

    def test_a_followed_line_comes_while_the_job_runs(self, rig: Rig) -> None:
        execution_id, stop = shell(rig, "echo first; sleep 60"), threading.Event()
        frames = rig.executor.follow_logs(execution_id, stop)
        assert next(iter(frames)).data == b"first\n"
        stop.set()
        assert list(frames) == []

    def test_following_ends_when_the_job_is_cleaned_up(self, rig: Rig) -> None:
        execution_id, stop = shell(rig, "echo first; sleep 60"), threading.Event()
        frames = rig.executor.follow_logs(execution_id, stop)
        next(iter(frames))
        rig.executor.cleanup(execution_id)
        assert rig.within_deadline(lambda: list(frames), stop) == []

    def test_a_stop_ends_following_between_two_frames(self, rig: Rig) -> None:
        execution_id, stop = shell(rig, "echo a; sleep 0.2; echo b"), threading.Event()
        rig.ended(execution_id)
        frames = rig.executor.follow_logs(execution_id, stop)
        next(iter(frames))
        stop.set()
        assert list(frames) == []


class TestPlain(TestInBubblewrap):
    options = PLAIN


class TestBounds(OnThisHost):
    options = {**BUBBLEWRAP, "log_max_bytes": 100_000}

    def test_output_over_the_bound_is_dropped_and_counted(self, rig: Rig) -> None:
        execution, stdout, _ = outcome(rig, python(rig, "print('x' * 299_999)"))
        assert stdout == "x" * 100_000
        assert execution.exit_code == 0
        assert execution.dropped_bytes == {"stdout": 200_000}

    def test_what_is_dropped_of_both_streams_is_counted(self, rig: Rig) -> None:
        execution = outcome(rig, python(rig, "import sys; print('x' * 99_999); print('y' * 9, file=sys.stderr)"))[0]
        assert sum(execution.dropped_bytes.values()) == 10

    def test_nothing_is_said_where_nothing_was_dropped(self, rig: Rig) -> None:
        assert outcome(rig, shell(rig, "echo little"))[0].dropped_bytes == {}

    def test_a_frame_that_is_not_whole_is_not_told(self, rig: Rig) -> None:
        execution_id = shell(rig, "echo whole")
        rig.ended(execution_id)
        path = directory(rig, execution_id).path / "log"
        for tail in (FRAME.pack(1, 0, 10) + b"part", b"\x01"):
            whole = path.read_bytes()
            path.write_bytes(whole + tail)
            assert rig.follow(execution_id)[0] == b"whole\n"
            path.write_bytes(whole)

    def test_a_state_directory_that_cannot_be_read_is_no_answer_while_following(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        execution_id = shell(rig, "echo ready; sleep 60")
        rig.ready(execution_id)
        frames = rig.executor.follow_logs(execution_id, threading.Event())
        next(iter(frames))
        kept = rig.executor._state_dir  # type: ignore[attr-defined]
        monkeypatch.setattr(rig.executor, "_state_dir", Path("/dev/null"))
        with pytest.raises(EngineUnavailable):
            next(iter(frames))
        monkeypatch.setattr(rig.executor, "_state_dir", kept)


class TestLog:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "log"

    def test_writes_are_frames_in_their_order(self, path: Path) -> None:
        log = Log(str(path), 100)
        for stream, data in ((1, b"one"), (2, b"two"), (1, b"three")):
            log.write(stream, data)
        assert _frames(path) == [(1, b"one"), (2, b"two"), (1, b"three")]
        assert log.dropped == {"stdout": 0, "stderr": 0}

    def test_the_bound_cuts_within_a_write_and_drops_the_rest(self, path: Path) -> None:
        log = Log(str(path), 5)
        for data in (b"one", b"two", b"three"):
            log.write(1, data)
        assert _frames(path) == [(1, b"one"), (1, b"tw")]
        log.write(2, b"more")
        assert log.dropped == {"stdout": 6, "stderr": 4}

    def test_a_full_disk_drops_whole_frames_and_heals(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        log = Log(str(path), 100)
        log.write(1, b"one")
        real = os.write
        for failing in (lambda fd, data: real(fd, data[:10]), _disk_full):
            with monkeypatch.context() as patched:
                patched.setattr(
                    "container_manager.executors.process_host.supervisor.os",
                    SimpleNamespace(**{**vars(os), "write": failing}),
                )
                log.write(1, b"two")
        log.write(2, b"three")
        assert _frames(path) == [(1, b"one"), (2, b"three")]
        assert log.dropped == {"stdout": 6, "stderr": 0}

    def test_what_is_forgotten_is_gone(self, path: Path) -> None:
        log = Log(str(path), 100)
        log.write(2, b"not the command's")
        log.forget()
        assert path.read_bytes() == b""


def _disk_full(*_: object) -> int:
    raise OSError(28, "No space left on device")


def _frames(path: Path) -> list[tuple[int, bytes]]:
    data, found = path.read_bytes(), []
    while data:
        stream, _, size = FRAME.unpack_from(data)
        found.append((stream, data[FRAME.size : FRAME.size + size]))
        data = data[FRAME.size + size :]
    return found
