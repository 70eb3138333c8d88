from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models

FINAL = ["cancelled", "dead", "expired", "failed", "succeeded"]
HAS_NO_END = models.Q(finished_at__isnull=True)


class Migration(migrations.Migration):
    atomic = False  # jobs are accepted and claimed meanwhile

    dependencies = [("delivery", "0009_fewer_indexes")]

    operations = [
        AddIndexConcurrently(
            "job", models.Index(condition=HAS_NO_END, fields=["queue", "state"], name="warren_job_unfinished")
        ),
        AddIndexConcurrently(
            "job",
            models.Index(condition=HAS_NO_END & models.Q(losses__gt=0), fields=["queue"], name="warren_job_suspect"),
        ),
        RemoveIndexConcurrently("job", "warren_job_open"),
        AddConstraintNotValid(
            "job",
            models.CheckConstraint(
                condition=HAS_NO_END | models.Q(state__in=FINAL), name="warren_job_open_is_not_finished"
            ),
        ),
        ValidateConstraint("job", "warren_job_open_is_not_finished"),
    ]
