"""Django's Postgres engine, with a pool that survives a restart of Postgres: see `base.py`."""
