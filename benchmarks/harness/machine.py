"""Where and when it was measured."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def describe() -> dict[str, str]:
    """What tells a reader how far the figures carry."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _first_line("git", "-C", str(_ROOT), "describe", "--always", "--dirty"),
        "cpu": f"{os.cpu_count()} cores, {_field('/proc/cpuinfo', 'model name')}",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 1024**2:.0f} GiB",
        "kernel": platform.release(),
        "system": _field("/etc/os-release", "PRETTY_NAME", "=").strip('"'),
        "python": sys.version.split()[0],
        "load of others at the start": load,
    }


def _field(path: str, name: str, sign: str = ":") -> str:
    for line in Path(path).read_text().splitlines():
        key, found, value = line.partition(sign)
        if found and key.strip() == name:
            return value.strip()
    return "unknown"


def _first_line(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return (done.stdout.splitlines() or ["unknown"])[0]
