"""Has anybody changed the schedule?

django-celery-beat tells by a signal of each save, which `QuerySet.update()`, a migration or psql do not send. So beat
looks at the rows themselves: one statement, a digest of all that can be edited.
"""

from django.db import connection

# All columns, whatever they are, but those that beat itself writes when an entry has run.
_DIGEST = """
SELECT md5(coalesce(string_agg(entry, ' ' ORDER BY entry), ''))
FROM (
    SELECT (to_jsonb(t) - ARRAY['last_run_at', 'total_run_count', 'date_changed'])::text AS entry
    FROM django_celery_beat_periodictask t
    UNION ALL SELECT 'interval ' || to_jsonb(s)::text FROM django_celery_beat_intervalschedule s
    UNION ALL SELECT 'crontab ' || to_jsonb(s)::text FROM django_celery_beat_crontabschedule s
    UNION ALL SELECT 'solar ' || to_jsonb(s)::text FROM django_celery_beat_solarschedule s
    UNION ALL SELECT 'clocked ' || to_jsonb(s)::text FROM django_celery_beat_clockedschedule s
) AS entries
"""


def of_schedule() -> str:
    """A text that changes when any entry or any schedule does; not when an entry merely ran."""
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST)
        return str(cursor.fetchone()[0])
