from django.db import migrations

# Workers may not read sessions: whoever reads one may be its user. This lets them delete those that are over, and no
# others. Nobody may call it before `config/provisioning/database.py` says who.
DELETE_EXPIRED = """
CREATE FUNCTION warren_delete_expired_sessions(most integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM public.django_session WHERE session_key IN (
            SELECT session_key FROM public.django_session WHERE expire_date < now()
            ORDER BY expire_date LIMIT most FOR UPDATE SKIP LOCKED
        ) RETURNING 1
    )
    SELECT count(*)::integer FROM gone
$$;
REVOKE ALL ON FUNCTION warren_delete_expired_sessions FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("sessions", "0001_initial")]

    operations = [migrations.RunSQL(DELETE_EXPIRED, "DROP FUNCTION warren_delete_expired_sessions")]
