"""Measures what the service promises about its speed, each figure beside its baseline.

make bench                                            # everything; writes docs/benchmarks.md
.venv/bin/python -m benchmarks cold reads             # these sections; prints what it would write
.venv/bin/python -m benchmarks --small cold           # a quick look: too few to be quoted
.venv/bin/python -m benchmarks cold --url http://… --token … --executor docker    # a service that runs already
"""

import argparse
import importlib
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import report
from benchmarks.harness.findings import Findings
from benchmarks.harness.world import NotHere, World
from tests.services import Missing

SECTIONS = ("cold", "throughput", "accept", "reads", "lists", "idle", "logs", "recovery")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], help="default: all")
    parser.add_argument("--write", type=Path, help="the folder to write benchmarks.md and its plots into")
    parser.add_argument("--small", action="store_true", help="few and short, to see whether it runs")
    parser.add_argument("--url", default="", help="measure the service at this address")
    parser.add_argument("--token", default="", help="with --url: a token that may launch, read, and see metrics")
    parser.add_argument("--executor", default="", help="with --url: the executor to launch on")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what was started is ended
    try:
        with World(asked.small, asked.url, asked.token, asked.executor) as world:
            found = measure(world, asked.sections or SECTIONS)
    except (NotHere, Missing) as error:
        print(error, file=sys.stderr)
        return 2
    if asked.write:
        print(f"written to {report.write(asked.write, world.machine, found)}")
    else:
        print(report.markdown(world.machine, found))
    return 0


def measure(world: World, names: Sequence[str]) -> list[Findings]:
    """What each of these sections finds."""
    found = []
    for name in names:
        began = time.monotonic()
        section = importlib.import_module(f"benchmarks.{name}")
        findings: Findings = section.run(world)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        found.append(findings)
    return found


if __name__ == "__main__":
    sys.exit(main())
