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


def test_no_process_answers_a_read_after_a_token_was_revoked_in_another(tmp_path: Path, database_url: str) -> None:
    """Nothing tells the first process: each of its answers is asked of the books anew."""
    with Service(tmp_path, database_url) as first, Service(tmp_path, database_url) as second:
        first.serve("--no-dispatcher")
        second.serve("--no-dispatcher")
        reader, other = first.client(), second.client()
        job = reader.post("/api/v1/executors/mock/jobs", json={"command": ["true"]}).json()["links"]
        paths = [job["self"], job["logs"], "/api/v1/jobs", "/api/v1/executors/mock/jobs?state=queued"]
        token_id = (tmp_path / "token").read_text().split("_")[1]
        before = [reader.get(path).status_code for path in paths * 2]
        revoked = other.delete(f"/api/v1/tokens/{token_id}")
        after = [reader.get(path).status_code for path in paths * 2]

    assert before == [200] * 8
    assert revoked.status_code == 204
    assert after == [401] * 8
