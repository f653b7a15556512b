"""SIGKILL while webhooks are told: every change is told in the end, under one id each."""

import signal
import threading
from pathlib import Path

from tests.e2e.service import Service, until
from tests.receiver import Received, answering, receiver

JOBS = 10
STATES = ("queued", "launching", "running", "succeeded")


def test_no_change_is_lost_when_the_service_is_killed_while_it_tells_of_it(tmp_path: Path) -> None:
    settings = {"PURSER_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8", "PURSER_WEBHOOK_TIMEOUT_SECONDS": "1"}
    killed = threading.Event()
    with receiver(lambda handler: (killed.wait(60), None)[1]) as there, Service(tmp_path, **settings) as service:
        process = service.serve()
        client = service.client()
        webhook = client.post("/api/v1/webhooks", json={"url": there.url}).json()
        jobs = [
            client.post("/api/v1/executors/mock/jobs", json={"command": ["x"], "scenario": {}}).json()["id"]
            for _ in range(JOBS)
        ]
        until(lambda: there.received, "an attempt")
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed.set()
        refused = len(there.received)
        there.respond = answering(204)
        service.serve()
        wanted = {(job, state) for job in jobs for state in STATES}
        until(lambda: told(there.received[refused:]) >= wanted, "every change", seconds=120)
        ids = {
            (each.verified(webhook["secret"])["data"]["id"], key(each)[1]): each.message_id for each in there.received
        }
        assert len(set(ids.values())) == len(wanted) == len({each.message_id for each in there.received})


def told(received: list[Received]) -> set[tuple[str, str]]:
    return {key(each) for each in received}


def key(each: Received) -> tuple[str, str]:
    data = each.json()["data"]
    return data["id"], data["state"]
