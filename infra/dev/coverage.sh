#!/usr/bin/env bash
# Line coverage by crate (cargo-llvm-cov), and the shares of unit, integration and browser tests of the last `make test`.
set -euo pipefail
cargo=${CARGO:-cargo}
command -v cargo-llvm-cov >/dev/null 2>&1 || "$cargo" install --quiet --locked --profile dev cargo-llvm-cov
rustup component add llvm-tools >/dev/null 2>&1 || true
json=$(mktemp)
trap 'rm -f "$json"' EXIT
# Instrumented code is slow: a test that runs out of time there does not take the figures away.
infra/dev/with-servers "$cargo" llvm-cov --workspace --exclude xtask --exclude load-tests --ignore-run-fail --json --summary-only --output-path "$json" -q
python3 - "$json" <<'PY'
import collections, json, os, sys
root = os.getcwd() + "/"
lines = collections.Counter()
covered = collections.Counter()
for file in json.load(open(sys.argv[1]))["data"][0]["files"]:
    name = file["filename"].removeprefix(root)
    crate = name.split("/src/")[0]
    lines[crate] += file["summary"]["lines"]["count"]
    covered[crate] += file["summary"]["lines"]["covered"]
for crate in sorted(lines):
    print(f"{crate:<28} {100 * covered[crate] / lines[crate]:6.1f} %  of {lines[crate]:>6} lines")
print(f"{'all':<28} {100 * sum(covered.values()) / sum(lines.values()):6.1f} %  of {sum(lines.values()):>6} lines")
PY
[ -f target/test-counts.tsv ] && infra/dev/stage.sh --sum || echo "run \`make test\` first to see the shares of unit, integration and browser tests"
