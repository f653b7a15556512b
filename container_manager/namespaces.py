"""The quotas of namespaces, as an operator sets them."""

from django.db import transaction

from container_manager import audit
from container_manager.models import Namespace


@transaction.atomic
def set_quotas(name: str, **quotas: int | None) -> Namespace:
    """Change the named quotas (`max_jobs`, `max_memory_mib`, `max_cpu_millis`, `max_queued`); None is unlimited.

    What runs already goes on; what waits is measured anew at its turn.
    """
    namespace, _ = Namespace.objects.update_or_create(name=name, defaults=quotas)
    audit.note("namespace", name, name)
    return namespace


def quotas(name: str) -> Namespace:
    """The quotas of a namespace, which may have none."""
    return Namespace.objects.filter(name=name).first() or Namespace(name=name)


def listed() -> list[Namespace]:
    """Every namespace that has a quota or has ever run a job."""
    return list(Namespace.objects.order_by("name"))
