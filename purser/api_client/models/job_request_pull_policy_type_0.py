from enum import StrEnum


class JobRequestPullPolicyType0(StrEnum):
    ALWAYS = "always"
    MISSING = "missing"
    NEVER = "never"

    def __str__(self) -> str:
        return str(self.value)
