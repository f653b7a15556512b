import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api import background, quickstart
from api.client import ApiError, Client
from container_manager.exceptions import PurserError

_COMMAND = ["sh", "-c", "echo hello from Purser; echo and this is stderr >&2"]


class Command(BaseCommand):
    help = "Start the service in the background unless it runs, run one job on it, and say how to go on."
    requires_system_checks = ()  # `serve` makes them

    def handle(self, *args: Any, **options: Any) -> None:
        data_dir = settings.PURSER.data_dir
        try:
            client = self._client(data_dir)
            executor, request = self._choose(client)
            outcome = self._run(client, executor, request)
        except (background.BackgroundError, ApiError, PurserError) as error:
            raise CommandError(str(error)) from None
        self._say_how_to_go_on(client, executor, request, outcome.job["id"])

    def _client(self, data_dir: Path) -> Client:
        pid_file, log = data_dir / "serve.pid", data_dir / "serve.log"
        service = background.running(pid_file)
        self.stdout.write("Purser is up already." if service else f"Starting Purser; its log is {log}")
        service = service or background.start(pid_file, log)
        if not background.wait_for(Client(service.address, "").is_ready, background.START_SECONDS):
            raise background.BackgroundError(f"{service.address}/readyz does not say ready; see {log}")
        return Client(service.address, _token(data_dir / "token"))

    def _choose(self, client: Client) -> tuple[str, dict[str, Any]]:
        entry = settings.EXECUTORS.get("docker")
        if entry and (why := self._why_not_docker(client, entry.get("OPTIONS", {}))):
            self.stdout.write(f"Not on Docker, but on this host: {why}")
        elif entry:
            return "docker", {"image": quickstart.IMAGE, "command": _COMMAND, "pull_policy": "never"}
        return "process", {"command": _COMMAND}

    def _why_not_docker(self, client: Client, options: Mapping[str, Any]) -> str:
        health = quickstart.health_of(client, "docker")
        if not health["healthy"]:
            return str(health["detail"])
        try:
            quickstart.provide_image(options)
        except (PurserError, OSError) as error:
            return f"no image can be made: {error}"
        return ""

    def _run(self, client: Client, executor: str, request: dict[str, Any]) -> quickstart.Outcome:
        outcome = quickstart.run(client, executor, request, self.stdout.write)
        job = outcome.job
        self.stdout.write(f"Job {job['id']} on {executor}: {job['state']}. Its logs:")
        self.stdout.write("".join(f"  {line}\n" for line in outcome.logs.splitlines()), ending="")
        if not job["finished_at"]:
            why = f": {job['waiting']['detail']}" if job["waiting"] else ""
            raise background.BackgroundError(f"the job has not ended yet; it is {job['state']}{why}")
        if job["state"] != "succeeded":
            raise background.BackgroundError(f"the job should have succeeded: {job['reason']} {job['evidence']}")
        return outcome

    def _say_how_to_go_on(self, client: Client, executor: str, request: dict[str, Any], job_id: str) -> None:
        jobs = f"{client.address}/api/v1/executors/{executor}/jobs"
        bearer = f"curl -s -H 'Authorization: Bearer {client.token}'"
        self.stdout.write(
            f"\nPurser is up at {client.address} (try it at {client.address}/api/docs; `make down` stops it).\n"
            f"Token: {client.token}\n\nLaunch, status, logs:\n"
            f"  {bearer} -H 'Content-Type: application/json' -d '{json.dumps(request)}' {jobs}\n"
            f"  {bearer} {jobs}/{job_id}\n"
            f"  {bearer} -H 'Accept: text/plain' {jobs}/{job_id}/logs"
        )


def _token(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        raise background.BackgroundError(
            f"{path} is gone; `manage.py token create --name up > {path}` makes another token"
        ) from None
