from enum import StrEnum


class Via(StrEnum):
    API = "api"
    COMMAND = "command"

    def __str__(self) -> str:
        return str(self.value)
