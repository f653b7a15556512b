from enum import StrEnum


class DriftCause(StrEnum):
    ATTEMPT_CLEANED = "attempt_cleaned"
    UNKNOWN_ATTEMPT = "unknown_attempt"

    def __str__(self) -> str:
        return str(self.value)
