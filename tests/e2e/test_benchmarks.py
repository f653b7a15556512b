"""A section of the benchmarks from its start to the written page, on the mock executor. What it finds is no test."""

from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks import accept
from benchmarks.harness import report
from benchmarks.harness.world import World


def test_a_section_starts_what_it_needs_and_its_findings_become_a_page(tmp_path: Path) -> None:
    load = accept.Load(rate=20, seconds=0.5, databases=("sqlite",))
    with World() as world:
        found = accept.measure(world, load)
        folder = world.folder
        page = report.write(tmp_path, world.machine, [found]).read_text()

    assert "| sqlite, refused | ≤ 0 requests | 0 requests |" in page
    assert "| sqlite: POST | 10 |" in page
    assert ET.parse(tmp_path / "benchmarks" / "accept.svg").getroot().tag.endswith("svg")
    assert not folder.exists()
