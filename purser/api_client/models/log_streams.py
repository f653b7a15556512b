from enum import StrEnum


class LogStreams(StrEnum):
    BOTH = "both"
    STDERR = "stderr"
    STDOUT = "stdout"

    def __str__(self) -> str:
        return str(self.value)
