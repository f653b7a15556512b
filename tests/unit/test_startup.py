import signal
import subprocess
import sys

PROGRAM = """
from container_manager.management.startup import StopSignal
stop = StopSignal(lambda: print("asked", flush=True))
print("ready", flush=True)
stop.asked.wait()
print("draining", flush=True)
while True:
    stop.asked.wait(60)
    __import__("time").sleep(60)
"""


def test_the_first_signal_asks_and_the_second_ends_the_process_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "asked\n"
        assert process.stdout.readline() == "draining\n"
        process.send_signal(signal.SIGINT)

        assert process.wait(10) == 128 + signal.SIGINT
