from django.db import migrations, models

FINAL = ["cancelled", "dead", "expired", "failed", "succeeded"]


class Migration(migrations.Migration):
    dependencies = [("delivery", "0009_fewer_indexes")]

    operations = [
        migrations.RemoveIndex("job", "warren_job_open"),
        migrations.AddIndex(
            "job",
            models.Index(
                condition=models.Q(("finished_at__isnull", True)), fields=["queue", "state"], name="warren_job_open"
            ),
        ),
        migrations.AddConstraint(
            "job",
            models.CheckConstraint(
                condition=models.Q(("finished_at__isnull", True), ("state__in", FINAL), _connector="OR"),
                name="warren_job_open_is_not_finished",
            ),
        ),
    ]
