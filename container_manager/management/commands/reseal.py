from typing import Any

from django.core.management.base import BaseCommand, CommandError

from container_manager import secrets
from container_manager.exceptions import SecretUnreadable


class Command(BaseCommand):
    help = "Encrypt every kept secret anew with PURSER_SECRET_KEY; then PURSER_OLD_SECRET_KEYS is not needed any more."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = secrets.reseal()
        except SecretUnreadable as error:
            raise CommandError(f"{error} Put the key that sealed it into PURSER_OLD_SECRET_KEYS.") from None
        self.stdout.write(f"{count} secrets are encrypted with the present key")
