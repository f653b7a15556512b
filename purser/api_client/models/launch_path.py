from enum import StrEnum


class LaunchPath(StrEnum):
    COLD = "cold"
    PREPARED_NETWORK = "prepared_network"
    WARM = "warm"

    def __str__(self) -> str:
        return str(self.value)
