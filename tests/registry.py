"""A registry of one image on loopback, so that pulls are real where no registry is in reach."""

import base64
import gzip
import hashlib
import io
import json
import re
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """Serves `name:tag` to whoever has the credentials, if any; every other image it answers to be unknown.

    What lies under `stalls_at` it does not answer until it closes; `stalled` says that it was asked for.
    """

    def __init__(
        self,
        name: str = "there",
        *,
        credentials: tuple[str, str] | None = None,
        status: int = 200,
        stalls_at: str | None = None,
    ) -> None:
        self.asked: list[str] = []
        self.stalled = threading.Event()
        self._stalls_at = stalls_at
        self._closing = threading.Event()
        self.status = status
        self._authorization = (
            "Basic " + base64.b64encode(":".join(credentials).encode()).decode() if credentials else None
        )
        self._answers = _image(name)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def lose_blobs(self) -> None:
        """Know the image from now on, but have none of its parts."""
        self._answers = {path: answer for path, answer in self._answers.items() if "/blobs/" not in path}

    def answer(self, path: str, authorization: str | None) -> tuple[int, str, bytes]:
        self.asked.append(path)
        if self._authorization and authorization != self._authorization:
            return 401, "application/json", _error("UNAUTHORIZED")
        if self.status != 200:
            return self.status, "application/json", _error("UNAVAILABLE")
        if path == "/v2/":
            return 200, "application/json", b"{}"
        if path not in self._answers:
            return 404, "application/json", _error("MANIFEST_UNKNOWN")
        return 200, *self._answers[path]

    def stall(self, path: str) -> bool:
        """Keep whoever asks for such a path waiting; whether it was one."""
        if self._stalls_at is None or self._stalls_at not in path:
            return False
        self.stalled.set()
        self._closing.wait()
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if registry.stall(self.path):
                    self.close_connection = True
                    return
                status, kind, body = registry.answer(self.path, self.headers.get("Authorization"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="test"')
                if "/manifests/" in self.path:
                    self.send_header("Docker-Content-Digest", _digest(body))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815  (the name that http.server calls)

            def log_message(self, *_: Any) -> None:
                return

        return Handler


def _error(code: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _image(name: str) -> dict[str, tuple[str, bytes]]:
    """The paths of an image of one small layer, and what is there."""
    repository, tag = re.fullmatch(r"(\S+?)(?::(\S+))?", name).groups(default="latest")  # type: ignore[union-attr]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("pulled"))
    layer = gzip.compress(buffer.getvalue(), mtime=0)
    rootfs = {"type": "layers", "diff_ids": [_digest(buffer.getvalue())]}
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/pulled"]}, "rootfs": rootfs}
    ).encode()
    parts = [
        {"mediaType": kind, "size": len(data), "digest": _digest(data)}
        for kind, data in (
            ("application/vnd.docker.container.image.v1+json", config),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", layer),
        )
    ]
    described = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": parts[0], "layers": parts[1:]}
    manifest = json.dumps(described).encode()
    blobs = {f"/v2/{repository}/blobs/{_digest(data)}": ("application/octet-stream", data) for data in (config, layer)}
    named = {f"/v2/{repository}/manifests/{ref}": (MANIFEST_TYPE, manifest) for ref in (tag, _digest(manifest))}
    return {**blobs, **named}
