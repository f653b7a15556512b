"""The least executor there can be, for tests of what the base does."""

from container_manager.executors.base import ContainerExecutor
from container_manager.spec import JobSpec


class BareExecutor(ContainerExecutor):
    """Says what it is told to say."""

    launches: tuple[bool, str] = (True, "one")
    healthy = True
    status = "running"
    logs = ""

    def launch_job(self, job: JobSpec) -> tuple[bool, str]:
        return self.launches

    def check_status(self, execution_id: str) -> str:
        return self.status

    def get_logs(self, execution_id: str) -> str:
        return self.logs

    def cleanup(self, execution_id: str) -> bool:
        return True

    def health_check(self) -> bool:
        return self.healthy
