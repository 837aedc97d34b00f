#!/usr/bin/env bash
# Runs one stage of the tests, shows its output, and keeps its counts for the closing line.
# usage: stage.sh NAME COMMAND…      stage.sh --reset      stage.sh --sum
# A stage that prints no test summary counts as one check, passed or failed by its exit code.
set -uo pipefail
counts=${ATALAIA_TEST_COUNTS:-target/test-counts.tsv}
mkdir -p "$(dirname "$counts")"

case ${1:?} in
--reset)
    : >"$counts"
    exit 0
    ;;
--sum)
    awk -F'\t' '
        { printf "%-12s %5d passed %5d failed %6d s\n", $1, $2, $3, $4; passed += $2; failed += $3; group[$1] += $2 }
        END {
            if (passed) for (g in group) share = share sprintf("%s %.0f %%  ", g, 100 * group[g] / passed)
            print "shares of passed: " share
            printf "%d passed, %d failed\n", passed, failed
            exit failed > 0 || passed == 0
        }' "$counts"
    exit
    ;;
esac

name=$1
shift
echo "=== $name: $*"
log=$(mktemp)
started=$SECONDS
"$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
read -r passed failed < <(awk '
    /^test result: / { for (i = 1; i <= NF; i++) { if ($i == "passed;") p += $(i - 1); if ($i == "failed;") f += $(i - 1) } seen = 1 }
    /^ *Tests +/ && /passed|failed/ { for (i = 1; i <= NF; i++) { if ($i ~ /^passed/) p += $(i - 1); if ($i ~ /^failed/) f += $(i - 1) } seen = 1 }
    /^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; seen = 1 }
    /^# pass / { p += $3; seen = 1 } /^# fail / { f += $3; seen = 1 }
    END { print p + 0, f + 0, seen + 0 }' "$log")
failed=${failed%% *}
if [ "$((passed + failed))" -eq 0 ]; then
    [ "$status" -eq 0 ] && passed=1 || failed=1
elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
fi
printf '%s\t%s\t%s\t%s\n' "$name" "$passed" "$failed" "$((SECONDS - started))" >>"$counts"
rm -f "$log"
exit "$status"
