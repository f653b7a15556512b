"""The audit log keeps its entries: no change, and no deletion but of what is older than the horizon.

The horizon is a table of one row, no model: only `audit.allow_deletion_before` moves it.
"""

from django.db import migrations

_SQLITE = (
    "CREATE TABLE audit_horizon (before datetime NOT NULL)",
    "INSERT INTO audit_horizon VALUES ('0001-01-01 00:00:00')",
    """
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON container_manager_auditentry
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_is_kept BEFORE DELETE ON container_manager_auditentry
    WHEN OLD.at >= (SELECT before FROM audit_horizon)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
)
_POSTGRESQL = (
    "CREATE TABLE audit_horizon (before timestamptz NOT NULL)",
    "INSERT INTO audit_horizon VALUES ('-infinity')",
    """
    CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF OLD.at < (SELECT before FROM audit_horizon) THEN
                RETURN OLD;
            END IF;
        ELSIF TG_OP = 'TRUNCATE' THEN
            IF NOT EXISTS (
                SELECT FROM container_manager_auditentry WHERE at >= (SELECT before FROM audit_horizon)
            ) THEN
                RETURN NULL;
            END IF;
        END IF;
        RAISE 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON container_manager_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuses()
    """,
    """
    CREATE TRIGGER audit_is_kept_whole BEFORE TRUNCATE ON container_manager_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()
    """,
)


def _enforce(apps, schema_editor):
    for statement in _POSTGRESQL if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("container_manager", "0001_initial")]
    operations = [migrations.RunPython(_enforce)]
