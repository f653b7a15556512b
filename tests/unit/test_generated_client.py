"""purser/api_client is what its generator makes of openapi.yaml, and nothing else."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def sources(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in sorted(directory.rglob("*.py"))}


def test_the_generated_client_is_what_openapi_yaml_says(tmp_path: Path) -> None:
    made = tmp_path / "api_client"
    subprocess.run([ROOT / "scripts/generate-client", made], check=True)

    assert sources(made) == sources(ROOT / "purser/api_client"), "run: make openapi"
