from enum import StrEnum


class ExecutionStatus(StrEnum):
    CREATED = "created"
    EXITED = "exited"
    FAILED = "failed"
    NOT_FOUND = "not-found"
    RUNNING = "running"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return str(self.value)
