import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api import configuration
from api.database_url import django_settings, without_password
from api.management.commands import config
from container_manager.exceptions import InvalidConfig

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    for name in [name for name in os.environ if name.startswith("PURSER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PURSER_DATA_DIR", str(tmp_path))
    return monkeypatch


def refusal() -> Any:
    with pytest.raises(InvalidConfig) as refused:
        configuration.load()
    return str(refused.value)


def test_without_any_setting_it_serves_this_host_from_an_sqlite_file(tmp_path: Path) -> None:
    loaded = configuration.load()

    assert (loaded.host, loaded.port) == ("127.0.0.1", 8080)
    assert loaded.database["NAME"] == tmp_path / "purser.sqlite3"
    assert list(loaded.executor_settings) == ["docker", "process", "mock"]


def test_in_a_checkout_the_data_directory_lies_beside_manage_py(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("PURSER_DATA_DIR")

    assert configuration.load().data_dir == ROOT / ".purser"


def test_outside_a_checkout_the_data_directory_is_the_user_s_state(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.delenv("PURSER_DATA_DIR")
    environment.setattr(configuration, "CHECKOUT", tmp_path)
    environment.setenv("XDG_STATE_HOME", "/var/state")

    assert configuration.load().data_dir == Path("/var/state/purser")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PURSER_PORT", "abc", "a whole number, 1 to 65535"),
        ("PURSER_PORT", "70000", "a whole number, 1 to 65535"),
        ("PURSER_MAX_WAIT_SECONDS", "nan", "a number, more than 0 to 3600"),
        ("PURSER_LOG_LEVEL", "loud", "debug, info, warning or error"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    environment: pytest.MonkeyPatch, name: str, value: Any, allowed: str
) -> None:
    environment.setenv(name, value)

    assert refusal() == f"{name} is {value!r}, but allowed is {allowed}"


def test_every_wrong_value_is_named_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PURSER_PORT", "0")
    environment.setenv("PURSER_API_THREADS", "0")

    assert [line.split()[0] for line in refusal().splitlines()] == ["PURSER_PORT", "PURSER_API_THREADS"]


def test_an_empty_variable_counts_as_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PURSER_PORT", "")

    assert configuration.load().port == 8080


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "purser.toml").write_text('port = 9000\nhost = "::1"\n')
    environment.setenv("PURSER_CONFIG", str(tmp_path / "purser.toml"))
    environment.setenv("PURSER_PORT", "9001")

    loaded = configuration.load()

    assert (loaded.host, loaded.port) == ("::1", 9001)


def test_an_unknown_key_in_the_file_is_refused_with_the_nearest_one(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "purser.toml").write_text("prot = 9000\n")
    environment.setenv("PURSER_CONFIG", str(tmp_path / "purser.toml"))

    assert refusal() == "'prot' in PURSER_CONFIG is unknown; did you mean 'port'?"


@pytest.mark.parametrize("content", [None, "port = "])
def test_a_file_that_cannot_be_read_is_named(environment: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    path = tmp_path / "purser.toml"
    if content:
        path.write_text(content)
    environment.setenv("PURSER_CONFIG", str(path))

    assert refusal().startswith(f"PURSER_CONFIG is '{path}', but must be the path of a TOML file")


def test_a_secret_may_be_given_as_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    environment.setenv("PURSER_SECRET_KEY_FILE", str(tmp_path / "key"))

    assert configuration.load().secret == "k" * 40


def test_a_secret_and_its_file_together_are_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PURSER_SECRET_KEY_FILE", "/run/key")
    environment.setenv("PURSER_SECRET_KEY", "k" * 40)

    assert refusal() == "PURSER_SECRET_KEY and PURSER_SECRET_KEY_FILE are both set; set one of them"


def test_a_secret_s_file_that_is_not_there_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PURSER_SECRET_KEY_FILE", "/no/such/key")

    assert refusal().startswith("PURSER_SECRET_KEY_FILE is '/no/such/key'")


@pytest.mark.parametrize("name", ["PURSER_SECRET_KEY", "PURSER_DATABASE_URL"])
def test_a_wrong_secret_is_never_shown(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.setenv(name, "postgres+hunter2")

    assert name in refusal()
    assert "hunter2" not in refusal()


def test_the_secret_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = configuration.load().secret

    assert configuration.load().secret == first
    assert len(first) >= 64
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_data_directory_that_cannot_be_written_is_named() -> None:
    with pytest.raises(InvalidConfig, match=r"PURSER_DATA_DIR is '/proc/purser', which cannot be written"):
        configuration.prepare_data_dir(Path("/proc/purser"))


def test_a_registered_executor_keeps_its_options_and_a_built_in_one_gets_its_class(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("PURSER_EXECUTORS", '{"mock": {"OPTIONS": {"timeout": 5}}, "own": {"BACKEND": "a.B"}}')

    registered = configuration.load().executor_settings

    assert registered["mock"]["BACKEND"] == "container_manager.executors.mock.MockExecutor"
    assert registered["mock"]["OPTIONS"]["timeout"] == 5
    assert registered["own"] == {"BACKEND": "a.B"}


def test_what_the_executors_keep_lies_in_the_data_directory_which_jobs_do_not_see(tmp_path: Path) -> None:
    options = configuration.load().executor_settings["process"]["OPTIONS"]

    assert options["state_dir"] == str(tmp_path / "executors" / "process")
    assert str(tmp_path) in options["hidden_paths"]


def test_an_installation_is_known_by_its_database(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def instance(url: str) -> Any:
        environment.setenv("PURSER_DATABASE_URL", url)
        return configuration.load().executor_settings["docker"]["OPTIONS"]["instance"]

    first = instance("postgres://a@db.example/books")

    assert instance("postgres://b:secret@db.example/books?sslmode=require") == first
    assert instance("postgres://a@db.example/others") != first
    assert instance("postgres://a@localhost/books") != instance("sqlite:////books")


def test_a_built_in_class_under_another_name_is_kept_apart_too(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entries = {name: {"BACKEND": path} for name, path in configuration.BUILT_IN_EXECUTORS.items()}
    environment.setenv("PURSER_EXECUTORS", json.dumps({f"second-{name}": entry for name, entry in entries.items()}))
    loaded = configuration.load()

    options = {name: entry["OPTIONS"] for name, entry in loaded.executor_settings.items()}
    assert options["second-docker"] == {
        "instance": loaded.instance, "state_dir": str(tmp_path / "executors" / "second-docker"),
    }  # fmt: skip
    assert options["second-process"]["state_dir"] == str(tmp_path / "executors" / "second-process")
    assert options["second-mock"] == {"state_dir": str(tmp_path / "executors" / "second-mock")}


def test_logs_are_kept_as_long_as_their_job_unless_told_otherwise(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PURSER_RETENTION_SECONDS", "5000")
    assert configuration.load().log_retention_seconds == 5000

    environment.setenv("PURSER_LOG_RETENTION_SECONDS", "60")
    assert configuration.load().log_retention_seconds == 60


@pytest.mark.parametrize("value", ["{", "[]", '{"Not A Name": {}}', '{"x": 3}'])
def test_executors_that_make_no_sense_are_refused(environment: pytest.MonkeyPatch, value: Any) -> None:
    environment.setenv("PURSER_EXECUTORS", value)

    assert refusal().startswith("PURSER_EXECUTORS")


def test_hosts_are_separated_by_commas(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PURSER_ALLOWED_HOSTS", "purser.example, 10.0.0.1")

    assert configuration.load().allowed_hosts == ("purser.example", "10.0.0.1")


def test_a_postgres_url_becomes_django_s_settings() -> None:
    settings = django_settings("postgres://ann:p%40ss@db.example:6432/books?sslmode=require")

    assert {key: settings[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "books",
        "USER": "ann",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6432",
    }
    timeout = "-c idle_in_transaction_session_timeout=10s"
    assert settings["OPTIONS"] == {"connect_timeout": 5, "options": timeout, "sslmode": "require"}


def test_options_in_a_postgres_url_win() -> None:
    options = django_settings("postgres://h/d?connect_timeout=9&options=-c%20search_path%3Dbooks")["OPTIONS"]

    assert options == {"connect_timeout": "9", "options": "-c search_path=books"}


@pytest.mark.parametrize(
    "url", ["", "mysql://h/d", "sqlite://", "sqlite:///", "sqlite:///:memory:", "postgres://h", "postgres://h/d?x=y"]
)
def test_a_database_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        django_settings(url)


def test_what_is_in_effect_is_shown_without_secrets(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PURSER_DATABASE_URL", "postgres://ann:hunter2@db.example/books")
    environment.setenv("PURSER_SECRET_KEY", "hunter2" * 10)
    environment.setenv("PURSER_EXECUTORS", '{"own": {"BACKEND": "a.B", "OPTIONS": {"api_token": "hunter2"}}}')

    shown = configuration.load().redacted()

    assert "hunter2" not in str(shown)
    assert shown["PURSER_DATABASE_URL"] == "postgres://ann:***@db.example/books"


def test_a_url_without_a_password_is_shown_as_it_is() -> None:
    assert without_password("sqlite:////srv/purser.sqlite3") == "sqlite:////srv/purser.sqlite3"


def test_a_wrong_setting_ends_every_command_with_one_line_and_code_2(tmp_path: Path) -> None:
    environment = {**os.environ, "PURSER_DATA_DIR": str(tmp_path), "PURSER_PORT": "abc"}
    ended = subprocess.run(
        [sys.executable, ROOT / "manage.py", "serve"], env=environment, capture_output=True, text=True
    )

    assert ended.returncode == 2
    assert ended.stderr == "PURSER_PORT is 'abc', but allowed is a whole number, 1 to 65535\n"


def test_the_page_of_settings_is_the_one_that_the_code_makes(capsys: pytest.CaptureFixture[str]) -> None:
    config.Command().handle(reference=True)

    assert capsys.readouterr().out == (ROOT / "docs" / "configuration.md").read_text()


def test_the_effective_settings_are_listed_by_variable(capsys: pytest.CaptureFixture[str]) -> None:
    config.Command().handle(reference=False)

    assert "PURSER_PORT=8080\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://u@h/db?password=s3cret", "postgres://u@h/db?password=***"),
        ("postgres://u:s3cret@h:5432/db?sslmode=require", "postgres://u:***@h:5432/db?sslmode=require"),
        ("postgres://h/db?PassFile=/s3cret&sslpassword=s3cret", "postgres://h/db?PassFile=***&sslpassword=***"),
        ("postgres://u:s3@cret@h/db", "postgres://u:***@h/db"),
    ],
)
def test_no_part_of_a_database_url_shows_a_secret(url: str, shown: str) -> None:
    assert without_password(url) == shown
