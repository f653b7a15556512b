"""Limits of a process job that the kernel enforces, how it ends by them, and what it has used."""

import os
import signal
from typing import Any

from container_manager.states import ExecutionStatus
from tests.contract.rig import Rig
from tests.unit.process_base import BUBBLEWRAP, NO_GROUPS, PLAIN, OnThisHost, groups, living, outcome, python, shell
from tests.usage import HOLDS_50_MIB_FOR_100_MS, IS_BUSY_FOR_1_S, MIB, cpu

FORK_UNTIL_REFUSED = """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(60)
        made += 1
except BlockingIOError:
    pass
print(made, flush=True)
"""
FORK_BOMB = "while :; do (sleep 60 &) 2>/dev/null; done"


class TestInBubblewrap(OnThisHost):
    options: dict[str, Any] = BUBBLEWRAP

    def test_a_job_over_its_memory_is_killed_and_that_is_known(self, rig: Rig) -> None:
        execution = outcome(rig, python(rig, "x = bytearray(200 << 20)", memory_mib=64))[0]
        assert (execution.status, execution.oom_killed) == (ExecutionStatus.FAILED, True)
        assert (execution.exit_code, execution.signal) == (137, signal.SIGKILL)

    def test_a_child_over_the_memory_is_evidence_beside_exit_0(self, rig: Rig) -> None:
        script = "/usr/bin/python3 -c 'x = bytearray(200 << 20)'; exit 0"
        execution = outcome(rig, shell(rig, script, memory_mib=64))[0]
        assert (execution.status, execution.exit_code, execution.oom_killed) == (ExecutionStatus.EXITED, 0, True)

    def test_its_tmp_counts_as_its_memory(self, rig: Rig) -> None:
        script = "dd if=/dev/zero of=/dev/shm/purser-test bs=1M count=100; echo end"
        if rig.executor.capabilities.isolation == "bubblewrap":
            assert outcome(rig, shell(rig, script, memory_mib=32))[0].oom_killed

    def test_processes_are_bounded(self, rig: Rig) -> None:
        assert outcome(rig, python(rig, FORK_UNTIL_REFUSED, pids_limit=20))[1] == "19\n"

    def test_processes_are_bounded_when_no_limit_is_asked(self, rig: Rig) -> None:
        rig.executor.options = rig.executor.options.model_copy(update={"max_pids_limit": 30})
        assert outcome(rig, python(rig, FORK_UNTIL_REFUSED))[1] == "29\n"

    def test_a_fork_bomb_is_bounded_and_removed(self, rig: Rig) -> None:
        execution_id = shell(rig, "echo ready; " + FORK_BOMB, pids_limit=40)
        rig.ready(execution_id)
        rig.until(lambda: len(living(execution_id)) >= 35, "the bomb")
        assert len(living(execution_id)) <= 42
        assert rig.executor.cleanup(execution_id)
        assert living(execution_id) == []
        assert groups(execution_id) == []

    def test_cpu_is_bounded(self, rig: Rig) -> None:
        script = (
            "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
        )
        assert float(outcome(rig, python(rig, script, cpu_cores=0.1))[1]) < 0.4

    def test_a_share_of_a_thousandth_can_be_had(self, rig: Rig) -> None:
        execution_id = rig.launch("job", command=["sleep", "60"], cpu_cores=0.001)
        assert rig.executor.check_status(execution_id) == ExecutionStatus.RUNNING

    def test_the_peak_is_the_memory_that_was_held_for_100_ms(self, rig: Rig) -> None:
        empty = outcome(rig, shell(rig, "true"))[0].usage.peak_memory_bytes
        held = outcome(rig, shell(rig, HOLDS_50_MIB_FOR_100_MS))[0].usage.peak_memory_bytes
        assert empty is not None
        assert held is not None
        assert 0 < empty < 16 * MIB
        assert 45 * MIB <= held <= 55 * MIB + empty

    def test_cpu_time_is_that_of_a_busy_second(self, rig: Rig) -> None:
        empty = cpu(outcome(rig, shell(rig, "true"))[0].usage)
        assert 0 < empty < 0.5
        assert 0.9 <= cpu(outcome(rig, shell(rig, IS_BUSY_FOR_1_S, cpu_cores=1))[0].usage) <= 1.1 + empty

    def test_usage_is_what_was_used(self, rig: Rig) -> None:
        script = "x = bytearray(50 << 20)\nimport time\nwhile time.process_time() < 0.3: pass"
        usage = outcome(rig, python(rig, script, memory_mib=256))[0].usage
        assert usage.cpu_user_seconds is not None
        assert usage.cpu_system_seconds is not None
        assert 50 << 20 < (usage.peak_memory_bytes or 0) < 100 << 20
        assert 0.25 < usage.cpu_user_seconds + usage.cpu_system_seconds < 1.5

    def test_the_group_is_there_while_it_runs_and_gone_when_it_ended(self, rig: Rig) -> None:
        execution_id = shell(rig, "echo ready; read line", stdin="")
        outcome(rig, execution_id)
        assert groups(execution_id) == []
        execution_id = shell(rig, "echo ready; sleep 60")
        rig.ready(execution_id)
        assert len(groups(execution_id)) == 5
        rig.executor.stop(execution_id, 0)
        rig.ended(execution_id)
        assert groups(execution_id) == []


class TestPlain(TestInBubblewrap):
    options = PLAIN


class HowItEnds(OnThisHost):
    def test_a_kill_of_ours_is_a_known_signal(self, rig: Rig) -> None:
        execution_id = shell(rig, "trap '' TERM; echo ready; exec sleep 60")
        rig.ready(execution_id)
        rig.executor.stop(execution_id, 0)
        execution = rig.ended(execution_id)
        assert (execution.exit_code, execution.signal, execution.oom_killed) == (137, signal.SIGKILL, False)

    def test_a_sigterm_of_ours_is_a_known_signal(self, rig: Rig) -> None:
        execution_id = shell(rig, "echo ready; exec sleep 60")
        rig.ready(execution_id)
        rig.executor.stop(execution_id, 30)
        execution = rig.ended(execution_id)
        assert (execution.exit_code, execution.signal) == (143, signal.SIGTERM)

    def test_a_job_may_answer_a_sigterm_in_its_own_way(self, rig: Rig) -> None:
        execution_id = shell(rig, "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done")
        rig.ready(execution_id)
        rig.executor.stop(execution_id, 30)
        execution, stdout, _ = outcome(rig, execution_id)
        assert (execution.exit_code, execution.signal, stdout) == (5, None, "ready\nbye\n")

    def test_a_sigterm_right_after_the_launch_is_not_lost(self, rig: Rig) -> None:
        execution_id = rig.launch("job", command=["sleep", "60"])
        rig.executor.stop(execution_id, 30)
        assert rig.ended(execution_id).exit_code == 143

    def test_its_whole_process_group_gets_the_sigterm(self, rig: Rig) -> None:
        script = (
            "(trap 'echo child; exit' TERM; echo ready; while :; do sleep 0.05; done) & trap 'wait; exit 0' TERM; wait"
        )
        execution_id = shell(rig, script)
        rig.ready(execution_id)
        rig.executor.stop(execution_id, 30)
        assert outcome(rig, execution_id)[1] == "ready\nchild\n"

    def test_an_exit_code_over_128_is_no_signal(self, rig: Rig) -> None:
        execution = outcome(rig, shell(rig, "exit 137"))[0]
        assert (execution.exit_code, execution.signal) == (137, None)

    def test_times_are_those_of_the_command(self, rig: Rig) -> None:
        execution = outcome(rig, shell(rig, "sleep 0.3"))[0]
        assert execution.started_at is not None
        assert execution.finished_at is not None
        assert 0.3 <= (execution.finished_at - execution.started_at).total_seconds() < 5


class TestHowItEndsInBubblewrap(HowItEnds):
    options = BUBBLEWRAP

    def test_a_signal_that_nobody_is_known_to_have_sent_is_an_exit_code(self, rig: Rig) -> None:
        execution = outcome(rig, shell(rig, "kill -SEGV $$"))[0]
        assert (execution.exit_code, execution.signal) == (139, None)


class TestHowItEndsPlain(HowItEnds):
    options = PLAIN

    def test_a_signal_is_seen_whoever_sent_it(self, rig: Rig) -> None:
        execution = outcome(rig, shell(rig, "kill -SEGV $$"))[0]
        assert (execution.exit_code, execution.signal) == (139, signal.SIGSEGV)


class TestHowItEndsWithoutControlGroups(TestHowItEndsPlain):
    options = NO_GROUPS

    def test_the_children_of_a_killed_job_are_killed(self, rig: Rig) -> None:
        execution_id = shell(rig, "setsid sleep 60 & (setsid sleep 60 &); echo ready; wait")
        rig.ready(execution_id)
        rig.executor.stop(execution_id, 0)
        rig.ended(execution_id)
        assert living(execution_id) == []


class TestCapacity(OnThisHost):
    def test_it_is_what_the_host_has(self, rig: Rig) -> None:
        capacity = rig.executor.capacity()
        assert capacity
        assert capacity.cpu == os.cpu_count()
        with open("/proc/meminfo") as file:
            assert capacity.memory == int(file.readline().split()[1]) // 1024
