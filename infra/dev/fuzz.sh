#!/usr/bin/env bash
# Guided fuzzing of every target (or those named) for so many seconds each: libFuzzer on a stable compiler, coverage by LLVM's own
# pass. What reaches new code is merged into fuzz/corpus/TARGET; an input that breaks a promise is left in fuzz/findings/TARGET.
# usage: fuzz.sh SECONDS [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:?usage: fuzz.sh SECONDS [TARGET…]}
shift
cargo=${CARGO:-cargo}
work=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
names=$("$cargo" run -q -p fuzz --example seeds -- "$work/seeds")
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
# With a target of its own named, the flags are for the fuzzed code alone and not for build scripts.
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS=$coverage CARGO_TARGET_DIR=$work "$cargo" build -q --release --target "$host" --manifest-path fuzz/guided/Cargo.toml
failed=0
passed=0
while read -r name longest; do
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    corpus=fuzz/corpus/$name
    findings=fuzz/findings/$name
    mkdir -p "$corpus" "$findings" "$work/found/$name"
    echo "--- $name, $seconds s"
    # An input may take a second and 512 MiB with everything else in the process.
    run=("$work/$host/release/guided" -max_len="$longest" -timeout=1 -rss_limit_mb=512 -artifact_prefix="$findings/")
    if ATALAIA_FUZZ_TARGET=$name "${run[@]}" -max_total_time="$seconds" -print_final_stats=1 \
        "$work/found/$name" "$corpus" "$work/seeds/$name" >"$work/$name.log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -40 "$work/$name.log"
    fi
    grep -E '^(#[0-9]+.*DONE|stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb))' "$work/$name.log" || true
    # Only what reaches code that seeds and corpus do not.
    ATALAIA_FUZZ_TARGET=$name "${run[@]}" -merge=1 "$corpus" "$work/seeds/$name" "$work/found/$name" >>"$work/$name.log" 2>&1 || failed=$((failed + 1))
    echo "corpus: $(find "$corpus" -type f | wc -l) files, $(du -sk "$corpus" | cut -f1) KiB"
done <<<"$names"
find fuzz/findings -type d -empty -delete
echo "test result: $passed passed; $failed failed;"
[ "$failed" -eq 0 ]
