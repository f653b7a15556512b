from enum import StrEnum


class Phase(StrEnum):
    CANCEL_REQUESTED = "cancel_requested"
    CLEANUP = "cleanup"
    ENDED = "ended"
    LAUNCHING = "launching"
    PULLING = "pulling"
    QUEUED = "queued"
    RUNNING = "running"
    TIMED_OUT = "timed_out"

    def __str__(self) -> str:
        return str(self.value)
