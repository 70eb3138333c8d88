from django.db import migrations

# Whoever changes a job's state or progress, and however, tells all who listen: the job's id, at commit.
TELL = """
CREATE FUNCTION warren_tell_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('warren_job', NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER warren_job_changed AFTER UPDATE ON warren_job FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.progress IS DISTINCT FROM NEW.progress)
    EXECUTE FUNCTION warren_tell_job();
CREATE TRIGGER warren_job_made_final AFTER INSERT ON warren_job FOR EACH ROW
    WHEN (NEW.finished_at IS NOT NULL)
    EXECUTE FUNCTION warren_tell_job();
"""
UNDO = """
DROP TRIGGER warren_job_changed ON warren_job;
DROP TRIGGER warren_job_made_final ON warren_job;
DROP FUNCTION warren_tell_job();
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0005_leases")]

    operations = [migrations.RunSQL(TELL, UNDO)]
