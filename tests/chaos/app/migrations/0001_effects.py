from django.db import migrations


class Migration(migrations.Migration):
    """The effects of the ledger's tasks. Nothing is unique, so that a second effect of a key is seen, not refused."""

    dependencies = []

    operations = [
        migrations.RunSQL(
            "CREATE TABLE ledger_effect (key text NOT NULL, job_id text NOT NULL, attempt integer NOT NULL)",
            "DROP TABLE ledger_effect",
        )
    ]
