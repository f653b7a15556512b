"""One database, one real engine, and the processes that use them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests import engine

# The hostname is the engine's id of the container: who has run, and whose log it is.
SCRIPT = "hostname >> /out/{n}; hostname; echo out; echo err >&2; sleep {seconds}; echo last"


class World:
    """Processes of one installation; see `doomed` for what they can do."""

    def __init__(self, database_url: str, docker_url: str, folder: Path, **settings: str) -> None:
        self._docker_url = docker_url
        self.out = folder / "out"
        self.out.mkdir(mode=0o777)
        # The instance keeps what an earlier, failed run has left out of this one's sight.
        self._instance = f"faults-{os.getpid()}"
        options = {"base_url": docker_url, "writable_mount_roots": [str(folder)], "instance": self._instance}
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PURSER_")},
            "DJANGO_SETTINGS_MODULE": "api.settings",
            "PURSER_DATABASE_URL": database_url,
            "PURSER_DATA_DIR": str(folder / "data"),
            "PURSER_EXECUTORS": json.dumps({"docker": {"OPTIONS": options}}),
            "PURSER_REPORT_SECONDS": "0.2",
            **settings,
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments), env=self._environment, capture_output=True, text=True, timeout=300
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.out.parent / "processes.log").open("ab") as log:
            return subprocess.Popen(
                self._command(*arguments), env=self._environment, stdout=subprocess.PIPE, stderr=log
            )

    @contextmanager
    def frozen(self, place: str, request: str) -> Iterator["Frozen"]:
        """A dispatcher that has accepted one job, and has stopped dead where it was with it."""
        with self.start("freeze_at", place, "1", request) as process:
            try:
                os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
                assert process.poll() is None, "it has ended and was to stop"
                yield Frozen(process)
            finally:
                process.kill()

    def accept(self, count: int, request: str) -> None:
        """Have that many jobs in the books, the number of each in place of `{n}`."""
        accepted = self.run("accept", str(count), request)
        assert accepted.returncode == 0, accepted.stderr

    def request(self, *, seconds: str = "0.3", **fields: Any) -> str:
        """A job that writes its container's name to a file of its own number when it runs."""
        asked = {
            "image": "busybox:local",
            "command": ["sh", "-c", SCRIPT.replace("{seconds}", seconds)],
            "mounts": [{"type": "bind", "source": str(self.out), "target": "/out", "read_only": False}],
        }
        return json.dumps({**asked, **fields})

    def books(self) -> dict[str, Any]:
        """Dispatch what is left until every job is cleaned; then what the books say."""
        done = self.run("dispatch")
        assert done.returncode == 0, done.stderr
        books: dict[str, Any] = json.loads(done.stdout)
        return books

    def left(self, books: dict[str, Any]) -> list[str]:
        """What is still held of these jobs, and what engine and kernel have of them, which are asked themselves."""
        held = [f"used {row}" for row in books["used"] if any(row)] + ["allocation"] * books["allocations"]
        with closing(engine.client(self._docker_url)) as client:
            labels = {"label": f"purser.instance={self._instance}"}
            containers = [str(one["Names"]) for one in client.containers(all=True, filters=labels)]
        groups = [str(path) for job in books["jobs"] for path in Path("/sys/fs/cgroup").glob(f"*/purser-{job['id']}-*")]
        return [*held, *books["executions"], *containers, *groups]

    def runs(self) -> dict[str, list[str]]:
        """The containers that each job has run in, as they themselves have written down."""
        return {path.name: path.read_text().split() for path in self.out.iterdir()}

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "tests.faults.doomed", *arguments]


class Frozen:
    """A dispatcher that does not know how the time passes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def wakes(self) -> dict[str, Any]:
        """Let it go on until there is nothing to do; then what the books say."""
        self._process.send_signal(signal.SIGCONT)
        told, _ = self._process.communicate(timeout=120)
        assert self._process.returncode == 0
        books: dict[str, Any] = json.loads(told)
        return books


class Dispatchers:
    """Some dispatchers of a world that are killed, and started anew as a supervisor would."""

    def __init__(self, world: World, count: int) -> None:
        self._world = world
        self._living = [world.start("dispatch_on") for _ in range(count)]
        self.ends: Counter[str] = Counter()

    def kill(self, number: int, after_seconds: float) -> None:
        """Kill one so long after it is up, whatever it is doing then, and start its successor."""
        if (output := self._living[number].stdout) is not None and output.readline():
            time.sleep(after_seconds)
        self._living[number].kill()
        self._note(self._living[number])
        self._living[number] = self._world.start("dispatch_on")

    def revive(self) -> None:
        """Start a successor for each that has ended by itself, as one that finds no database at its start does."""
        for number, process in enumerate(self._living):
            if process.poll() is not None:
                self._note(process)
                self._living[number] = self._world.start("dispatch_on")

    def close(self) -> None:
        for process in self._living:
            process.kill()
            self._note(process)

    def _note(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is not None:
            process.stdout.close()
        self.ends["killed" if process.wait() == -signal.SIGKILL else "ended by themselves"] += 1
