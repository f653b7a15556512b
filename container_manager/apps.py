from django.apps import AppConfig


class ContainerManagerConfig(AppConfig):
    name = "container_manager"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from container_manager import checks  # noqa: F401  (registers the system checks)
        from container_manager.breaker import DatabaseBreaker
        from container_manager.executors.registry import executors
        from container_manager.ledger import DatabaseLedger

        executors.make_ledger = DatabaseLedger
        executors.make_breaker = DatabaseBreaker
