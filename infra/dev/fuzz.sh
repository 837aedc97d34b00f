#!/usr/bin/env bash
# Guided fuzzing of every target (or those named) for so many seconds each: libFuzzer on a stable compiler, coverage by LLVM's own
# pass. What reaches new code is kept in fuzz/corpus/TARGET.txt; an input that breaks a promise is added to fuzz/findings/TARGET.txt.
# usage: fuzz.sh SECONDS [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:?usage: fuzz.sh SECONDS [TARGET…]}
shift
cargo=${CARGO:-cargo}
work=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
rm -rf "$work/runs"
names=$("$cargo" run -q -p fuzz --example corpus -- unpack "$work/runs/known")
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
# With a target of its own named, the flags are for the fuzzed code alone and not for build scripts.
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS=$coverage CARGO_TARGET_DIR=$work "$cargo" build -q --locked --release --target "$host" --manifest-path fuzz/guided/Cargo.toml
passed=0
failed=0
while read -r name longest; do
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    found=$work/runs/found/$name
    broken=$work/runs/broken/$name
    least=$work/runs/least/$name
    mkdir -p "$found" "$broken" "$least"
    echo "--- $name, $seconds s"
    # An input may take a second; with everything else in the process, half a GiB.
    run=("$work/$host/release/guided" -max_len="$longest" -timeout=1 -rss_limit_mb=512 -artifact_prefix="$broken/")
    export ATALAIA_FUZZ_TARGET=$name
    if "${run[@]}" -max_total_time="$seconds" -print_final_stats=1 "$found" "$work/runs/known/$name" >"$work/$name.log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -40 "$work/$name.log"
    fi
    grep -E '^(#[0-9]+.*DONE|stat::(number_of_executed_units|peak_rss_mb))' "$work/$name.log" || true
    # The fewest that reach all that was reached.
    if "${run[@]}" -merge=1 "$least" "$work/runs/known/$name" "$found" >>"$work/$name.log" 2>&1; then
        "$cargo" run -q -p fuzz --example corpus -- pack corpus "$name" "$least"
    fi
    "$cargo" run -q -p fuzz --example corpus -- pack findings "$name" "$broken"
    echo "corpus: $(wc -l <"fuzz/corpus/$name.txt") inputs, $(($(stat -c %s "fuzz/corpus/$name.txt") / 2048)) KiB"
done <<<"$names"
echo "test result: $passed passed; $failed failed;"
[ "$failed" -eq 0 ]
