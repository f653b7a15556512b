"""The service as its users meet it: processes of its own, spoken to over HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 30.0
START_SECONDS = 90.0  # with coverage, on a busy machine
T = TypeVar("T")


def until(look: Callable[[], T], what: str, seconds: float = DEADLINE) -> T:
    """Look again until it is truthy; the test fails at the deadline."""
    give_up = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < give_up, f"{what} did not come within {seconds} s"
        time.sleep(0.02)
    return seen


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Service:
    """One installation: a data directory, a database and a port, and the processes that are started on it."""

    def __init__(self, data_dir: Path, database_url: str = "", **settings: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PURSER_")},
            "PURSER_DATA_DIR": str(data_dir),
            "PURSER_DATABASE_URL": database_url,
            "PURSER_PORT": str(self.port),
            **settings,
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self._resources.close()

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start `manage.py` with a command; its log is `<command>.log` in the data directory."""
        with (self.data_dir / f"{command[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, ROOT / "manage.py", *command], env=self.environment, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def serve(self, *options: str) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers."""
        process = self.start("serve", *options)
        until(lambda: self._answers(process), "an answer of the service", START_SECONDS)
        return process

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` with a command to its end."""
        return subprocess.run(
            [sys.executable, ROOT / "manage.py", *command], env=self.environment, capture_output=True, text=True
        )

    def client(self) -> httpx.Client:
        """Speaks with the first token."""
        token = (self.data_dir / "token").read_text().strip()
        client = httpx.Client(base_url=self.address, headers={"Authorization": f"Bearer {token}"}, timeout=DEADLINE)
        return self._resources.enter_context(client)

    def log(self, command: str) -> str:
        return (self.data_dir / f"{command}.log").read_text()

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, self.log("serve")
        try:
            return httpx.get(f"{self.address}/livez", timeout=5).is_success
        except httpx.TransportError:
            return False


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ask it to stop as a supervisor does, and give its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(DEADLINE)
