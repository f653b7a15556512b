"""On SQLite, `INSERT OR REPLACE` deletes the row in its way without asking the trigger that keeps it."""

from django.db import migrations

# The id is -1 here where none is given.
_SQLITE = """
    CREATE TRIGGER IF NOT EXISTS audit_is_not_replaced BEFORE INSERT ON container_manager_auditentry
    WHEN EXISTS (SELECT 1 FROM container_manager_auditentry WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""


def _refuse(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(_SQLITE)


class Migration(migrations.Migration):
    dependencies = [("container_manager", "0005_memory_aside")]
    operations = [migrations.RunPython(_refuse)]
