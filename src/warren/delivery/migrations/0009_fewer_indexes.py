import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Django makes a second index for each text key, for `LIKE 'x%'`, which nobody asks of an id. Each state of a job is a
# new entry in every index of its table.
DROP = """
DO $$
DECLARE superfluous text;
BEGIN
    FOR superfluous IN
        SELECT indexname FROM pg_indexes
        WHERE schemaname = current_schema() AND indexname ~ '_like$'
          AND tablename IN ('warren_job', 'warren_outbox', 'warren_job_event', 'warren_idempotency_key', 'warren_chord',
                            'warren_result_group')
    LOOP
        EXECUTE format('DROP INDEX %I', superfluous);
    END LOOP;
END $$;
"""
# Its rows come and go, beside any number that wait for their time: by a share of the table it would be vacuumed rarely.
VACUUM = "ALTER TABLE warren_outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"


class Migration(migrations.Migration):
    dependencies = [("delivery", "0008_tell_the_state"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
        migrations.RunSQL(
            VACUUM, "ALTER TABLE warren_outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)"
        ),
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
        ),
    ]
