from enum import StrEnum


class GetExecutorJobLogsUnit(StrEnum):
    CHUNK = "chunk"
    LINE = "line"

    def __str__(self) -> str:
        return str(self.value)
