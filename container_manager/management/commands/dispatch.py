from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand

from container_manager.dispatcher import Dispatcher
from container_manager.management.startup import StopSignal, migrate

logger = structlog.stdlib.get_logger(__name__)


class Command(BaseCommand):
    help = "Run a dispatcher: it launches, watches and cleans up jobs. Any number may share one database."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = StopSignal()
        migrate()
        dispatcher = Dispatcher()
        dispatcher.start()
        logger.info("dispatching", executors=sorted(settings.EXECUTORS))
        stop.asked.wait()
        logger.info("draining")
        dispatcher.drain(settings.PURSER.shutdown_seconds)
        logger.info("stopped")
