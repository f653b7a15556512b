"""Every setting of the service in one place: `PURSER_*` variables, one TOML file, then the defaults.

A variable wins over the file that `PURSER_CONFIG` names, and the file over the default. A field `port` is
`PURSER_PORT` in the environment and `port` in the file. A secret may also be given as the path of a file
that holds it: `PURSER_SECRET_KEY_FILE`.
"""

import difflib
import hashlib
import json
import os
import secrets
import socket
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, StringConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from api.database_url import DATABASE_URL_FORM, django_settings, without_password
from container_manager import rates
from container_manager.exceptions import InvalidConfig
from container_manager.rates import RATE_FORM

PREFIX = "PURSER_"
CHECKOUT = Path(__file__).resolve().parent.parent
BUILT_IN_EXECUTORS = {
    "docker": "container_manager.executors.docker.DockerExecutor",
    "process": "container_manager.executors.process.ProcessExecutor",
    "mock": "container_manager.executors.mock.MockExecutor",
}
SECRETS = ("secret_key", "old_secret_keys", "database_url")
_KINDS = {
    "secret_key": "32 characters or more",
    "old_secret_keys": "keys of 32 characters or more, separated by commas or spaces",
    "webhook_allowed_networks": "networks such as 10.1.0.0/16, separated by commas",
    "database_url": DATABASE_URL_FORM,
    "executors": "{BACKEND, OPTIONS} by name: lower-case letters, digits, '-' and '_'",
    "path": "a path",
    "integer": "a whole number",
    "number": "a number",
    "array": "names separated by commas",
    "string": "a text that is not empty",
    "rate_limit": RATE_FORM,
    "failure_limit": RATE_FORM,
    "operator_namespace": "1 to 63 lower-case letters, digits and inner '-'",
}

ExecutorName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


def _default_data_dir() -> Path:
    if (CHECKOUT / "manage.py").exists():
        return CHECKOUT / ".purser"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "purser"


def _default_database_url(data: Mapping[str, Any]) -> SecretStr:
    return SecretStr(f"sqlite:///{data['data_dir']}/purser.sqlite3")


def _default_log_retention(data: Mapping[str, Any]) -> float:
    return float(data["retention_seconds"])


class Configuration(BaseSettings):
    """What an operator may set. Read once, when the process starts."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Directory for the SQLite database, job logs, the secret key and executor state. "
        "Default: `.purser` in a checkout, else `$XDG_STATE_HOME/purser`.",
    )
    database_url: SecretStr = Field(
        default_factory=_default_database_url,
        description=f"`{DATABASE_URL_FORM}`. Default: `purser.sqlite3` in the data directory.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Key for what the service signs and encrypts. "
        "Default: made on the first start and kept in the data directory.",
    )
    old_secret_keys: SecretStr | None = Field(
        default=None,
        description="Keys that `PURSER_SECRET_KEY` was before, separated by commas or spaces: what they have encrypted "
        "can still be read.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8080, ge=1, le=65535, description="Port to listen on.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("localhost", "127.0.0.1", "[::1]"),
        min_length=1,
        description="Names by which clients reach the service, separated by commas; `*` is any.",
    )
    executors: Annotated[dict[ExecutorName, dict[str, Any]], NoDecode] = Field(
        default={name: {} for name in BUILT_IN_EXECUTORS},
        description="What is registered, by name: `{BACKEND, OPTIONS}`. JSON in the variable, `[executors.<name>]` in "
        "the file. Only what is listed is registered; `docker`, `process` and `mock` need no BACKEND.",
    )
    max_queued: int = Field(
        default=100_000, ge=1, le=10_000_000, description="Jobs that may wait on one executor; more are answered 429."
    )
    max_body_bytes: int = Field(
        default=4 * 1024 * 1024, ge=1024, le=1024**3, description="Largest request body; a larger one is answered 413."
    )
    max_wait_seconds: float = Field(
        default=60, gt=0, le=3600, description="Longest that `?wait` and `Prefer: wait` may hold a request (s)."
    )
    log_max_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, le=1024**4, description="What is stored of the logs of one attempt of a job."
    )
    idempotency_retention_seconds: float = Field(
        default=86_400,
        ge=60,
        le=31_536_000,
        description="How long an `Idempotency-Key` is remembered (s), unless its job goes earlier.",
    )
    retention_seconds: float = Field(
        default=2_592_000,
        ge=1,
        le=315_360_000,
        description="How long a finished job is kept, with its attempts, events and `Idempotency-Key` (s): 30 days.",
    )
    log_retention_seconds: float = Field(
        default_factory=_default_log_retention,
        ge=1,
        le=315_360_000,
        description="How long the logs of a finished job are kept (s); never longer than the job. "
        "Default: as `PURSER_RETENTION_SECONDS`.",
    )
    webhook_allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="Networks that webhooks may lead to although they are not public, separated by commas.",
    )
    webhook_timeout_seconds: float = Field(
        default=15, ge=1, le=60, description="Longest that one attempt to tell a webhook may take (s)."
    )
    webhook_retry_seconds: float = Field(
        default=86_400, ge=1, le=2_592_000, description="How long a delivery is tried again before it fails (s)."
    )
    webhook_disable_seconds: float = Field(
        default=432_000,
        ge=1,
        le=31_536_000,
        description="A webhook that has received nothing for so long, of all that was sent, is disabled (s).",
    )
    webhook_retention_seconds: float = Field(
        default=604_800, ge=1, le=31_536_000, description="How long a delivery is kept after its end (s): 7 days."
    )
    rate_limit: str = Field(
        default="12000/60",
        description="Requests of one token in so many seconds, in all processes together, such as `600/60`; more are "
        "answered 429. `none` is no limit. A token may have its own.",
    )
    failure_limit: str = Field(
        default="300/60",
        description="Requests without a usable token of one address in so many seconds, in each process; more are "
        "answered 429. `none` is no limit.",
    )
    operator_namespace: str = Field(
        default="default",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="The namespace whose tokens see what belongs to no single one: `/metrics`, drift, and refused "
        "requests without a usable token.",
    )
    audit_retention_seconds: float = Field(
        default=31_536_000,
        ge=60,
        le=315_360_000,
        description="How long an entry of the audit log is kept (s): 365 days.",
    )
    api_threads: int = Field(
        default=8, ge=1, le=256, description="Threads that answer requests; each keeps one database connection."
    )
    dispatcher_lease_seconds: float = Field(
        default=10, ge=1, le=3600, description="Silence after which a dispatcher's jobs are taken over by another (s)."
    )
    report_seconds: float = Field(
        default=2, ge=0.1, le=600, description="Time between a dispatcher's reports of its executors' health (s)."
    )
    shutdown_seconds: float = Field(
        default=20,
        ge=0,
        le=3600,
        description="How long a stop waits for requests, and again for the dispatcher's work in flight (s).",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level of the service's own log, which goes to standard error."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="Form of the service's own log; `auto` is text on a terminal and JSON elsewhere."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # Given to the constructor are the contents of the TOML file: below the environment.
        return env_settings, init_settings

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        django_settings(url.get_secret_value())
        return url

    @field_validator("old_secret_keys")
    @classmethod
    def _long_enough(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys and any(len(key) < 32 for key in _keys_in(keys)):
            raise ValueError("has a key of fewer than 32 characters")
        return keys

    @field_validator("rate_limit", "failure_limit")
    @classmethod
    def _known_rate(cls, text: str) -> str:
        try:
            rates.parse(text)
        except ValueError:
            raise ValueError(f"is {text!r}, but allowed is {RATE_FORM}") from None
        return text

    @field_validator("allowed_hosts", "webhook_allowed_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("executors", mode="before")
    @classmethod
    def _parse(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"must be a JSON object by executor name; {error}") from None

    @property
    def secret(self) -> str:
        """The secret key: the one that is set, else the one kept in the data directory, made if it is missing."""
        return self.secret_key.get_secret_value() if self.secret_key else _kept_secret(self.data_dir / "secret_key")

    @property
    def old_secrets(self) -> list[str]:
        """The keys that the secret key was before."""
        return _keys_in(self.old_secret_keys) if self.old_secret_keys else []

    @property
    def database(self) -> dict[str, Any]:
        """Django's settings for the database."""
        return django_settings(self.database_url.get_secret_value())

    @property
    def instance(self) -> str:
        """What tells the executions of this installation from those of others on one engine: where its books are."""
        database = self.database
        host = str(database.get("HOST", ""))
        if host.startswith(("/", "localhost", "127.")) or not host:
            host += socket.gethostname()
        place = f"{host} {database.get('PORT', '')} {database['NAME']}"
        return hashlib.sha256(place.encode()).hexdigest()[:16]

    @property
    def executor_settings(self) -> dict[str, dict[str, Any]]:
        """`settings.EXECUTORS`: built-in ones get their class and what keeps this installation apart from others."""
        return {name: self._built_in(name, entry) for name, entry in self.executors.items()}

    def _built_in(self, name: str, entry: dict[str, Any]) -> dict[str, Any]:
        backend, options = entry.get("BACKEND", BUILT_IN_EXECUTORS.get(name)), entry.get("OPTIONS", {})
        kind = next((kind for kind, path in BUILT_IN_EXECUTORS.items() if path == backend), None)
        if kind is None or not isinstance(options, Mapping):
            return dict(entry)
        return {**entry, "BACKEND": backend, "OPTIONS": {**self._own_options(kind, name), **options}}

    def _own_options(self, kind: str, name: str) -> dict[str, Any]:
        own: dict[str, Any] = {"state_dir": str(self.data_dir / "executors" / name)}
        if kind == "docker":
            own["instance"] = self.instance
        if kind == "process":
            # Jobs may run as the user that Purser runs as, and the data directory holds its token and its books.
            own["hidden_paths"] = ["/home", "/root", "/run", str(self.data_dir)]
        return own

    def redacted(self) -> dict[str, str]:
        """What is in effect, by variable, with every secret replaced by stars."""
        values = self.model_dump(mode="json")
        values["secret_key"] = "***"  # noqa: S105
        values["old_secret_keys"] = "***" if self.old_secret_keys else ""
        values["database_url"] = without_password(self.database_url.get_secret_value())
        values["executors"] = _starred(self.executor_settings)
        return {variable(name): as_text(value) for name, value in values.items()}


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def load() -> Configuration:
    """Read the configuration. Raises InvalidConfig that names each bad variable, its value and what is allowed."""
    values = {**_from_toml(os.environ.get("PURSER_CONFIG")), **_from_secret_files()}
    try:
        return Configuration(**values)
    except ValidationError as error:
        sentences = [_sentence(detail) for detail in error.errors() if detail["type"] != "default_factory_not_called"]
        raise InvalidConfig("\n".join(sentences)) from None


def prepare_data_dir(path: Path) -> None:
    """Make the data directory, for its owner only. Raises InvalidConfig when it cannot be made or written."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        raise InvalidConfig(f"PURSER_DATA_DIR is '{path}', which cannot be written: {error.strerror}") from None


def _from_toml(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise InvalidConfig(f"PURSER_CONFIG is {path!r}, but must be the path of a TOML file; {error}") from None


def _from_secret_files() -> dict[str, str]:
    found: dict[str, str] = {}
    for field in SECRETS:
        name = variable(field) + "_FILE"
        if not os.environ.get(name):
            continue
        if os.environ.get(variable(field)):
            raise InvalidConfig(f"{variable(field)} and {name} are both set; set one of them")
        try:
            found[field] = Path(os.environ[name]).read_text().strip()
        except (OSError, ValueError) as error:
            raise InvalidConfig(f"{name} is {os.environ[name]!r}, but must be the path of a file; {error}") from None
    return found


def _sentence(detail: Any) -> str:
    field, *rest = (str(part) for part in detail["loc"])
    name = ".".join([variable(field), *rest])
    if detail["type"] == "extra_forbidden":
        return f"{field!r} in PURSER_CONFIG is unknown{_nearest(field, Configuration.model_fields)}"
    if detail["type"] == "value_error":
        return f"{name} {detail['ctx']['error']}"
    value = "there" if field in SECRETS else repr(detail["input"])
    return f"{name} is {value}, but allowed is {allowed(field)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def allowed(field: str) -> str:
    """What a field takes, in words: its kind and bounds."""
    schema = Configuration.model_json_schema()["properties"][field]
    if choices := schema.get("enum"):
        return ", ".join(choices[:-1]) + f" or {choices[-1]}"
    kind = _KINDS.get(field) or _KINDS.get(schema.get("format", "")) or _KINDS[schema["type"]]
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    more_than = "more than " if "exclusiveMinimum" in schema else ""
    return f"{kind}, {more_than}{low} to {high}" if high is not None else kind


def _keys_in(text: SecretStr) -> list[str]:
    return text.get_secret_value().replace(",", " ").split()


def _kept_secret(path: Path) -> str:
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as made:  # readable by its owner only
            made.write(secrets.token_urlsafe(48))
            made.flush()
            _link_unless_there(Path(made.name), path)
    return path.read_text()


def _link_unless_there(made: Path, path: Path) -> None:
    try:
        os.link(made, path)
    except FileExistsError:
        return  # another process was first; its secret is the one


def _starred(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _starred(inner, str(name)) for name, inner in value.items()}
    return "***" if any(word in key.lower() for word in ("password", "secret", "token", "auth")) else value


def as_text(value: Any) -> str:
    """A value as it would be given in a variable."""
    if isinstance(value, list | tuple):
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value)
