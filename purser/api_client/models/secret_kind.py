from enum import StrEnum


class SecretKind(StrEnum):
    ENV = "env"
    FILE = "file"

    def __str__(self) -> str:
        return str(self.value)
