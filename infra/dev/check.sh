#!/usr/bin/env bash
# Format, lints, licences, documents, drift, schema compatibility, the direction of dependencies.
set -uo pipefail
cargo=${CARGO:-cargo}
passed=0
failed=0
check() {
    local name=$1
    shift
    echo "--- $name"
    if "$@"; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "!!! $name failed: $*"
    fi
}
deny() {
    if ! command -v cargo-deny >/dev/null 2>&1; then
        echo "installing cargo-deny (once a machine)"
        "$cargo" install --quiet --locked --version '^0.20' --profile dev cargo-deny || return 1
    fi
    # Licences, bans and sources; advisories need a database that `make check ADVISORIES=1` fetches.
    "$cargo" deny --log-level error check bans licenses sources ${ADVISORIES:+advisories}
}
docs() { RUSTDOCFLAGS="-D warnings" "$cargo" doc -q --workspace --no-deps --document-private-items; }

check format "$cargo" fmt --all -- --check
check clippy "$cargo" clippy -q --workspace --all-targets -- -D warnings
check layers "$cargo" run -q -p xtask -- layers
check schemas "$cargo" run -q -p xtask -- schemas
check drift "$cargo" run -q -p xtask -- gen --check
check docs docs
check licences deny
check web npm --prefix web run --silent lint
echo "test result: $passed passed; $failed failed;"
[ "$failed" -eq 0 ]
