"""The TypeScript client that @hey-api/openapi-ts writes: type-checked strictly, and run on a live service."""

import json
import re
import shutil
from pathlib import Path

from tests.sdk.conftest import Live
from tests.sdk.workshop import ROOT, node

STRICT = (
    "--strict",
    "--target",
    "es2022",
    "--module",
    "commonjs",
    "--moduleResolution",
    "node10",
    "--lib",
    "es2022,dom",
)


def test_every_step_works_and_an_error_of_each_kind_is_a_problem(typescript_client: Path, live: Live) -> None:
    shutil.copy(ROOT / "tests/sdk/programs/exercise.ts", typescript_client)
    node("tsc", *STRICT, "--outDir", typescript_client / "out", typescript_client / "exercise.ts")

    said = json.loads(node(typescript_client / "out" / "exercise.js", *live.arguments))

    assert said == {
        "ended": ["failed", "exit_nonzero", 3],
        "lines": [["stdout", "hello"], ["stderr", "oh"]],
        "cancelled": ["cancelled", "cancelled"],
        "cleaned": 204,
        "listed": [True],
        "errors": [
            [400, "invalid_idempotency_key"],
            [401, "unusable_token"],
            [403, "insufficient_scope"],
            [404, "unknown_job"],
            [409, "illegal_transition"],
            [413, "body_too_large"],
            [422, "invalid_job"],
            [429, "queue_full"],
        ],
    }


def test_its_names_read_as_if_a_person_had_written_them(typescript_client: Path) -> None:
    functions = set(re.findall(r"export const (\w+)", (typescript_client / "client" / "sdk.gen.ts").read_text()))
    types = set(re.findall(r"export type (\w+)", (typescript_client / "client" / "types.gen.ts").read_text()))

    assert {"launchJob", "getJob", "getJobLogs", "cancelJob", "cleanupJob", "listJobs"} <= functions
    assert {"Job", "JobState", "JobRequest", "Problem", "PullPolicy", "Reason"} <= types
    assert [name for name in functions | types if re.search(r"AnyOf|OneOf|Inline|Type\d|Api|V1|_", name)] == [
        "OpenApiDocument"
    ]
