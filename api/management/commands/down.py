from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api import background
from container_manager.models import Job
from container_manager.states import ACTIVE


class Command(BaseCommand):
    help = "Stop the service that `up` has started: requests are finished, jobs run on until it is up again."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        # HTTP and the dispatcher may take their time one after the other.
        patience = 2 * settings.PURSER.shutdown_seconds + 5
        try:
            stopped = background.stop(settings.PURSER.data_dir / "serve.pid", patience)
        except background.BackgroundError as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Purser is down." + _running_on() if stopped else "Purser was not up.")


def _running_on() -> str:
    running = Job.objects.filter(state__in=ACTIVE).count()
    jobs = "1 job runs" if running == 1 else f"{running} jobs run"
    return f" {jobs} on, and will be taken up at the next start." if running else ""
