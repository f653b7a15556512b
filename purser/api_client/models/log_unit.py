from enum import StrEnum


class LogUnit(StrEnum):
    CHUNK = "chunk"
    LINE = "line"

    def __str__(self) -> str:
        return str(self.value)
