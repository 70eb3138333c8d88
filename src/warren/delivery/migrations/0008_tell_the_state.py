from django.db import migrations

# With the state: most who listen want the end alone, and need not look at the row before.
TELL = """
CREATE OR REPLACE FUNCTION warren_tell_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('warren_job', NEW.state || ' ' || NEW.id);
    RETURN NULL;
END $$;
"""
UNDO = """
CREATE OR REPLACE FUNCTION warren_tell_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('warren_job', NEW.id);
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0007_worker_suspicion")]

    operations = [migrations.RunSQL(TELL, UNDO)]
