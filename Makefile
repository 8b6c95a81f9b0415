# The verbs. Each works on a fresh clone: what it needs first, it does first.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Lanes of `make check` that run at the same time.
LANES ?= 2

.PHONY: help
help: ## print the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# Not `npm ci`: it refuses a lock that lacks the optional binaries of other systems, which a registry
# mirror may not carry. `npm install --no-save` keeps to the lock's versions and hashes all the same.
.PHONY: install
install: ## install what package-lock.json asks for, unless it is there
	@node infra/installed.js || { echo '==> installing packages' && npm install --no-save --progress; }

.PHONY: build
build: install ## compile all services
	@echo '==> build' && npm run --silent build

.PHONY: generate
generate: install ## rebuild generated code from proto/
	@node infra/proto/generate.js

.PHONY: check
check: install ## format, lint, edges, types, dead code, schemas, invariants, generated code, unit tests
	@echo '==> check: $(words $(CHECKS)) lanes, $(LANES) at a time'
	@$(MAKE) --jobs=$(LANES) --keep-going --output-sync=target $(CHECKS) || { echo '==> check FAILED: see the lanes marked FAILED above'; exit 1; }
	@echo '==> check passed'

.PHONY: python
python: install ## a Python in out/python for the tests that need one
	@node infra/python.js

.PHONY: test
test: build python ## unit, contract, integration and broker tests
	@failed=0; \
	echo '==> test: unit, contract, integration' && npm run --silent jest -- --selectProjects unit contract integration --maxWorkers=100% || failed=1; \
	echo '==> test: broker' && npm run --silent test:broker -- --maxWorkers=100% || failed=1; \
	exit $$failed

.PHONY: test-broker
test-broker: build python ## broker tests only; ARGS='-t name' picks some
	@npm run --silent test:broker -- $(or $(ARGS),--maxWorkers=100%)

.PHONY: demo
demo: build ## the whole story on real data and a real broker; report in out/demo/report.json
	@node infra/python.js || echo '==> going on without Python: the last scene will say that it checked nothing'
	@npx --no-install concordat demo run --data test/data/un-sanctions --report out/demo/report.json

.PHONY: bench
bench: build ## measure beside a raw relay; out/bench.json; QUICK=1, ONLY=throughput,latency, PROFILE=origin-node
	@node test/bench/dist/main.js $(if $(QUICK),--quick) $(if $(ONLY),--only=$(ONLY)) $(if $(PROFILE),--profile=$(PROFILE)) $(ARGS)

.PHONY: simulate
simulate: build ## the whole federation in a seeded simulator, SEEDS=300; SEED=17 TRACE=1 runs one again, COVERAGE=1 names domain lines never run; out/simulate.json
	@node test/simulation/dist/simulation/main.js $(if $(SEED),--seed=$(SEED)) $(if $(SEEDS),--seeds=$(SEEDS)) $(if $(TRACE),--trace) $(if $(COVERAGE),--coverage) $(ARGS)

.PHONY: explore
explore: build ## every state that a purge can come to, and mistakes made on purpose; out/explore.json
	@node --max-old-space-size=4096 test/explore/dist/main.js

.PHONY: vectors
vectors: build ## run public test vectors against our own wrappers: DIR=folder
	@node test/vectors/dist/main.js "$(DIR)"

.PHONY: mutate
mutate: build ## mutation score of services/*/src/domain; out/mutation.json; ONLY=path prefix, SINCE=commit, EVERY=10 for a sample
	@node test/mutation/dist/main.js $(if $(ONLY),--only=$(ONLY)) $(if $(SINCE),--since=$(SINCE)) $(if $(EVERY),--every=$(EVERY)) $(ARGS)

.PHONY: faults-demo
faults-demo: build ## the demo with every process killed by SIGKILL, RUNS=20 seeds from SEED=1, KILLS=1 each; the same report each time
	@npx --no-install concordat demo faults --data test/data/un-sanctions --report out/faults-demo.json \
	  --runs $(or $(RUNS),20) --seed $(or $(SEED),1) --kills $(or $(KILLS),1)

.PHONY: faults
faults: build ## services and three brokers, struck on purpose, RUNS=20 seeds from SEED=1, judged as Jepsen does; out/faults.json
	@node test/faults/dist/main.js --runs=$(or $(RUNS),20) --seed=$(or $(SEED),1) $(if $(EVENTS),--events=$(EVENTS)) $(ARGS)

.PHONY: up
up: build ## a broker in the background at 127.0.0.1:PORT (9092); its files in out/up
	@npx --no-install concordat broker up --dir out/up --port $(or $(PORT),9092)

.PHONY: down
down: build ## stop the broker of `make up`
	@npx --no-install concordat broker down --dir out/up

.PHONY: clean
clean: ## remove what was built and everything under out/
	@rm -rf out coverage services/*/dist test/*/dist docs/examples/*/dist node_modules/.cache

# The lanes, the longest first. Each prints one line when it passes and its findings when it fails.
CHECKS := check-lint check-unit check-types check-format check-edges check-dead check-schemas check-invariants check-generated

check-lint:      RUN := npm run --silent lint
check-unit:      RUN := npm run --silent test:unit -- --ci --maxWorkers=1
check-types:     RUN := npm run --silent types
check-format:    RUN := npm run --silent format:check
check-edges:     RUN := npm run --silent edges
check-dead:      RUN := npm run --silent dead
check-schemas:   RUN := node infra/lint/check-schemas.js
check-invariants: RUN := node infra/lint/check-invariants.js
check-generated: RUN := node infra/proto/generate.js --check

.PHONY: $(CHECKS)
$(CHECKS): install
	@started=$$SECONDS; \
	if $(RUN); then echo "ok      $@ ($$((SECONDS - started)) s)"; else echo "FAILED  $@ ($$((SECONDS - started)) s)"; exit 1; fi
