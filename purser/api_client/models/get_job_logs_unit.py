from enum import StrEnum


class GetJobLogsUnit(StrEnum):
    CHUNK = "chunk"
    LINE = "line"

    def __str__(self) -> str:
        return str(self.value)
