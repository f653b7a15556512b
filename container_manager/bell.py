"""Wake-ups: who waits for a change is told when its transaction commits, in every process.

A ring carries a topic and nothing else; who hears it reads the database. On PostgreSQL rings travel by
NOTIFY, in the transaction itself; on SQLite by datagrams between the processes of one host. A ring can
be lost (a process that is not there, a full buffer), so whoever waits also looks again now and then.
"""

import atexit
import contextlib
import hashlib
import logging
import os
import secrets
import socket
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, connections, transaction

logger = logging.getLogger(__name__)
Callback = Callable[[], None]

_CHANNEL = "purser"
_RECONNECT_SECONDS = 1.0
_RANDOM = secrets.token_hex(6)


def job_topic(job_id: object) -> str:
    """Something about the job has changed."""
    return f"job:{job_id}"


def end_topic(job_id: object) -> str:
    """The job has ended: for who waits for nothing else."""
    return f"end:{job_id}"


def logs_topic(job_id: object) -> str:
    """More of the job's logs is stored. Heard in this process only."""
    return f"logs:{job_id}"


def queue_topic(executor: str) -> str:
    """There may be something to launch on this executor."""
    return f"queue:{executor}"


CONTROL_TOPIC = "control"
"""Somebody asked for the end of a job."""

WEBHOOKS_TOPIC = "webhooks"
"""There is something to tell a webhook."""


class Bell:
    """Subscriptions of this process, and the way to and from the other processes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[str, list[Callback]] = defaultdict(list)
        self._ear: _PostgresEar | _SocketEar | None = None

    def subscribe(self, topic: str, callback: Callback) -> Callable[[], None]:
        """Call `callback`, from any thread, whenever `topic` rings; returns what ends that."""
        with self._lock:
            self._callbacks[topic].append(callback)
            self._listen()
        return lambda: self._unsubscribe(topic, callback)

    def _unsubscribe(self, topic: str, callback: Callback) -> None:
        with self._lock:
            with contextlib.suppress(ValueError):
                self._callbacks[topic].remove(callback)
            if not self._callbacks[topic]:
                del self._callbacks[topic]

    @contextlib.contextmanager
    def listening(self, *topics: str) -> Iterator[threading.Event]:
        """An event that is set whenever one of the topics rings, for a thread to wait on."""
        rung = threading.Event()
        endings = [self.subscribe(topic, rung.set) for topic in topics]
        try:
            yield rung
        finally:
            for end in endings:
                end()

    def ring(self, *topics: str) -> None:
        """Tell everybody, here and in other processes, once the present transaction has committed."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.executemany("SELECT pg_notify(%s, %s)", [(_CHANNEL, f"{_sender()} {t}") for t in topics])
        # Robust: what has been committed must not look failed because nobody could be told.
        transaction.on_commit(lambda: self._after_commit(topics), robust=True)

    def ring_here(self, topic: str) -> None:
        """Tell this process only."""
        for callback in tuple(self._callbacks.get(topic, ())):
            callback()

    def ring_all(self) -> None:
        """Tell everybody here everything: rings may have been missed."""
        for topic in tuple(self._callbacks):
            self.ring_here(topic)

    def close(self) -> None:
        """Stop listening to other processes; the next subscription starts it again."""
        with self._lock:
            ear, self._ear = self._ear, None
        if ear:
            ear.close()

    def _after_commit(self, topics: tuple[str, ...]) -> None:
        for topic in topics:
            self.ring_here(topic)
            if connection.vendor == "sqlite":
                _send_to_others(topic)

    def _listen(self) -> None:
        if self._ear is None or self._ear.pid != os.getpid():
            self._ear = (_PostgresEar if connection.vendor == "postgresql" else _SocketEar)(self)


class _PostgresEar:
    """Hears NOTIFY on a connection of its own, and comes back after the server was away."""

    def __init__(self, bell: Bell) -> None:
        self.pid = os.getpid()
        self._bell = bell
        self._closed = threading.Event()
        self._params: dict[str, Any] = connections["default"].get_connection_params()
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._hear()
            except psycopg.Error as error:
                logger.warning("the bell lost its connection", extra={"error": str(error)})
                self._closed.wait(_RECONNECT_SECONDS)

    def _hear(self) -> None:
        with psycopg.connect(**{**self._params, "autocommit": True}) as conn:
            conn.execute(f"LISTEN {_CHANNEL}")
            self._bell.ring_all()
            while not self._closed.is_set():
                for notification in conn.notifies(timeout=0.5):
                    sender, _, topic = notification.payload.partition(" ")
                    if sender != _sender():
                        self._bell.ring_here(topic)


class _SocketEar:
    """Hears datagrams from the other processes that use the same SQLite file."""

    def __init__(self, bell: Bell) -> None:
        self.pid = os.getpid()
        self._bell = bell
        self._path = _own_directory() / str(self.pid)
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        with contextlib.suppress(OSError):
            self._path.parent.rmdir()  # unless another process still listens

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while topic := self._socket.recv(1024):
                self._bell.ring_here(topic.decode())


def _sender() -> str:
    """This process among all that use the database, also where each container has a process 1."""
    return f"{_RANDOM}-{os.getpid()}"


def _sockets() -> Path:
    # A socket's path may have 107 bytes at most, so it cannot stand beside the database.
    name = str(connections["default"].settings_dict["NAME"])
    digest = hashlib.sha256(os.path.abspath(name).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"purser-{os.getuid()}-{digest}"


def _own_directory() -> Path:
    directory = _sockets()
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.stat().st_uid != os.getuid():
        raise PermissionError(f"{directory} belongs to somebody else")
    return directory


def _send_to_others(topic: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for path in _sockets().glob("*"):
            if path.name != str(os.getpid()):
                _send(sender, path, topic)


def _send(sender: socket.socket, path: Path, topic: str) -> None:
    try:
        sender.sendto(topic.encode(), str(path))
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)  # its process is gone
    except OSError:
        pass  # it is lost, and whoever waits looks again by itself


bell = Bell()
atexit.register(bell.close)
