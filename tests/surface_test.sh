#!/usr/bin/env bash
# The replacement defines every name of its version script and shows nothing else. Arguments: version script, library.
set -euo pipefail
script=$1
library=$2
wanted=$(sed '1d;s/extern.*//' "$script" | grep -oE '[A-Za-z_][A-Za-z0-9_]*;' | tr -d ';' | sort -u)
shown=$(nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | sed -E '/^(umber_|_ZT?[A-Z]*N?K?5umber)/d' | sort -u)
if [[ $wanted != "$shown" ]]; then
  echo "only in $script (<) or only in $library (>):" >&2
  diff <(echo "$wanted") <(echo "$shown") | grep '^[<>]' >&2
  exit 1
fi
