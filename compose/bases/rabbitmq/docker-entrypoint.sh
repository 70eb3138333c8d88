#!/usr/bin/env bash
# Runs the given command as the rabbitmq user, as the official image's entry point does.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
  chown -R rabbitmq:rabbitmq /var/lib/rabbitmq
  exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "$@"
fi
exec "$@"
