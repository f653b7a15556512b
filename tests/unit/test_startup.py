import signal
import subprocess
import sys

# One write a line: "asked" comes from a thread of its own, and a print writes its text and its newline apart.
PROGRAM = """
import os, time
from container_manager.management.startup import StopSignal
stop = StopSignal(lambda: os.write(1, b"asked\\n"))
os.write(1, b"ready\\n")
stop.asked.wait()
os.write(1, b"draining\\n")
while True:
    time.sleep(60)
"""


def test_the_first_signal_asks_and_the_second_ends_the_process_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert {process.stdout.readline(), process.stdout.readline()} == {"asked\n", "draining\n"}
        process.send_signal(signal.SIGINT)

        assert process.wait(10) == 128 + signal.SIGINT
