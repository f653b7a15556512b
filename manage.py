#!/usr/bin/env python3
"""Django's command line for Purser; `manage.py serve` runs the service."""

import os
import sys

from django.core.management import execute_from_command_line

from container_manager.exceptions import InvalidConfig


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "api.settings"
    try:
        execute_from_command_line(sys.argv)
    except InvalidConfig as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
