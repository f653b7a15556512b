from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.module_loading import import_string
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from api.configuration import BUILT_IN_EXECUTORS, SECRETS, Configuration, allowed, as_text, variable
from container_manager.executors.config import ExecutorOptions

_INTRODUCTION = """\
# Configuration

Every setting of the service. A setting `port` is the variable `PURSER_PORT`, or `port` in the TOML file that
`PURSER_CONFIG` names; a variable wins over the file. A secret may also be given as a file that holds it, by the
same name with `_FILE` at its end. An empty variable counts as not set. A wrong value stops the start with exit
code 2 and a line that names the variable, its value and what is allowed.

`manage.py config` shows what is in effect, with secrets as stars. This page is made by
`manage.py config --reference`, from `api/configuration.py`.

| variable | takes | default | meaning |
|---|---|---|---|
"""

_EXECUTORS = """
## Executors

Each entry is a name, the dotted path of a class, and the options of that class:

```toml
# purser.toml
port = 9090

[executors.docker.OPTIONS]
total_memory = 8192

[executors.acme]
BACKEND = "acme.purser.AcmeExecutor"
```

Only what is listed is registered: this file leaves `process` and `mock` out. `manage.py check` refuses an entry
that cannot be made, and names the key.
"""


class Command(BaseCommand):
    help = "Show the configuration that is in effect, with its secrets as stars."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reference", action="store_true", help="Print docs/configuration.md instead.")

    def handle(self, *args: Any, reference: bool, **options: Any) -> None:
        self.stdout.write(_reference() if reference else _effective(), ending="")


def _effective() -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.PURSER.redacted().items())


def _reference() -> str:
    rows = "".join(_row(name) for name in Configuration.model_fields)
    tables = [_options("every executor", ExecutorOptions)]
    for name, path in BUILT_IN_EXECUTORS.items():
        tables.append(_options(f"`{name}`", import_string(path).options_class, ExecutorOptions))
    return _INTRODUCTION + rows + _EXECUTORS + "".join(tables)


def _row(name: str) -> str:
    field = Configuration.model_fields[name]
    names = f"`{variable(name)}`" + (f" `{variable(name)}_FILE`" if name in SECRETS else "")
    return f"| {names} | {allowed(name)} | {_default(field)} | {field.description} |\n"


def _options(owner: str, model: type[BaseModel], base: type[BaseModel] | None = None) -> str:
    """A table of the options of a model that it does not have from its base."""
    inherited = base.model_fields if base else {}
    rows = [
        f"| `{name}` | {_default(field)} | {field.description} |\n"
        for name, field in model.model_fields.items()
        if name not in inherited
    ]
    return f"\n### Options of {owner}\n\n| option | default | meaning |\n|---|---|---|\n" + "".join(rows)


def _default(field: FieldInfo) -> str:
    return "" if field.default in (None, (), PydanticUndefined) else f"`{as_text(field.default)}`"
