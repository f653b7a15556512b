from enum import StrEnum


class Scope(StrEnum):
    ADMIN = "admin"
    EXECUTORSREAD = "executors:read"
    JOBSREAD = "jobs:read"
    JOBSWRITE = "jobs:write"
    METRICSREAD = "metrics:read"

    def __str__(self) -> str:
        return str(self.value)
