"""The locks say what is installed, everywhere the same, and name no place to get it from."""

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CLIENT = PROJECT["project"]["dependencies"]
SERVICE = PROJECT["dependency-groups"]["server"]
DEV = [each for each in PROJECT["dependency-groups"]["dev"] if isinstance(each, str)]
SCRIPTS = sorted((ROOT / "scripts").iterdir())


def entries(lock: str) -> Any:
    """Each locked version and how many hashes it has."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    found = re.findall(r"^([a-z0-9.-]+)==(\S+)(.*)$", text, re.MULTILINE)
    return {name: (locked, rest.count("--hash=sha256:")) for name, locked, rest in found}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    assert not re.search(r"://|@ |--index|--find-links|file:", (ROOT / lock).read_text())


def test_the_lock_of_npm_names_no_registry_and_has_a_hash_for_every_package() -> None:
    packages = json.loads((ROOT / "tests/node/package-lock.json").read_text())["packages"]

    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_version_has_its_hashes(lock: str) -> None:
    assert [name for name, (_, hashes) in entries(lock).items() if not hashes] == []


@pytest.mark.parametrize(("lock", "wanted"), [(LOCKS[0], SERVICE), (LOCKS[1], CLIENT + SERVICE + DEV)])
def test_a_lock_is_current_with_what_pyproject_asks_for(lock: str, wanted: list[str]) -> None:
    locked = entries(lock)

    for requirement in map(Requirement, wanted):
        found, _ = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(Version(found)), requirement


def test_the_workshop_uses_the_versions_that_the_service_uses() -> None:
    service, workshop = map(entries, LOCKS)

    assert {name: workshop.get(name) for name in service} == service


def test_what_is_installed_is_what_is_locked() -> None:
    assert {name: version(name) for name in entries(LOCKS[1])} == {
        name: found for name, (found, _) in entries(LOCKS[1]).items()
    }


def test_the_makefile_has_few_targets_and_each_is_explained() -> None:
    targets = re.findall(r"^([a-z]+):(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert len(targets) <= 12
    assert [name for name, rest in targets if "##" not in rest] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_says_in_its_first_lines_what_it_is_for(script: Path) -> None:
    first, second, *_ = script.read_text().splitlines()

    assert first.startswith('"""') or second.startswith("# ")
