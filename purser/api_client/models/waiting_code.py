from enum import StrEnum


class WaitingCode(StrEnum):
    BACKOFF = "backoff"
    BREAKER = "breaker"
    CAPACITY = "capacity"
    EXECUTOR = "executor"
    QUEUE = "queue"
    QUOTA = "quota"

    def __str__(self) -> str:
        return str(self.value)
