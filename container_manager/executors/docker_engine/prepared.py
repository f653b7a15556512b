"""Names of containers that are made ahead of the jobs that they are for."""

import hashlib
import os
import re
import secrets

from container_manager.executors.docker_engine.request import ROLE, ownership

_PREPARED = re.compile(r"purser-[a-z]+-[A-Za-z0-9_.-]+-[0-9a-f]{16}")


class PreparedNames:
    """Those of one role and one executor, among processes that share a directory."""

    def __init__(self, role: str, executor: str, instance: str, shared: str) -> None:
        self.labels = {**ownership(executor, instance), ROLE: role}
        home = hashlib.sha256(os.path.realpath(shared).encode()).hexdigest()[:8]
        self.prefix = f"purser-{role}-{instance}.{executor}-{home}"

    def new(self) -> str:
        return f"{self.prefix}{secrets.token_hex(4)}"

    def is_free(self, name: str) -> bool:
        """Whether it is the name of one that has not been given to an execution."""
        return name.startswith(self.prefix) and is_prepared(name)


def is_prepared(name: str) -> bool:
    return _PREPARED.fullmatch(name) is not None
