"""Indexes on the task table, which is django-tasks-db's; and rows of its own backend, made ours."""

from django.db import migrations

TABLE = "django_tasks_database_dbtaskresult"


class Migration(migrations.Migration):
    dependencies = [("tasks", "0001_background_tasks")]

    operations = [
        # Leases that are over: the sweep, every few seconds.
        migrations.RunSQL(
            f"CREATE INDEX tasks_lease_end ON {TABLE} (run_after) WHERE status = 'RUNNING'",
            "DROP INDEX tasks_lease_end",
        ),
        # Tasks that died lately: each health check.
        migrations.RunSQL(
            f"CREATE INDEX tasks_dead ON {TABLE} (finished_at) WHERE status = 'FAILED'",
            "DROP INDEX tasks_dead",
        ),
        # There, "at once" is the year 9999; here it is a time that has come.
        migrations.RunSQL(
            f"UPDATE {TABLE} SET run_after = enqueued_at WHERE run_after >= '9999-01-01'",
            migrations.RunSQL.noop,
        ),
    ]
