from enum import StrEnum


class EventType(StrEnum):
    CANCEL_REQUESTED = "cancel_requested"
    CLEANED = "cleaned"
    STATE = "state"
    TIMED_OUT = "timed_out"

    def __str__(self) -> str:
        return str(self.value)
