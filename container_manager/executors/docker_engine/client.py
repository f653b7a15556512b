"""The one door to the docker SDK: calls of the engine, with the engine's errors told apart."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlencode

import docker
import paramiko
import requests
import urllib3
from docker import errors

from container_manager.exceptions import EngineUnavailable, ExecutionNotFound, PurserError
from container_manager.executors.docker_engine.options import DockerOptions
from container_manager.executors.docker_engine.sockets import UNIX, Connections, ping
from container_manager.executors.docker_engine.streams import StdinSocket, Stream, StreamGuard, shut

CONNECTIONS = 64
PROBE_SECONDS = 5.0
REMEMBERED = 256
_NO_ANSWER = (
    errors.DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    paramiko.SSHException,
    EOFError,
    OSError,
)


class EngineRefusal(PurserError):
    """The engine answered that it will not."""

    code = "engine_refusal"

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class PullAbandoned(PurserError):
    """The pull was given up before it was done."""

    code = "pull_abandoned"


class _Client(docker.APIClient):  # type: ignore[misc]  # the SDK says nothing of its types
    """The SDK's client. On a unix socket, what is not streamed goes by connections of our own."""

    def __init__(self, address: str, **options: Any) -> None:
        self._short = Connections(address.removeprefix(UNIX), CONNECTIONS) if address.startswith(UNIX) else None
        super().__init__(address, **options)

    def request(self, method: str, url: str, **options: Any) -> Any:
        if self._short is None or options.get("stream"):
            return super().request(method, url, **options)
        parameters = {name: value for name, value in (options.get("params") or {}).items() if value is not None}
        target = url.removeprefix(self.base_url) + (f"?{urlencode(parameters, doseq=True)}" if parameters else "")
        return self._short.ask(method, target, options.get("data"), options.get("headers") or {}, options["timeout"])

    def close(self) -> None:
        super().close()
        if self._short:
            self._short.close()


class Engine:
    """One engine, spoken to from many threads. Connects on first use.

    Every call may raise EngineUnavailable when there is no answer; what concerns one thing may raise EngineRefusal.
    """

    def __init__(self, options: DockerOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._made: docker.APIClient | None = None
        self._probe_seconds = min(PROBE_SECONDS, options.engine_timeout_seconds)
        self.address = options.address
        self.guard = StreamGuard()

    def close(self) -> None:
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def probe(self) -> dict[str, Any]:
        """What the engine says of itself, over a new connection and in a short time."""
        with self._asking(), closing(self._connect(self._probe_seconds)) as client:
            return dict(client.info())

    def cgroup_driver(self) -> str:
        """Who makes the control groups of its containers: `cgroupfs`, `systemd` or `none`."""
        client = self._client()
        with self._asking():
            return str(client.info()["CgroupDriver"])

    def takes_connections(self) -> bool:
        """False for an engine that is going down: it answers old connections to its last moment, but no new ones."""
        try:
            with self._answering():
                if self.address.startswith(UNIX):
                    ping(self.address.removeprefix(UNIX), self._probe_seconds)
                else:
                    self._connect(self._probe_seconds).close()
        except EngineUnavailable:
            return False
        return True

    def pull(self, image: str, credentials: Mapping[str, str] | None, abandoned: threading.Event) -> None:
        """Raises EngineRefusal, or PullAbandoned when `abandoned` is set before it is done."""
        # Over a connection of its own, which may be cut, also before the engine has begun to answer.
        with self._answering():
            client = self._connect(self._options.engine_timeout_seconds)
        taken = _connections_taken(client)
        with closing(client), self.guard.guarding(abandoned, lambda: _cut(taken)):
            try:
                self._pull(client, image, credentials)
            except (EngineUnavailable, EngineRefusal):
                if not abandoned.is_set():
                    raise
        if abandoned.is_set():
            raise PullAbandoned

    def _pull(self, client: docker.APIClient, image: str, credentials: Mapping[str, str] | None) -> None:
        repository, tag = docker.utils.parse_repository_tag(image)
        with self._answering():
            response = client._post(
                client._url("/images/create"),
                params={"fromImage": repository, "tag": tag or "latest"},
                # Sent even when empty: left out, the SDK would send those of the user that Purser runs as.
                headers={"X-Registry-Auth": docker.auth.encode_header(dict(credentials or {})).decode()},
                stream=True,
                timeout=self._options.pull_timeout_seconds,
            )
            with closing(response):
                client._raise_for_status(response)
                for progress in client._stream_helper(response, decode=True):
                    if "error" in progress:
                        raise EngineRefusal(response.status_code, str(progress["error"]))

    def architecture(self) -> str:
        """Of its host, as `uname -m` names it."""
        client = self._client()
        with self._asking():
            return str(client.info()["Architecture"])

    def image(self, image: str) -> dict[str, Any] | None:
        """The engine's description of an image; None where it has none of that name."""
        client = self._client()
        try:
            with self._asking(image):
                return dict(client.inspect_image(image))
        except ExecutionNotFound:
            return None

    def has_image(self, image: str) -> bool:
        return self.image(image) is not None

    def import_image(self, image: str, archive: bytes) -> None:
        """Make an image of a tar archive of its root file system. Raises EngineRefusal."""
        repository, tag = docker.utils.parse_repository_tag(image)
        client = self._client()
        with self._answering():
            client.import_image_from_data(archive, repository=repository, tag=tag)

    def create(self, name: str, request: Mapping[str, Any]) -> tuple[str, list[str]]:
        """Make a container and return the engine's id of it and its warnings. Raises EngineRefusal."""
        client = self._client()
        with self._answering():
            made = client.create_container_from_config(request, name)
            return str(made["Id"]), list(made.get("Warnings") or [])

    def start(self, name: str) -> None:
        """Raises EngineRefusal. Starting what has been started does nothing."""
        client = self._client()
        with self._answering():
            client.start(name)

    def rename(self, name: str, other: str) -> None:
        """Raises ExecutionNotFound, or EngineRefusal when the other name is taken."""
        client = self._client()
        with self._asking(name):
            client.rename(name, other)

    def pause(self, name: str) -> None:
        """Have nothing of it go on, not even what it has been sent. Raises EngineRefusal, or ExecutionNotFound."""
        client = self._client()
        with self._asking(name):
            client.pause(name)

    def unpause(self, name: str) -> None:
        """Let it go on. What is gone, or was not paused, is left as it is."""
        client = self._client()
        with self._asking(name, quiet=(404, 409, 500)):
            client.unpause(name)

    def inspect(self, name: str) -> dict[str, Any]:
        """Raises ExecutionNotFound."""
        client = self._client()
        with self._asking(name):
            return dict(client.inspect_container(name))

    def containers(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        client = self._client()
        with self._asking():
            return list(client.containers(all=True, filters={"label": _as_filter(labels)}))

    def kill(self, name: str, signal: str) -> None:
        """Send a signal; to what is gone or has ended, nothing."""
        client = self._client()
        with self._asking(name, quiet=(404, 409)):
            client.kill(name, signal)

    def remove(self, name: str) -> None:
        """Kill and remove it with its anonymous volumes, and wait until it is gone."""
        client = self._client()
        with self._asking(name, quiet=(404, 409)):
            client.remove_container(name, force=True, v=True)
        with self._asking(name, quiet=(404,)):
            client.wait(name, timeout=self._options.engine_timeout_seconds, condition="removed")

    def remove_unless_running(self, name: str) -> None:
        """Remove what does not run; what runs, or is being removed, is left alone."""
        client = self._client()
        with self._asking(name, quiet=(404, 409)):
            client.remove_container(name, v=True)

    def wait_for_end(self, name: str) -> None:
        """Return when it does not run any more or is gone; EngineUnavailable when that takes long."""
        client = self._client()
        with self._asking(name, quiet=(404,)):
            client.wait(name, timeout=PROBE_SECONDS)

    def has_volume(self, name: str) -> bool:
        client = self._client()
        try:
            with self._asking(name):
                client.inspect_volume(name)
        except ExecutionNotFound:
            return False
        return True

    def open_stdin(self, name: str) -> StdinSocket:
        """Raises EngineRefusal."""
        client = self._client()
        with self._answering():
            self._knock()
            response = client._post(
                client._url("/containers/{0}/attach", name),
                params={"stdin": 1, "stream": 1},
                headers={"Connection": "Upgrade", "Upgrade": "tcp"},
                stream=True,
            )
            return StdinSocket(response, client._get_raw_response_socket(response))

    def logs(self, name: str, *, follow: bool, since: int = 0) -> Stream:
        """The engine's own framing of both outputs, each frame with its time. Raises ExecutionNotFound."""
        parameters = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(follow), "since": since}
        return self._stream(f"/containers/{name}/logs", parameters, name)

    def events(self, labels: Mapping[str, str], since: str, until: str = "", **filters: list[str]) -> Stream:
        """What befell containers with these labels, one JSON document a line; times are of the engine's clock."""
        wanted = {"type": ["container"], "label": _as_filter(labels), **filters}
        bounds = {"since": since, **({"until": until} if until else {})}
        return self._stream("/events", {"filters": json.dumps(wanted), **bounds}, "")

    def remembered(self, until: str) -> Stream:
        """All that the engine still knows to have happened: its last events since its start, REMEMBERED at most."""
        return self._stream("/events", {"since": "1", "until": until}, "")

    def _stream(self, path: str, parameters: Mapping[str, Any], name: str) -> Stream:
        client = self._client()
        with self._asking(name):
            self._knock()
            response = client._get(client._url(path), params=parameters, stream=True, timeout=None)
            return Stream(response, client._get_raw_response_socket(response), self._answering)

    def _client(self) -> docker.APIClient:
        if (made := self._made) is not None:
            return made
        # Connected outside the lock, so that an engine that does not answer holds up each caller only once.
        with self._answering():
            made = self._connect(self._options.engine_timeout_seconds)
        with self._lock:
            if self._made is None:
                self._made = made
                return made
            kept = self._made
        made.close()
        return kept

    def _knock(self) -> None:
        """The SDK leaks a socket when nobody listens at a unix address, so that is found out before a stream."""
        if self.address.startswith(UNIX):
            with socket.socket(socket.AF_UNIX) as knocking:
                knocking.settimeout(PROBE_SECONDS)
                knocking.connect(self.address.removeprefix(UNIX))

    def _connect(self, timeout: float) -> docker.APIClient:
        self._knock()
        environment = {} if self._options.base_url else docker.utils.kwargs_from_env()
        tls = self._tls() or environment.get("tls", False)
        return _Client(self.address, tls=tls, timeout=timeout, max_pool_size=CONNECTIONS)

    def _tls(self) -> Any:
        tls = self._options.tls
        if tls is None:
            return None
        pair = (tls.client_cert, tls.client_key) if tls.client_cert else None
        return docker.tls.TLSConfig(client_cert=pair, ca_cert=tls.ca_cert, verify=tls.verify)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """No answer is EngineUnavailable, an answer that refuses is EngineRefusal."""
        try:
            yield
        except errors.APIError as error:
            raise EngineRefusal(error.status_code or 0, str(error.explanation or error)) from error
        except _NO_ANSWER as error:
            raise EngineUnavailable(f"no engine answers at {self.address}: {_cause(error)}") from error

    @contextmanager
    def _asking(self, name: str = "", quiet: tuple[int, ...] = ()) -> Iterator[None]:
        """404 is ExecutionNotFound. Any other refusal says nothing of the engine if it is about one thing, by its name;
        of what it is asked about itself or everything, it is no answer.
        """
        try:
            with self._answering():
                yield
        except EngineRefusal as refusal:
            if refusal.status in quiet:
                return
            if refusal.status == http.HTTPStatus.NOT_FOUND:
                raise ExecutionNotFound(f"the engine has no {name}") from refusal
            if name:
                raise
            raise EngineUnavailable(f"the engine at {self.address} cannot say: {refusal}") from refusal


def _connections_taken(client: docker.APIClient) -> list[Any]:
    """The connections over which requests of this client go from now on, as they are taken."""
    taken: list[Any] = []
    adapter = client.get_adapter(client.base_url)
    find = adapter.get_connection_with_tls_context

    def find_and_note(*args: Any, **kwargs: Any) -> Any:
        pool = find(*args, **kwargs)
        take = pool._get_conn

        def take_and_note(*args: Any, **kwargs: Any) -> Any:
            taken.append(take(*args, **kwargs))
            return taken[-1]

        pool._get_conn = take_and_note
        return pool

    adapter.get_connection_with_tls_context = find_and_note
    return taken


def _cut(connections: list[Any]) -> None:
    for connection in connections:
        if connection.sock is not None:
            shut(connection.sock)


def _as_filter(labels: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in labels.items()]


def _cause(error: BaseException) -> str:
    """The innermost cause, which is what the operating system said."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
