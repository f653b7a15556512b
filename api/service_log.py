"""The service's own log: one line an event on standard error, with the ids of the request and the job at hand.

Bind them with `structlog.contextvars.bind_contextvars(request_id=…, job_id=…)`; every record of that thread or
task carries them, those of the standard library's loggers too.
"""

import logging
import logging.config
import sys
from collections.abc import Mapping

import structlog
from structlog.typing import Processor

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
_QUIET = ("urllib3", "docker", "asyncio", "uvicorn", "faker")


def configure(options: Mapping[str, str]) -> None:
    """Set up logging. `options` are `level` and `format` (auto, json, text), as in the configuration."""
    # What no line of ours shows is not looked for: the optimization that Python's logging HOWTO describes.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": _SHARED,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *_renderers(options["format"]),
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": options["level"].upper()},
            "loggers": {
                **{name: {"level": "WARNING"} for name in _QUIET},
                "django": {"handlers": [], "level": "INFO", "propagate": True},
                # The access log says it; tracebacks of 500s come by django.request at ERROR.
                "django.request": {"level": "ERROR"},
                "django.server": {"handlers": [], "propagate": True},
            },
        }
    )


def _renderers(form: str) -> list[Processor]:
    if form == "text" or (form == "auto" and sys.stderr.isatty()):
        return [structlog.dev.ConsoleRenderer()]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
