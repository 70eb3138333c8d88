from django.db import migrations

# With the owner: whoever follows somebody's jobs need not look at everybody's rows. The function alone changes, not the
# trigger, which would wait for every running transaction of a task and hold up all claims behind it.
# A process of the former code that still runs does not understand, and finds results by looking.
TELL = """
CREATE OR REPLACE FUNCTION warren_tell_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('warren_job', NEW.state || ' ' || coalesce(NEW.owner_id::text, '') || ' ' || NEW.id);
    RETURN NULL;
END $$;
"""
UNDO = """
CREATE OR REPLACE FUNCTION warren_tell_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('warren_job', NEW.state || ' ' || NEW.id);
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0011_message_of_the_attempt")]

    operations = [migrations.RunSQL(TELL, UNDO)]
