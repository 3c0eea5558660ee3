#!/usr/bin/env bash
# Each shared library given may need the C library (and the loader) and nothing else.
set -euo pipefail
status=0
for library in "$@"; do
  needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc\.so|ld-linux)' || true)
  if [[ -n $needed ]]; then
    echo "$library needs more than libc: ${needed//$'\n'/ }" >&2
    status=1
  fi
done
exit "$status"
