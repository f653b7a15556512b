from pathlib import Path

import pytest

from tests.faults.world import World


@pytest.fixture
def world(database_url: str, docker_url: str, tmp_path: Path) -> World:
    return World(database_url, docker_url, tmp_path)
