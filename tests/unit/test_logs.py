"""The log store keeps bytes, order and streams, and says what it does not keep."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from container_manager import logs
from container_manager.bell import bell, logs_topic
from container_manager.exceptions import InvalidCursor
from container_manager.identifiers import uuid7
from container_manager.logs import LogPage, LogWriter

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def job_id(tmp_path: Path, settings: Any) -> UUID:
    settings.STORAGES = {
        **settings.STORAGES,
        "logs": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }
    return uuid7()


@pytest.fixture
def writer(job_id: UUID) -> Iterator[LogWriter]:
    writer = LogWriter(job_id, 1, max_bytes=1_000_000)
    yield writer
    writer.close()


def read_all(job_id: UUID, **options: Any) -> list[logs.LogLine]:
    return logs.read(job_id, 1, **options).lines


def raw(job_id: UUID, *streams: str) -> bytes:
    return b"".join(data for _, data in logs.raw(job_id, 1, streams=streams or logs.STREAMS))


def test_a_log_that_is_not_there_is_empty_and_not_complete(job_id: UUID) -> None:
    assert logs.read(job_id, 1) == LogPage([], "0-0", complete=False, dropped_bytes={})
    assert raw(job_id) == b""


def test_lines_are_numbered_over_both_streams_in_the_order_they_came(job_id: UUID, writer: LogWriter) -> None:
    writer.write("stdout", b"one\ntwo\n", AT)
    writer.write("stderr", b"three\n", AT)
    writer.write("stdout", b"four", AT)

    found = [(line.seq, line.stream, line.data, line.partial) for line in read_all(job_id)]

    assert found == [
        (0, "stdout", b"one", False),
        (1, "stdout", b"two", False),
        (2, "stderr", b"three", False),
        (3, "stdout", b"four", True),
    ]


def test_times_are_kept(job_id: UUID, writer: LogWriter) -> None:
    writer.write("stdout", b"x\n", AT + timedelta(microseconds=5))

    assert abs(read_all(job_id)[0].at - AT) < timedelta(milliseconds=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.tuples(st.sampled_from(logs.STREAMS), st.binary(min_size=1, max_size=60)), max_size=20))
def test_any_bytes_come_back_exactly_by_stream_and_in_order(job_id: UUID, chunks: list[tuple[str, bytes]]) -> None:
    another = uuid7()
    writer = LogWriter(another, 1, max_bytes=1_000_000)
    for stream, data in chunks:
        writer.write(stream, data, AT)
    writer.close()

    assert raw(another) == b"".join(data for _, data in chunks)
    for wanted in logs.STREAMS:
        assert raw(another, wanted) == b"".join(data for stream, data in chunks if stream == wanted)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), limit=st.integers(1, 7))
def test_pages_joined_by_their_cursors_are_the_whole(job_id: UUID, data: bytes, limit: int) -> None:
    another = uuid7()
    writer = LogWriter(another, 1, max_bytes=1_000_000)
    for start in range(0, len(data), 30):
        writer.write("stdout", data[start : start + 30], AT)
    writer.finish()
    writer.close()

    pieces, page = [], logs.read(another, 1, limit=limit)
    while page.lines:
        pieces += page.lines
        page = logs.read(another, 1, limit=limit, cursor=page.next_cursor)

    assert page.complete
    assert b"".join(line.data + (b"" if line.partial else b"\n") for line in pieces) == data
    assert [line.seq for line in pieces] == list(range(len(pieces)))


def test_a_stream_is_read_alone_with_its_numbers(job_id: UUID, writer: LogWriter) -> None:
    writer.write("stdout", b"out\n", AT)
    writer.write("stderr", b"err\n", AT)

    assert [(line.seq, line.data) for line in read_all(job_id, streams=["stderr"])] == [(1, b"err")]


@pytest.mark.parametrize("finished", [True, False])
def test_tail_gives_the_last_lines_and_a_cursor_behind_them(job_id: UUID, writer: LogWriter, finished: bool) -> None:
    for number in range(10):
        writer.write("stdout", b"%d\n" % number, AT)
    if finished:
        writer.finish()

    page = logs.read(job_id, 1, tail=3)

    assert [line.data for line in page.lines] == [b"7", b"8", b"9"]
    assert page.complete is finished
    assert logs.read(job_id, 1, cursor=page.next_cursor).lines == []


def test_a_page_is_bounded_in_bytes_too(job_id: UUID) -> None:
    writer = LogWriter(job_id, 1, max_bytes=100 * 1024 * 1024)
    for _ in range(8):
        writer.write("stdout", b"x" * (1024 * 1024 - 1) + b"\n", AT)
    writer.close()

    page = logs.read(job_id, 1)

    assert len(page.lines) == 4
    assert len(logs.read(job_id, 1, cursor=page.next_cursor).lines) == 4
    assert len(logs.read(job_id, 1, tail=8).lines) == 4


def test_tail_of_one_stream_passes_over_the_other(job_id: UUID, writer: LogWriter) -> None:
    writer.write("stderr", b"first\n", AT)
    writer.write("stdout", b"a\nb\n", AT)

    assert [line.data for line in read_all(job_id, tail=1, streams=["stderr"])] == [b"first"]


def test_since_leaves_out_what_came_before(job_id: UUID, writer: LogWriter) -> None:
    writer.write("stdout", b"old\n", AT)
    writer.write("stdout", b"new\n", AT + timedelta(seconds=10))

    after = AT + timedelta(seconds=5)

    assert [line.data for line in read_all(job_id, since=after)] == [b"new"]
    assert [line.data for line in read_all(job_id, since=after, tail=5)] == [b"new"]


def test_what_is_over_the_bound_is_dropped_and_said(job_id: UUID) -> None:
    writer = LogWriter(job_id, 1, max_bytes=10)
    writer.write("stdout", b"0123456789abc", AT)
    writer.write("stderr", b"xyz", AT)
    writer.finish()
    writer.close()

    page = logs.read(job_id, 1)

    assert page.lines[0].data == b"0123456789"
    assert page.dropped_bytes == {"stdout": 3, "stderr": 3}
    assert logs.read(job_id, 1, tail=1).dropped_bytes == {"stdout": 3, "stderr": 3}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chunks=st.lists(st.tuples(st.sampled_from(logs.STREAMS), st.binary(min_size=1, max_size=40)), max_size=12),
    stored=st.integers(0, 12),
    torn=st.integers(0, 30),
    bound=st.sampled_from([50, 1_000_000]),
)
def test_a_log_collected_again_after_a_crash_has_nothing_twice_and_nothing_missing(
    job_id: UUID, chunks: list[tuple[str, bytes]], stored: int, torn: int, bound: int
) -> None:
    whole, crashed = uuid7(), uuid7()
    for target, upto in ((whole, len(chunks)), (crashed, stored)):
        writer = LogWriter(target, 1, max_bytes=bound)
        for stream, data in chunks[:upto]:
            writer.write(stream, data, AT)
        if target == whole:
            writer.finish()
        writer.close()
    with logs.log_path(crashed, 1).open("ab") as file:
        file.write(b"\x00" * torn)

    writer = LogWriter(crashed, 1, max_bytes=bound)
    for stream, data in chunks:
        writer.write(stream, data, AT)
    writer.finish()
    writer.close()

    assert raw(crashed) == raw(whole)
    assert logs.read(crashed, 1).dropped_bytes == logs.read(whole, 1).dropped_bytes


def test_a_complete_log_takes_nothing_more(job_id: UUID, writer: LogWriter) -> None:
    writer.write("stdout", b"x\n", AT)
    writer.finish()
    writer.close()

    again = LogWriter(job_id, 1, max_bytes=1000)
    again.write("stdout", b"x\ny\n", AT)
    again.finish()
    again.close()

    assert raw(job_id) == b"x\n"
    assert logs.read(job_id, 1).complete


def test_a_record_that_is_being_written_is_not_read_yet(job_id: UUID, writer: LogWriter) -> None:
    writer.write("stdout", b"whole\n", AT)
    with logs.log_path(job_id, 1).open("ab") as file:
        file.write(b"\x00\x01\x02")

    assert [line.data for line in read_all(job_id)] == [b"whole"]
    assert [line.data for line in read_all(job_id, tail=5)] == [b"whole"]


@pytest.mark.parametrize("cursor", ["", "x", "5", "1-0", "-1-0", "99999-0", "0-x", "0-0-0", "٣-0"])
def test_a_cursor_that_was_not_given_out_is_refused(job_id: UUID, writer: LogWriter, cursor: str) -> None:
    writer.write("stdout", b"some bytes\n", AT)

    with pytest.raises(InvalidCursor, match="was not given out"):
        logs.read(job_id, 1, cursor=cursor)


def test_a_reader_in_this_process_is_told_of_new_bytes(job_id: UUID, writer: LogWriter) -> None:
    told: list[int] = []
    end = bell.subscribe(logs_topic(job_id), lambda: told.append(1))

    writer.write("stdout", b"x", AT)
    writer.finish()
    end()
    bell.close()

    assert len(told) == 2


def test_what_the_engine_itself_lost_is_said_too(job_id: UUID) -> None:
    with LogWriter(job_id, 1, max_bytes=3) as writer:
        writer.write("stdout", b"12345", AT)
        writer.finish({"stdout": 10, "stderr": 1})

    assert logs.read(job_id, 1).dropped_bytes == {"stdout": 12, "stderr": 1}


def test_a_log_has_one_writer(job_id: UUID, writer: LogWriter) -> None:
    with pytest.raises(BlockingIOError):
        LogWriter(job_id, 1, max_bytes=10)


def test_a_full_disk_leaves_whole_records_and_is_told(job_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    with LogWriter(job_id, 1, max_bytes=1_000_000) as writer:
        writer.write("stdout", b"kept\n", AT)
        real, calls = writer._file, iter([5])

        class Full:
            def write(self, data: memoryview) -> int:
                for most in calls:
                    return int(real.write(data[:most]))
                raise OSError(28, "No space left on device")

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

        monkeypatch.setattr(writer, "_file", Full())
        with pytest.raises(OSError, match="No space"):
            writer.write("stdout", b"lost\n", AT)
        monkeypatch.undo()
        writer.write("stderr", b"later\n", AT)

    assert [line.data for line in read_all(job_id)] == [b"kept", b"later"]


def test_tail_of_a_stream_is_not_cut_by_what_the_other_has_written(job_id: UUID) -> None:
    with LogWriter(job_id, 1, max_bytes=100 * 1024 * 1024) as writer:
        writer.write("stderr", b"wanted\n", AT)
        for _ in range(6):
            writer.write("stdout", b"x" * (1024 * 1024 - 1) + b"\n", AT)

    assert [line.data for line in read_all(job_id, tail=5, streams=["stderr"])] == [b"wanted"]


def test_delete_removes_every_attempt_and_can_be_repeated(job_id: UUID, writer: LogWriter) -> None:
    LogWriter(job_id, 2, max_bytes=10).close()

    logs.delete(job_id)
    logs.delete(job_id)

    assert not logs.log_path(job_id, 1).parent.exists()
