"""Tokens between processes: what one spends or revokes holds in the other."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.service import Service


def test_processes_share_rates_tokens_and_the_audit_log(tmp_path: Path, database_url: str) -> None:
    settings = {"PURSER_RATE_LIMIT": "40/3600"}
    with Service(tmp_path, database_url, **settings) as first, Service(tmp_path, database_url, **settings) as second:
        first.serve("--no-dispatcher")
        second.serve("--no-dispatcher")
        clients = [first.client(), second.client()]
        with ThreadPoolExecutor(8) as pool:
            statuses = Counter(pool.map(lambda n: clients[n % 2].get("/api/v1/jobs").status_code, range(100)))
        token_id = (tmp_path / "token").read_text().split("_")[1]
        audited = first.run("audit", "--token", token_id)
        rotated = first.run("token", "rotate", token_id)
        after = second.client().get("/api/v1/jobs").status_code

    assert statuses == {200: 40, 429: 60}
    assert audited.stdout.count("listJobs  -  refused 429 rate_limited  127.0.0.1") == 60
    assert rotated.stdout.startswith(f"purser_{token_id}_")
    assert after == 401
