#!/usr/bin/env bash
# Makes the database cluster on the first start and runs the scripts of /docker-entrypoint-initdb.d, then the server.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
  chown postgres:postgres "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ "${1:-}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  superuser=${POSTGRES_USER:-postgres}
  password=${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:?set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE}")}
  # shellcheck disable=SC2086  # several arguments in one variable, as the official image takes them
  initdb ${POSTGRES_INITDB_ARGS:-} --username="$superuser" --pwfile=<(printf '%s\n' "$password") --auth-host=scram-sha-256 --auth-local=trust >/dev/null
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
  pg_ctl --wait --options='-c listen_addresses=' start >/dev/null
  export PGHOST=/var/run/postgresql PGUSER=$superuser PGDATABASE=${POSTGRES_DB:-$superuser}
  [ "$PGDATABASE" = postgres ] || createdb --maintenance-db=postgres "$PGDATABASE"
  shopt -s nullglob
  for script in /docker-entrypoint-initdb.d/*.sh; do
    # a script that is executable is run; any other is read into this shell, as the official image does
    # shellcheck source=/dev/null
    if [ -x "$script" ]; then "$script"; else . "$script"; fi
  done
  pg_ctl --wait --mode=fast stop >/dev/null
fi
exec "$@"
