#!/usr/bin/env bash
# What UMBER_OPTIONS and UMBER_MEMORY_LIMIT do to a program. Argument: the replacement.
set -uo pipefail
library=$(realpath "$1")
passed=0 failed=0

# expect NAME PATTERN LINES -- VARIABLE=VALUE...: a program run so prints LINES lines on stderr, one of which matches.
expect() {
  local name=$1 pattern=$2 lines=$3 status=0 errors
  shift 4
  errors=$(env "$@" LD_PRELOAD="$library" cat /dev/null 2>&1 >/dev/null) || status=$?
  local count=0
  [[ -z $errors ]] || count=$(wc -l <<<"$errors")
  if [[ $status -eq 0 && ($lines == any || $count -eq $lines) && $errors =~ $pattern ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'failed: %s: status %d, %d lines: %s\n' "$name" "$status" "$count" "$errors"
  fi
}

expect 'nothing said' '^$' 0 -- UMBER_OPTIONS=
expect 'valid options' '^$' 0 -- UMBER_OPTIONS=decay_ms=0,thp=never,limit=1GiB,scavenger=off
expect 'an unknown key' "valid are stats=exit\|json, .*not understood: 'color=red'" 1 -- UMBER_OPTIONS=color=red
expect 'a bad value' "not understood: 'thp=maybe' 'x'$" 1 -- UMBER_OPTIONS=thp=maybe,decay_ms=5,x
expect 'statistics as text' 'live_bytes +[1-9]' any -- UMBER_OPTIONS=stats=exit
expect 'statistics as JSON' '^\{"live_bytes":[1-9].*"classes":\[\{.*\}\]\}$' 1 -- UMBER_OPTIONS=stats=json
expect 'a limit' '"memory_limit":536870912,' 1 -- UMBER_MEMORY_LIMIT=512MiB UMBER_OPTIONS=stats=json
expect 'the more particular limit' '"memory_limit":2048,' 1 -- UMBER_MEMORY_LIMIT=512MiB UMBER_OPTIONS=stats=json,limit=2k
expect 'a limit that is none' "not a size: 'much'" 1 -- UMBER_MEMORY_LIMIT=much
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
