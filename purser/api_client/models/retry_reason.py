from enum import StrEnum


class RetryReason(StrEnum):
    COMMAND_NOT_FOUND = "command_not_found"
    ENGINE_LOST = "engine_lost"
    EXIT_NONZERO = "exit_nonzero"
    IMAGE_AUTH = "image_auth"
    IMAGE_NOT_FOUND = "image_not_found"
    IMAGE_PULL_FAILED = "image_pull_failed"
    LAUNCH_ERROR = "launch_error"
    OOM = "oom"
    SIGNAL = "signal"
    TIMEOUT = "timeout"

    def __str__(self) -> str:
        return str(self.value)
