from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """An index of the dead jobs, which are few: `/metrics` tells how many there are, every few seconds."""

    atomic = False  # jobs are accepted and claimed meanwhile

    dependencies = [("delivery", "0013_what_people_look_for")]

    operations = [
        AddIndexConcurrently(
            "job", models.Index(fields=["queue"], name="warren_job_dead", condition=models.Q(state="dead"))
        ),
    ]
