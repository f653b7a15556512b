"""Every check and every test, as `make test` runs them; `check.py static` or `check.py tests` is one half.

The first that fails ends the run. What the tests need is started here and gone afterwards.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import services

_BIN = Path(sys.executable).parent
_STATIC = (
    ("ruff", "check", "--no-cache", "."),
    ("ruff", "format", "--no-cache", "--check", "."),
    ("mypy",),
    ("lint-imports", "--no-cache"),
    ("vulture",),
    ("python", "manage.py", "check", "--fail-level", "WARNING"),
    ("python", "manage.py", "makemigrations", "--check", "--dry-run"),
)
_PYTEST = ("coverage", "run", "-m", "pytest", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile", "-q")
_IN_PROCESS = ("tests/unit", "tests/api")
_PROGRAMS = {"bwrap": "bubblewrap", "busybox": "busybox-static"}


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pc-") as scratch:  # short: it will hold sockets
        Path(scratch).chmod(0o711)  # PostgreSQL runs as a user of its own
        tempfile.tempdir = scratch
        environment = {
            **os.environ,
            "TMPDIR": scratch,
            "PURSER_DATA_DIR": f"{scratch}/data",
            "MYPY_CACHE_DIR": f"{scratch}/mypy",
            "COVERAGE_FILE": f"{scratch}/coverage",
            "PYTHONPYCACHEPREFIX": f"{scratch}/pycache",
        }
        try:
            run_all(environment)
        except subprocess.CalledProcessError as failure:
            print(f"\nFAILED: {' '.join(str(part) for part in failure.cmd)}")
            return 1
        except services.Missing as missing:
            print(f"\nFAILED: {missing}")
            return 1
    print(f"\nAll passed in {time.monotonic() - began:.0f} s")
    return 0


def run_all(environment: Mapping[str, str]) -> None:
    """Raises CalledProcessError or Missing."""
    halves = sys.argv[1:] or ["static", "tests"]
    if "static" in halves:
        for command in _STATIC:
            run(command, environment)
    if "tests" in halves:
        run_tests(environment)


def run_tests(environment: Mapping[str, str]) -> None:
    """In-process tests on PostgreSQL, then everything on SQLite; tests that start a service do so on both."""
    services.require(_PROGRAMS)
    with services.docker_engine() as engine, services.postgres() as postgres:
        given = {**environment, "DOCKER_HOST": engine, "PURSER_TEST_POSTGRES_URL": postgres}
        run((*_PYTEST, *_IN_PROCESS), {**given, "PURSER_TEST_DATABASE_URL": postgres})
        run(_PYTEST, given)
    run(("coverage", "combine", "--quiet"), environment)
    run(("coverage", "report", "--include", "container_manager/executors/*", "--fail-under", "95"), environment)
    run(("coverage", "report", "--fail-under", "90"), environment)


def run(command: tuple[str, ...], environment: Mapping[str, str]) -> None:
    """Run one program of the virtualenv. Raises CalledProcessError when it fails."""
    print(f"\n== {' '.join(command)}", flush=True)
    subprocess.run([_BIN / command[0], *command[1:]], env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main())
