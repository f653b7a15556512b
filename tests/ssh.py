"""An SSH server on loopback behind which an engine's socket lies, as `docker system dial-stdio` shows it."""

import socket
import threading
from pathlib import Path
from typing import Any, Self

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED


class SshHost(paramiko.ServerInterface):
    """Lets in whoever has the key that it writes to `home`, and joins each command to the engine."""

    def __init__(self, home: Path, engine_socket: str) -> None:
        self._engine_socket = engine_socket
        self._host_key = paramiko.RSAKey.generate(2048)
        self._user_key = paramiko.RSAKey.generate(2048)
        self._transports: list[paramiko.Transport] = []
        self._engines: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.base_url = f"ssh://ann@127.0.0.1:{port}"
        folder = home / ".ssh"
        folder.mkdir()
        self._user_key.write_private_key_file(str(folder / "key"))
        (folder / "config").write_text(f"Host 127.0.0.1\n  IdentityFile {folder}/key\n")
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} ssh-rsa {self._host_key.get_base64()}\n")

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        opened: list[Any] = [*self._transports, *self._engines]
        for each in opened:
            each.close()

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if key == self._user_key else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
        engine = socket.socket(socket.AF_UNIX)
        self._engines.append(engine)
        engine.connect(self._engine_socket)
        for source, sink in ((channel, engine), (engine, channel)):
            threading.Thread(target=_pump, args=[source, sink], daemon=True).start()
        return command == b"docker system dial-stdio"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._host_key)
            transport.start_server(server=self)
            self._transports.append(transport)


def _pump(source: Any, sink: Any) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except (OSError, EOFError):
        return
