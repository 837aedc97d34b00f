# The commands of the project; README.md says what for.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
STAGE := infra/dev/stage.sh
# Recordings of real devices, if they lie beside the project; tests that want them say when they are not there.
RECORDINGS := $(abspath $(wildcard ../shared/data))
ifneq ($(RECORDINGS),)
export ATALAIA_RECORDINGS ?= $(RECORDINGS)
endif
DEMO_FLAGS ?=

.PHONY: help demo build test check bench soak dev-servers sim fuzz gen golden coverage lint unit integration browser web install-demo install-test

help: ## Lists these commands.
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install-demo:
	@infra/dev/install.sh demo

install-test:
	@infra/dev/install.sh test

# One install per lock file: the stamp is newer than it.
web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Only where a source is newer: what the binary embeds would have to be compiled in again.
WEB_SOURCES := $(shell find web/src web/public web/index.html web/package.json web/*.json web/*.ts -type f 2>/dev/null)
web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	cd web && npm run --silent build

web: web/dist/index.html ## Builds the web application into web/dist.

build: install-demo web ## Builds the product (target/release/atalaia).
	$(CARGO) build --release -p atalaia

demo: build ## Starts Atalaia with a simulated network and prints the board's address.
	target/release/atalaia up --demo $(DEMO_FLAGS)

# Every stage runs even if an earlier one failed; the closing line and the exit code say what came out.
test: install-test ## Runs every test, unit to browser, on real parts.
	@$(STAGE) --reset
	@-$(MAKE) --no-print-directory lint
	@-$(MAKE) --no-print-directory unit
	@-$(MAKE) --no-print-directory integration
	@-$(MAKE) --no-print-directory browser
	@$(STAGE) --sum

lint: web
	@$(STAGE) lint infra/dev/check.sh

unit: web
	@$(STAGE) unit $(CARGO) test --workspace --lib --bins --examples --no-fail-fast -q
	@$(STAGE) unit npm --prefix web test --silent

# The real servers run for this stage alone, and stop whatever comes of it.
integration: web
	@$(STAGE) integration infra/dev/with-servers $(CARGO) test --workspace --test '*' --no-fail-fast -q

browser: web
	$(CARGO) build -q -p atalaia
	@$(STAGE) browser node tests/browser/run.mjs
	@$(STAGE) browser npm --prefix web run --silent behaviour

check: install-test web ## Checks format, lints, licences, documents, drift and schemas.
	infra/dev/check.sh

gen: ## Writes generated documents and publishes changed schemas.
	$(CARGO) run -q -p xtask -- schemas --publish
	$(CARGO) run -q -p xtask -- gen
	ATALAIA_BLESS=1 $(CARGO) test -q -p settings reference

FUZZ_SECONDS ?= 60
fuzz: ## Guided fuzzing of what reads bytes of others, FUZZ_SECONDS each; what reaches new code is kept.
	infra/dev/fuzz.sh $(FUZZ_SECONDS)

sim: ## Runs the schedule simulation; SEED=n runs one schedule again.
	SEED=$(SEED) $(CARGO) test -p testkit -- --nocapture sim

bench: install-test web ## Prints the figures of load-tests/README.md.
	ATALAIA_SERVERS_JAVA_OPTS="-Xms1g -Xmx1g" infra/dev/with-servers $(CARGO) run --release -q -p load-tests

soak: install-test web ## The long forms of the same tests, and a minute of guided fuzzing for each target.
	ATALAIA_SOAK=1 infra/dev/with-servers $(CARGO) test --workspace --no-fail-fast --release
	infra/dev/fuzz.sh 60

dev-servers: install-test ## Starts Kafka, Cassandra and a schema registry for a day's work; infra/dev/servers down stops them.
	@infra/dev/servers up

coverage: install-test web ## Prints line coverage by crate and the shares of the kinds of tests.
	infra/dev/coverage.sh
