from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

KINDS = ["retried", "cancelled", "lost", "attempt_failed", "dead", "cloned"]


class Migration(migrations.Migration):
    atomic = False  # jobs are accepted and claimed meanwhile

    dependencies = [("delivery", "0012_tell_the_owner")]

    operations = [
        AddIndexConcurrently(
            "job",
            models.Index(
                condition=models.Q(state__in=("failed", "dead")),
                fields=["-created_at", "-id"],
                name="warren_job_failed",
            ),
        ),
        AddIndexConcurrently(
            "job",
            models.Index(condition=~models.Q(root_id=models.F("id")), fields=["root_id"], name="warren_job_family"),
        ),
        AddIndexConcurrently(
            "job", models.Index(condition=~models.Q(group_id=""), fields=["group_id"], name="warren_job_group")
        ),
        AddIndexConcurrently(
            "outboxmessage",
            models.Index(condition=models.Q(failures__gt=0), fields=["id"], name="warren_outbox_refused"),
        ),
        migrations.AlterField(
            "jobevent",
            "kind",
            models.CharField(choices=[(kind, kind.replace("_", " ").title()) for kind in KINDS], max_length=16),
        ),
    ]
