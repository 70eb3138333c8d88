"""What beat counts."""

from prometheus_client import Counter, Gauge

TURNED_AT = Gauge("warren_beat_turned_timestamp_seconds", "When beat's loop last turned, by its own clock.")
LEADS = Gauge("warren_beat_leads", "1 while this beat leads the schedule, 0 while another does.")
RUNS = Counter("warren_schedule_runs", "Entries of the schedule that became jobs.")
