#!/bin/sh
# Secrets are files; what runs takes them from its environment, and PostgreSQL's client from a file that is its own.
set -eu
umask 077
for secret in /run/secrets/*; do
  [ -r "$secret" ] || continue
  name=${secret##*/}
  case $name in
    postgres_password)
      printf '*:*:*:*:%s\n' "$(sed 's/[\\:]/\\&/g' "$secret")" > /tmp/pgpass
      export PGPASSFILE=/tmp/pgpass ;;
    *) export "$(echo "$name" | tr '[:lower:]' '[:upper:]')=$(cat "$secret")" ;;
  esac
done
exec "$@"
