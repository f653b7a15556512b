"""How the benchmarks count, and how they tell it."""

import os
import threading
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import cold
from benchmarks.harness import jobs, prometheus, report, svg
from benchmarks.harness.crowd import crowd
from benchmarks.harness.findings import Findings, Goal, Line, Table, number, spread
from benchmarks.harness.processes import cpu_seconds, pinned, resident_mib, tree
from benchmarks.harness.statistics import interleaved, quantile, quantiles
from benchmarks.harness.world import NotHere, World
from container_manager.executors.docker_engine.options import DockerOptions


def test_a_quantile_lies_between_its_neighbours_in_proportion() -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert quantile([10.0, 20.0], 0.99) == pytest.approx(19.9)
    assert quantile([7.0], 0.99) == 7.0


def test_there_is_no_quantile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


def test_a_sample_is_told_by_its_count_and_three_quantiles() -> None:
    found = quantiles([float(value) for value in range(101)])

    assert (found.count, found.median, found.p95, found.p99) == (101, 50, 95, 99)


def test_ways_are_taken_in_turns_and_each_begins_a_turn_as_often() -> None:
    order: list[str] = []

    def way(name: str) -> int:
        order.append(name)
        return len(order)

    found = interleaved({"a": lambda: way("a"), "b": lambda: way("b")}, 3)

    assert "".join(order) == "abbaab"
    assert found == {"a": [1, 4, 5], "b": [2, 3, 6]}


def test_every_item_is_acted_on_once_by_some_thread_with_what_it_has_opened() -> None:
    done: list[tuple[str, int]] = []

    crowd(4, lambda: nullcontext("own"), range(100), lambda own, item: done.append((own, item)))

    assert sorted(done) == [("own", item) for item in range(100)]


def test_what_one_of_many_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        crowd(4, nullcontext, [1, 0], lambda _, item: 1 / item)


def test_a_line_reaches_its_goal_by_its_ratio_or_by_its_figure() -> None:
    assert Line("cold", "ms", 90, 100, Goal(1.0)).is_reached is True
    assert Line("cold", "ms", 110, 100, Goal(1.0)).is_reached is False
    assert Line("reads", "/s", 26, 100, Goal(0.25, at_least=True)).is_reached is True
    assert Line("p99", "ms", 31, 2, Goal(30, "figure")).is_reached is False


def test_a_line_without_a_figure_or_a_goal_has_nothing_to_reach() -> None:
    assert Line("warm", "ms", None, 100, Goal(0.25), "not available").is_reached is None
    assert Line("cpu", "ms", 3).is_reached is None
    assert Line("warm", "ms", 3, None, Goal(0.25)).is_reached is None


def test_a_count_is_told_as_it_is() -> None:
    assert [number(value) for value in (0, 7, 12345)] == ["0", "7", "12,345"]


def test_a_number_has_three_digits_that_say_something() -> None:
    assert [number(value) for value in (12345.6, 123.4, 12.34, 1.234, 0.1234)] == [
        "12,346",
        "123",
        "12.3",
        "1.23",
        "0.123",
    ]


def test_a_spread_has_further_columns_by_the_name_of_the_sample() -> None:
    table = spread({"a": [1.0, 3.0], "b": [2.0]}, "ms", cpu_ms={"a": "7"})

    assert list(table.head) == ["", "n", "median, ms", "p95, ms", "p99, ms", "cpu ms"]
    assert [row[0] for row in table.rows] == ["a", "b"]
    assert [row[-1] for row in table.rows] == ["7", ""]


def test_the_page_has_each_line_with_goal_figure_baseline_ratio_and_verdict() -> None:
    page = report.markdown({"cpu": "2 cores"}, [_findings()])

    assert "| cpu | 2 cores |" in page
    assert "| cold, p50 | ratio ≤ 1 | 90.0 ms | 100 ms | 0.90 | yes |" in page
    assert "| p99 | ≤ 30 ms | 31.0 ms |  |  | **no** |" in page
    assert "| warm | ratio ≤ 0.25 |  | 100 ms |  | not available |" in page
    assert "Run: this; that." in page


def test_a_written_page_shows_its_plots_and_no_older_ones(tmp_path: Path) -> None:
    plots = tmp_path / "benchmarks"
    plots.mkdir()
    (plots / "gone.svg").write_text("an older one")

    page = report.write(tmp_path, {}, [_findings()]).read_text()

    assert [plot.name for plot in plots.iterdir()] == ["cold.svg"]
    assert "![cold](benchmarks/cold.svg)" in page


def test_plots_are_well_formed_whatever_the_names() -> None:
    drawn = (
        svg.bars("a < b & c", "ms", {"<one>": 1.0, "two": 0.0}, goal=2.0),
        svg.curves("a < b & c", "ms", {"<one>": [1.0, 2.0], "two": [3.0]}),
    )

    for document in drawn:
        root = ET.fromstring(document)
        assert root.tag.endswith("svg")
        assert "<one>" in [element.text for element in root.iter()]


def test_spans_are_told_as_means_between_two_looks() -> None:
    before = {("docker", "create"): (1.0, 10.0)}
    after = {("docker", "create"): (1.6, 12.0), ("docker", "start"): (0.5, 1.0), ("mock", "start"): (9.0, 9.0)}

    found = prometheus.between(before, after, "docker")

    assert {span: (round(mean), count) for span, (mean, count) in found.items()} == {
        "create": (300, 2),
        "start": (500, 1),
    }


def test_what_a_process_uses_is_counted_with_its_threads_work() -> None:
    own = [os.getpid()]
    before = cpu_seconds(own)
    worker = threading.Thread(target=lambda: sum(range(5_000_000)))
    worker.start()
    worker.join()

    assert cpu_seconds(own) > before
    assert tree(own)[0] == os.getpid()
    assert resident_mib(own) > 1


def test_cores_are_given_back_after_a_pin() -> None:
    before = os.sched_getaffinity(0)
    one = {min(before)}

    with pinned(one):
        assert os.sched_getaffinity(0) == one

    assert os.sched_getaffinity(0) == before


def test_the_docker_command_asks_for_what_the_executor_asks_for() -> None:
    host = jobs.engine_request("true")["HostConfig"]
    command = jobs.docker_run("true")

    for flag, value in {"--memory": "Memory", "--memory-swap": "MemorySwap", "--pids-limit": "PidsLimit"}.items():
        assert command[command.index(flag) + 1] == str(host[value])
    assert command[command.index("--network") + 1] == host["NetworkMode"] == "none"
    assert command[-2:] == [jobs.IMAGE, "true"]


def test_a_way_that_the_executor_has_no_option_for_is_told_as_not_available() -> None:
    assert cold.WAYS["cold"].lacks == []
    assert cold.Way("docker", 1.0, {"no_such_option": 1}).lacks == ["no_such_option"]
    for way in cold.WAYS.values():
        if not way.lacks:
            DockerOptions.model_validate(dict(way.options))


def test_a_section_that_starts_and_kills_its_service_refuses_a_running_one() -> None:
    with World(url="http://127.0.0.1:1") as world, pytest.raises(NotHere, match="without --url"):
        world.require_own("recovery")


def _findings() -> Findings:
    lines = [
        Line("cold, p50", "ms", 90.0, 100.0, Goal(1.0)),
        Line("p99", "ms", 31.0, None, Goal(30, "figure")),
        Line("warm", "ms", None, 100.0, Goal(0.25), "not available"),
    ]
    return Findings(
        "One job", ["this", "that"], lines, [Table(["", "n"], [["a", "1"]])], {"cold": svg.bars("a", "ms", {"a": 1})}
    )
