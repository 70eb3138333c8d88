from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLES = [
    "warren_job",
    "warren_outbox",
    "warren_job_event",
    "warren_idempotency_key",
    "warren_chord",
    "warren_result_group",
]

# Its rows come and go, beside any number that wait for their time: by a share of the table it would be vacuumed rarely.
VACUUM = "ALTER TABLE warren_outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"
UNDO_VACUUM = "ALTER TABLE warren_outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)"

OWNER_INDEX = "warren_job_owner_id_%"


def drop(_apps: Any, schema_editor: Any) -> None:
    """Django makes a second index for each text key, for `LIKE 'x%'`, which nobody asks of an id, and one for the owner,
    who has another. Each state of a job is a new entry in every index of its table.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()
              AND (tablename = ANY(%s) AND indexname LIKE '%%\\_like' OR tablename = 'warren_job' AND indexname LIKE %s)
            """,
            [TABLES, OWNER_INDEX],
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')


class Migration(migrations.Migration):
    atomic = False  # jobs are accepted and claimed meanwhile

    dependencies = [("delivery", "0008_tell_the_state"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.RunPython(drop, migrations.RunPython.noop),
        migrations.RunSQL(VACUUM, UNDO_VACUUM),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "job",
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="jobs",
                        to=settings.AUTH_USER_MODEL,
                    ),
                )
            ]
        ),
    ]
