"""One database, one real engine, and the processes that use them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = "echo ran >> /out/{n}; echo out; echo err >&2; sleep {seconds}; echo last"


class World:
    """Processes of one installation; see `doomed` for what they can do."""

    def __init__(self, database_url: str, docker_url: str, folder: Path) -> None:
        self.out = folder / "out"
        self.out.mkdir(mode=0o777)
        # The instance keeps what an earlier, failed run has left out of this one's sight.
        options = {"base_url": docker_url, "writable_mount_roots": [str(folder)], "instance": f"faults-{os.getpid()}"}
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PURSER_")},
            "DJANGO_SETTINGS_MODULE": "api.settings",
            "PURSER_DATABASE_URL": database_url,
            "PURSER_DATA_DIR": str(folder / "data"),
            "PURSER_EXECUTORS": json.dumps({"docker": {"OPTIONS": options}}),
            "PURSER_REPORT_SECONDS": "0.2",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments), env=self._environment, capture_output=True, text=True, timeout=120
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.out.parent / "processes.log").open("ab") as log:
            return subprocess.Popen(self._command(*arguments), env=self._environment, stdout=log, stderr=log)

    def request(self, *, seconds: str = "0.3", **fields: Any) -> str:
        """A job that writes a line to a file of its own number when it runs."""
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

    def runs(self) -> dict[str, int]:
        """How often each job has run, as the jobs themselves have written down."""
        return {path.name: path.read_text().count("ran\n") for path in self.out.iterdir()}

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "tests.faults.doomed", *arguments]
