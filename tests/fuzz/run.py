"""Fuzz the API of a live server: `python -m tests.fuzz.run [cases]`. Exits 1 for a fault or for too few cases.

Three runs of schemathesis at a time: with a token and all kinds of requests, with a token and requests as the contract
has them, and without a token.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.service import ROOT, Service, until

CASES = 20_000
ANSWERED_2XX = 0.3
_SETTINGS = {
    "PURSER_MAX_WAIT_SECONDS": "0.2",
    "PURSER_LOG_LEVEL": "warning",
    "PURSER_RATE_LIMIT": "none",
    "PURSER_FAILURE_LIMIT": "none",
    "PURSER_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
    "PURSER_WEBHOOK_RETRY_SECONDS": "1",
}
_FAULT_LINES = 400


class Run:
    """One run of schemathesis: what it is called, whether it has a token, and its own options."""

    def __init__(self, name: str, token: str, *options: str) -> None:
        self.name, self.token, self.options = name, token, options
        self.counts: Counter[str] = Counter()

    def start(self, address: str, folder: Path, examples: int, jobs: str) -> None:
        self._counts_file, self._log = folder / f"{self.name}.json", folder / f"{self.name}.log"
        config = folder / f"{self.name}.toml"
        config.write_text((ROOT / "tests/fuzz/schemathesis.toml").read_text() + _auth(self.token))
        command = [
            str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config), "run",
            str(ROOT / "openapi.yaml"), "--url", address, "--max-examples", str(examples), *self.options,
        ]  # fmt: skip
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PURSER_FUZZ_COUNTS": str(self._counts_file),
            "PURSER_FUZZ_JOBS": jobs,
            "PURSER_FUZZ_TOKEN": self.token,
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    def finish(self) -> bool:
        """Whether it found no fault; what it found is printed."""
        code = self._process.wait()
        if self._counts_file.exists():
            self.counts.update(json.loads(self._counts_file.read_text()))
        if code:
            sys.stdout.write("\n".join(self._log.read_text(errors="replace").splitlines()[-_FAULT_LINES:]))
        return code == 0

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def cases(self) -> int:
        return sum(count for name, count in self.counts.items() if name.endswith("xx"))


def _auth(token: str) -> str:
    return f'\n[auth.openapi.bearer]\nbearer = "{token}"\n' if token else ""


@contextmanager
def service() -> Iterator[Service]:
    """A server with the mock executor alone, whose held answers are short."""
    with tempfile.TemporaryDirectory(prefix="purser-fuzz-") as folder:
        executors = {"mock": {"OPTIONS": {"state_dir": f"{folder}/mock"}}}
        with Service(Path(folder), PURSER_EXECUTORS=json.dumps(executors), **_SETTINGS) as serving:
            serving.serve()
            yield serving


def fuzz(examples: int, folder: Path, *without_token: str) -> tuple[bool, Sequence[Run]]:
    """Whether no fault was found, and the runs; the last arguments are options of the run without a token."""
    with service() as serving:
        token = (serving.data_dir / "token").read_text().strip()
        jobs = ",".join(_launch(serving))
        runs = (Run("all", token), Run("valid", token, "--mode", "positive"), Run("no-token", "", *without_token))
        try:
            for run in runs:
                run.start(serving.address, folder, examples, jobs)
            found = [run.finish() for run in runs]
        finally:
            for run in runs:
                run.stop()
    return all(found), runs


def _launch(serving: Service) -> list[str]:
    """Some jobs to begin with, which have ended."""
    client = serving.client()
    asked = {"command": ["true"], "scenario": {"output": [{"text": "hello\n"}, {"stream": "stderr", "text": "oh"}]}}
    path, wait = "/api/v1/executors/mock/jobs", {"Prefer": "wait=30"}
    launched = [str(client.post(path, json=asked, headers=wait).json()["id"]) for _ in range(20)]
    ended: dict[str, Any] = {"state": ["succeeded", "failed"], "limit": 20}
    until(lambda: len(client.get("/api/v1/jobs", params=ended).json()["results"]) == len(launched), "their ends")
    return launched


def share(runs: Sequence[Run]) -> float:
    """How many of the requests with a token were answered with 2xx."""
    with_token = [run for run in runs if run.token]
    return sum(run.counts["2xx"] for run in with_token) / max(sum(run.cases for run in with_token), 1)


def table(runs: Sequence[Run]) -> str:
    """The counts by class of status."""
    rows = [f"{run.name:>9}: {run.cases:6} cases  {_classes(run.counts)}" for run in runs]
    return "\n".join([*rows, f"{'together':>9}: {sum(run.cases for run in runs):6} cases, {share(runs):.1%} 2xx"])


def _classes(counts: Mapping[str, int]) -> str:
    return "  ".join(f"{name} {counts.get(name, 0)}" for name in ("2xx", "4xx", "5xx"))


def main(examples: int = 130) -> int:
    with tempfile.TemporaryDirectory(prefix="purser-fuzz-runs-") as folder:
        clean, runs = fuzz(int(sys.argv[1]) if len(sys.argv) > 1 else examples, Path(folder))
    sys.stdout.write(f"{table(runs)}\n")
    enough = sum(run.cases for run in runs) >= CASES and share(runs) >= ANSWERED_2XX
    return 0 if clean and enough else 1


if __name__ == "__main__":
    sys.exit(main())
