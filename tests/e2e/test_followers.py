"""Many followers of many jobs, over real HTTP: what is no timing. That is in benchmarks/followers.py."""

from pathlib import Path

from benchmarks.followers import Load, measure, service_for


def test_each_of_many_followers_gets_every_line_in_order_and_memory_is_bounded(tmp_path: Path) -> None:
    with service_for(tmp_path) as service:
        server = service.serve()
        found = measure(
            service, Load(jobs=10, followers=100, lines=100, pause_seconds=0.02, settle_seconds=20), [server.pid]
        )

    assert found.incomplete == []
    assert len(found.delays) == 100 * 100
    assert found.peak_memory_mib < 400
