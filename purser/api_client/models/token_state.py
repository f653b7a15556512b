from enum import StrEnum


class TokenState(StrEnum):
    EXPIRED = "expired"
    REVOKED = "revoked"
    VALID = "valid"

    def __str__(self) -> str:
        return str(self.value)
