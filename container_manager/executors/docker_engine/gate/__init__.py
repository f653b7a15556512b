"""The gate: the small program that waits in a container until there is a job for it. Its source says what it does."""

from pathlib import Path

_FOLDER = Path(__file__).parent
_ARCHITECTURES = ("x86_64", "aarch64")


def program(architecture: str) -> bytes | None:
    """The program for an architecture as an engine or `uname -m` names it; None where there is none."""
    return (_FOLDER / f"gate-{architecture}").read_bytes() if architecture in _ARCHITECTURES else None
