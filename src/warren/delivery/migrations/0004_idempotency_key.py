import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# ON DELETE CASCADE in Postgres, so that deleting old jobs need not look for keys. Deferred, because a key is written
# before its job is.
JOB = """
ALTER TABLE warren_idempotency_key ADD CONSTRAINT warren_idempotency_key_job
FOREIGN KEY (job_id) REFERENCES warren_job (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
"""


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0003_broker_mark"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                ("job_ids", models.TextField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "job",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="delivery.job",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "warren_idempotency_key",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key", "owner"), name="warren_idempotency_key_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.RunSQL(JOB, migrations.RunSQL.noop),
    ]
