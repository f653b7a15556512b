import re
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from container_manager import namespaces
from container_manager.management.acts import acting
from container_manager.models import Namespace

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_KEEP = object()


class Command(BaseCommand):
    help = "Set and list what namespaces may hold on all executors together."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        change = verbs.add_parser("set", help="Set quotas; those that are not given stay as they are.")
        change.add_argument("name", type=_name, help="The namespace; it need not have jobs or tokens yet.")
        for option, kind, text in (
            ("--max-jobs", _whole, "Jobs that may run at once."),
            ("--max-memory-mib", _whole, "Memory that its jobs may hold together."),
            ("--max-cpu-cores", _millis, "Cpu that its jobs may hold together, such as 2.5."),
            ("--max-queued", _whole, "Jobs that may wait; one more is answered with 429."),
        ):
            change.add_argument(option, type=kind, default=_KEEP, metavar="N|none", help=text)
        verbs.add_parser("list", help="Show each namespace, what it holds and its quotas.")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, f"_{verb}")(**options)

    def _set(self, **options: Any) -> None:
        quotas = {
            "max_jobs": options["max_jobs"],
            "max_memory_mib": options["max_memory_mib"],
            "max_cpu_millis": options["max_cpu_cores"],
            "max_queued": options["max_queued"],
        }
        given = {key: value for key, value in quotas.items() if value is not _KEEP}
        with acting("setNamespace", "namespace", options["name"]):
            changed = namespaces.set_quotas(options["name"], **given)
        self.stdout.write(_line(changed))

    def _list(self, **options: Any) -> None:
        for namespace in namespaces.listed():
            self.stdout.write(_line(namespace))


def _line(row: Namespace) -> str:
    cores = None if row.max_cpu_millis is None else row.max_cpu_millis / 1000
    return "  ".join(
        [
            row.name,
            f"jobs {row.jobs_used}/{_bound(row.max_jobs)}",
            f"memory_mib {row.memory_used}/{_bound(row.max_memory_mib)}",
            f"cpu_cores {row.cpu_millis_used / 1000:.15g}/{_bound(cores)}",
            f"queued at most {_bound(row.max_queued)}",
        ]
    )


def _bound(most: float | None) -> str:
    return "unlimited" if most is None else f"{most:.15g}"


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} must be 1 to 63 lower-case letters, digits and inner '-'")
    return text


def _whole(text: str) -> int | None:
    if text == "none":
        return None
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise ArgumentTypeError(f"{text!r} is neither a whole number from 1 on nor 'none'")
    return int(text)


def _millis(text: str) -> int | None:
    if text == "none":
        return None
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text) or float(text) == 0:
        raise ArgumentTypeError(f"{text!r} is neither a number of cores, to a thousandth, nor 'none'")
    return round(float(text) * 1000)
