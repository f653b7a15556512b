"""The engine's frames, turned back into what was written."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container_manager.executors.docker_engine.logs import LogReader


def at(tick: int) -> bytes:
    return b"2026-01-01T00:00:%02d.%09dZ" % divmod(tick, 1_000_000_000)


def frame(data: bytes, tick: int, stream: int = 1) -> bytes:
    body = at(tick) + b" " + data
    return struct.pack(">BxxxL", stream, len(body)) + body


def read(reader: LogReader, *batches: bytes) -> dict[str, bytes]:
    frames = [frame for batch in batches for frame in reader.feed(batch)]
    frames += reader.finish()
    return {name: b"".join(f.data for f in frames if f.stream == name) for name in {f.stream for f in frames}}


def test_neighbours_of_one_stream_are_one_frame() -> None:
    frames = list(LogReader().feed(frame(b"a\n", 1) + frame(b"b\n", 2) + frame(b"c\n", 3, 2)))
    assert [(f.stream, f.data) for f in frames] == [("stdout", b"a\nb\n"), ("stderr", b"c\n")]


def test_a_newline_that_the_engine_left_out_is_put_back() -> None:
    split = frame(b"x" * 16384, 1) + frame(b"y", 1) + frame(b"next\n", 2)
    assert read(LogReader(), split) == {"stdout": b"x" * 16384 + b"y\nnext\n"}


def test_an_empty_last_piece_is_a_newline() -> None:
    assert read(LogReader(), frame(b"x" * 16384, 1) + frame(b"", 1)) == {"stdout": b"x" * 16384 + b"\n"}


def test_an_end_without_newline_stays_without() -> None:
    assert read(LogReader(), frame(b"end", 1)) == {"stdout": b"end"}


@given(lines=st.lists(st.tuples(st.binary(max_size=40), st.sampled_from([1, 2]))), cut=st.integers(1, 50))
def test_batches_may_be_cut_anywhere(lines: list[tuple[bytes, int]], cut: int) -> None:
    whole = b"".join(frame(data + b"\n", tick, stream) for tick, (data, stream) in enumerate(lines, 1))
    batches = [whole[begin : begin + cut] for begin in range(0, len(whole), cut)]
    assert read(LogReader(), *batches) == read(LogReader(), whole)


@pytest.mark.parametrize("broken_after", range(6))
def test_a_log_that_is_read_again_is_not_told_twice(broken_after: int) -> None:
    second = 1_000_000_000
    frames = [
        frame(b"x" * 20, 2 * second),
        frame(b"y\n", 2 * second),
        frame(b"err\n", 2 * second + 1, 2),
        frame(b"z\n", 2 * second + 2),
        frame(b"z\n", 2 * second + 3),
        frame(b"end", 2 * second + 4),
    ]
    reader = LogReader()
    first = list(reader.feed(b"".join(frames[:broken_after]) + b"\x01\x00"))
    since = reader.resume()
    rest = list(reader.feed(b"".join(frames)))
    assert b"".join(f.data for f in first + rest if f.stream == "stdout") == b"x" * 20 + b"y\nz\nz\nend"
    assert since == 0 if not broken_after else since > 0
