"""A process that launches one job on a docker executor with a warm pool, and kills itself at an edge of a span.

`doomed_launch CONFIG JOB NAME:EDGE`
"""

import json
import os
import signal
import sys

from container_manager import spans
from container_manager.executors.docker import DockerExecutor
from container_manager.spec import JobSpec
from tests import engine


def main(config: str, job: str, place: str) -> None:
    executor = DockerExecutor(json.loads(config), name="docker")
    engine.fill_warm_pools(executor)
    spans.observe(lambda event: _die() if f"{event.name}:{event.edge}" == place else None)
    executor.launch_job(JobSpec.model_validate_json(job))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
