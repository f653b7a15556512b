"""Following a log of 100 MB as it is written, beside a raw `attach` that was opened before the start."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO
from uuid import uuid4

from docker import APIClient

from benchmarks.harness import jobs, svg
from benchmarks.harness.findings import Findings, Goal, Line, spread
from benchmarks.harness.http import Connection
from benchmarks.harness.processes import Meter
from benchmarks.harness.statistics import interleaved, median, quantile
from benchmarks.harness.world import Purser, World, docker_executor

_FIRST, _LINE = 1_000_000_000, 100
_PIECE = 65536
_STREAMS = ("stdout", "stderr")
_PADDING = {"stdout": "o" * (_LINE - 11) + "\n", "stderr": "e" * (_LINE - 11) + "\n"}
_FLAT_MIB = 32  # growth that is called flat: a third of what is followed


@dataclass(slots=True)
class Heard:
    """What came of each stream, when the first and the last byte of any did, and what the service's memory did."""

    digests: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    first: float = 0
    last: float = 0
    before_mib: float = 0
    peak_mib: float = 0

    @property
    def speed(self) -> float:
        """In MB/s, from the first byte to the last."""
        return sum(self.sizes.values()) / 1e6 / (self.last - self.first)


def run(world: World) -> Findings:
    """Speed and completeness of a large log in turns with the raw copy; the first byte of small ones."""
    lines, rounds, launches = (50_000, 2, 5) if world.small else (1_000_000, 5, 50)
    executor = world.executor_of("docker")
    executors = {"docker": docker_executor(world.engine)}
    with (
        world.purser(executors, PURSER_LOG_MAX_BYTES=str(1024**3)) as purser,
        purser.connection() as asked,
        jobs.raw_client(world.engine) as engine,
    ):
        _followed(purser, asked, executor, lines // 10)  # what is loaded and made once is there then
        ways: dict[str, Callable[[], Heard]] = {
            "Purser": partial(_followed, purser, asked, executor, lines),
            "raw attach": partial(_attached, engine, lines),
        }
        found = interleaved(ways, rounds)
        waits = _first_bytes(purser, asked, executor, launches)
    _require_all(found, lines)
    return _findings(found, waits, lines, rounds)


def _command(lines: int) -> list[str]:
    """Half of the lines to each stream at once, numbered, each of 100 bytes."""
    last = _FIRST + lines // 2 - 1
    writes = (f"seq -s '{padding}' {_FIRST} {last} >&{number}" for number, padding in enumerate(_PADDING.values(), 1))
    return ["sh", "-c", f"{' & '.join(writes)}; wait"]


def _expected(lines: int) -> dict[str, str]:
    """The digest of each stream as the job writes it."""
    digests = {}
    for stream, padding in _PADDING.items():
        text = padding.join(str(number_) for number_ in range(_FIRST, _FIRST + lines // 2)) + "\n"
        digests[stream] = hashlib.sha256(text.encode()).hexdigest()
    return digests


def _followed(purser: Purser, asked: Connection, executor: str, lines: int) -> Heard:
    """Launch it and follow each stream over a connection of its own from before its start."""
    heard = Heard()
    job = jobs.launch(asked, executor, jobs.body(*_command(lines)))["id"]
    parts: dict[str, Heard] = {}

    def follow(stream: str) -> None:
        with purser.connection() as following:
            parts[stream] = _read(_pieces(following, job, stream))

    with Meter(purser.pids) as meter:
        heard.before_mib = meter.first_mib
        followers = [threading.Thread(target=follow, args=[stream]) for stream in _STREAMS]
        for follower in followers:
            follower.start()
        for follower in followers:
            follower.join()
    heard.peak_mib = meter.peak_mib
    for part in parts.values():
        heard.digests |= part.digests
        heard.sizes |= part.sizes
    heard.first, heard.last = min(p.first for p in parts.values()), max(p.last for p in parts.values())
    jobs.cleaned(asked, job)
    return heard


def _pieces(asked: Connection, job: str, stream: str = "") -> Iterator[tuple[str, bytes]]:
    narrowed = f"&stream={stream}" if stream else ""
    path = f"/api/v1/jobs/{job}/logs?follow=true{narrowed}"
    answer = asked.send("GET", path, headers={"Accept": "text/plain"})
    while piece := answer.read1(_PIECE):
        yield stream, piece


def _attached(engine: APIClient, lines: int) -> Heard:
    """The same from the engine's own socket."""
    name = f"benchmark-{uuid4().hex}"
    engine.create_container_from_config(jobs.engine_request(*_command(lines)), name)
    parameters = {"stdout": 1, "stderr": 1, "stream": 1}
    with closing(engine.attach_socket(name, params=parameters)) as attached:
        engine.start(name)
        with attached._sock.makefile("rb", _PIECE) as frames:
            heard = _read(_frames(frames))
    engine.remove_container(name, force=True)
    return heard


def _frames(source: BinaryIO) -> Iterator[tuple[str, bytes]]:
    while head := source.read(8):
        yield _STREAMS[head[0] - 1], source.read(int.from_bytes(head[4:], "big"))


def _read(pieces: Iterator[tuple[str, bytes]]) -> Heard:
    heard, digests = Heard(), {stream: hashlib.sha256() for stream in _STREAMS}
    for stream, piece in pieces:
        heard.first = heard.first or time.perf_counter()
        digests[stream].update(piece)
        heard.sizes[stream] = heard.sizes.get(stream, 0) + len(piece)
    heard.last = time.perf_counter()
    heard.digests = {stream: digests[stream].hexdigest() for stream in heard.sizes}
    return heard


def _first_bytes(purser: Purser, asked: Connection, executor: str, launches: int) -> dict[str, list[float]]:
    """How long, in milliseconds, from its writing to its arrival, and from asking for what has been written."""
    found: dict[str, list[float]] = {"written to received": [], "asked to received": []}
    for _ in range(launches):
        command = ["sh", "-c", "cat /proc/uptime; sleep 1000"]
        job = jobs.launch(asked, executor, jobs.body(*command, grace_seconds=0))["id"]
        found["written to received"].append(_since_written(purser, job))
        found["asked to received"].append(_since_asked(purser, job))
        asked.ask("DELETE", f"/api/v1/jobs/{job}")
        jobs.cleaned(asked, job)
    return found


def _since_written(purser: Purser, job: str) -> float:
    """By the clock of the kernel, which both sides read; the job's is cut to 10 ms."""
    with purser.connection() as following:
        _, piece = next(_pieces(following, job))
        return (time.clock_gettime(time.CLOCK_BOOTTIME) - float(piece.split()[0])) * 1000


def _since_asked(purser: Purser, job: str) -> float:
    with purser.connection() as following:
        began = time.perf_counter()
        next(_pieces(following, job))
        return (time.perf_counter() - began) * 1000


def _require_all(found: Mapping[str, list[Heard]], lines: int) -> None:
    """Raises RuntimeError when a byte is lost, or in the other stream."""
    expected = _expected(lines)
    for name, each in found.items():
        for heard in each:
            if heard.digests != expected:
                raise RuntimeError(f"{name}: of {lines * _LINE} bytes {heard.sizes} came, or they are others")


def _findings(found: Mapping[str, list[Heard]], waits: Mapping[str, list[float]], lines: int, rounds: int) -> Findings:
    speeds = {name: [heard.speed for heard in each] for name, each in found.items()}
    grown = max(heard.peak_mib - heard.before_mib for heard in found["Purser"])
    return Findings(
        f"Following a log of {lines * _LINE / 1e6:g} MB",
        [
            f"{lines:,} numbered lines of {_LINE} bytes, half of them to stderr, {rounds} turns",
            "each stream is followed as `text/plain` over a connection of its own",
            "raw: one `attach` that was opened before the start",
            "the sha256 of each stream was as written, in every turn of both",
            "first byte: a job that prints the kernel's clock and sleeps",
        ],
        [
            Line("speed", "MB/s", median(speeds["Purser"]), median(speeds["raw attach"]), Goal(0.5, at_least=True)),
            Line("memory while it is followed, growth", "MiB", grown, None, Goal(_FLAT_MIB, "figure")),
            *(
                Line(f"first byte, {name}, p95", "ms", quantile(each, 0.95), None, Goal(100, "figure"))
                for name, each in waits.items()
            ),
        ],
        [spread(waits, "ms")],
        {"logs": svg.bars("Following a log", "MB/s", {name: median(each) for name, each in speeds.items()})},
    )
