from django.db import migrations

# Workers may not read tokens: whoever reads one is its user. This lets them delete old ones, which nobody is let in
# with any more. Nobody may call it before `config/provisioning/database.py` says who.
DELETE_EXPIRED = """
CREATE FUNCTION warren_delete_expired_tokens(most integer, days integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM public.authtoken_token WHERE key IN (
            SELECT key FROM public.authtoken_token WHERE created < now() - make_interval(days => days)
            ORDER BY created LIMIT most FOR UPDATE SKIP LOCKED
        ) RETURNING 1
    )
    SELECT count(*)::integer FROM gone
$$;
REVOKE ALL ON FUNCTION warren_delete_expired_tokens FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_email_is_the_name"),
        ("authtoken", "0004_alter_tokenproxy_options"),
    ]

    operations = [migrations.RunSQL(DELETE_EXPIRED, "DROP FUNCTION warren_delete_expired_tokens")]
