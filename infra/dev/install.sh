#!/usr/bin/env bash
# Installs what a command of the Makefile misses on a fresh Debian machine, and says so.
# usage: install.sh demo|test
set -euo pipefail
what=${1:?demo or test}

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }

need cargo "Rust (rustup.rs), at least 1.95"
need npm "Node.js 20 or newer"
if [ ${#missing[@]} -gt 0 ]; then
    printf 'Please install first: %s\n' "${missing[@]}" >&2
    exit 1
fi

packages=()
want() { command -v "$1" >/dev/null 2>&1 || packages+=("$2"); }
want cc gcc
# librdkafka is built from source, with TLS.
want c++ g++
want make make
want cmake cmake
want pkg-config pkg-config
[ -e /usr/include/openssl/ssl.h ] || packages+=(libssl-dev)
if [ "$what" = test ]; then
    # The real servers of the tests: Kafka, Cassandra and a registry from Maven packages.
    want java default-jdk-headless
    want mvn maven
    want ssh openssh-client
    want python3 python3
    python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
    want kcat kcat
    want snmptrap snmp
    # A real SSH server with the algorithms of old boxes.
    [ -x /usr/sbin/sshd ] || packages+=(openssh-server)
    want chromium chromium
    fc-list 2>/dev/null | grep -q . || packages+=(fonts-liberation)
fi
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" != 0 ]; then
    echo "Please install these Debian packages first: ${packages[*]}" >&2
    exit 1
fi
echo "installing Debian packages: ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
rm -f "$log"
