import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.background import BackgroundError, hold
from api.protocol import BoundedProtocol
from api.waiting import begin_shutdown
from container_manager import tokens
from container_manager.dispatcher import Dispatcher
from container_manager.management.acts import acting
from container_manager.management.startup import StopSignal, migrate
from container_manager.models import Token
from container_manager.tokens import Scope

logger = structlog.stdlib.get_logger(__name__)


class Command(BaseCommand):
    help = "Serve the API and dispatch jobs, in one process. The first start makes the database and a token."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-dispatcher", action="store_true", help="Serve the API only.")
        parser.add_argument("--pid-file", type=Path, help="Hold this file, so that there is one such service.")

    def handle(self, *args: Any, no_dispatcher: bool, pid_file: Path | None, **options: Any) -> None:
        with _listening(settings.PURSER.host, settings.PURSER.port) as (listener, address):
            if pid_file:
                _hold(pid_file, address)
            migrate()
            _first_token(settings.PURSER.data_dir / "token")
            _serve(listener, address, None if no_dispatcher else Dispatcher())


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # StopSignal has them


def _serve(listener: socket.socket, address: str, dispatcher: Dispatcher | None) -> None:
    seconds = settings.PURSER.shutdown_seconds
    server = _Server(
        uvicorn.Config(
            "api.asgi:application",
            http=BoundedProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(round(seconds), 1),
        )
    )

    def stop() -> None:
        server.should_exit = True
        begin_shutdown()

    StopSignal(stop)
    if dispatcher:
        dispatcher.start()
    try:
        logger.info("serving", address=address, dispatcher=dispatcher is not None)
        server.run(sockets=[listener])
    finally:
        logger.info("draining")
        if dispatcher:
            dispatcher.drain(seconds)
        logger.info("stopped")


@contextmanager
def _listening(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then: else small answers wait 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(2048)
        except OSError as error:
            raise CommandError(
                f"cannot listen on {host} port {port}: {error.strerror}; PURSER_HOST and PURSER_PORT choose another"
            ) from None
        yield listener, f"http://{_reachable(host)}:{port}"


def _hold(pid_file: Path, address: str) -> None:
    try:
        hold(pid_file, address)
    except BackgroundError as error:
        raise CommandError(str(error)) from None


def _reachable(host: str) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (compared, not bound)
    return f"[{host}]" if ":" in host else host


def _first_token(path: Path) -> None:
    """Make a token for everything and keep it in a file of its owner's, unless there has ever been a token."""
    if Token.objects.exists():
        return
    with acting("createToken"):
        _, plaintext = tokens.create(namespace=settings.PURSER.operator_namespace, name="first", scopes=[Scope.ADMIN])
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(plaintext + "\n")
    logger.info("first token made", path=str(path), token_id=plaintext.split("_")[1])
