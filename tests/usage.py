"""Shell scripts whose usage is known, for every executor that has a shell."""

from container_manager.executors.results import Usage

MIB = 1 << 20
HOLDS_50_MIB_FOR_100_MS = "dd if=/dev/zero bs=50M count=1 2>/dev/null | (sleep 0.1; cat >/dev/null)"
# By the scheduler's own clock: a `ulimit -t` counts in ticks, and on a busy machine too many of them.
IS_BUSY_FOR_1_S = (
    "ns=0; while [ $ns -lt 1000000000 ]; do i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done;"
    " read ns rest </proc/self/schedstat; done"
)


def cpu(usage: Usage) -> float:
    """Cpu time in seconds, which must be known."""
    assert usage.cpu_user_seconds is not None
    assert usage.cpu_system_seconds is not None
    return usage.cpu_user_seconds + usage.cpu_system_seconds
