# `make` lists the targets. Nothing needs to be installed by hand but Go and a C
# compiler (for the race detector): tools/go.mod pins the tools, go builds them, and
# what tests run beside (redis-server, prometheus, chromium) they install as root on a
# Debian, or say how to. A new module, package or fuzz target is found, not listed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ROOT := $(CURDIR)
# Every module with code, the root first.
MODULES := $(sort $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path './tools/*' -not -path '*/testdata/*' -not -path './.git/*')))
FUZZTIME ?= 30s
COUNT ?= 20
DURATION ?= 60s
STATES ?= 12000000

# $(call each,command) runs command in every module, and fails at the end if
# it failed in any.
each = failed=; for m in $(MODULES); do echo "== $$m"; (cd $$m && $(1)) || failed+=" $$m"; done; \
	if [ -n "$$failed" ]; then echo "FAILED in:$$failed" >&2; exit 1; fi

# The linter's path; go builds it the first time.
lint = linter=$$(go -C tools tool -n golangci-lint)

.PHONY: help
help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Without one, go says only that -race needs cgo.
.PHONY: compiler
compiler:
	@[[ "$$(go env CGO_ENABLED)" == 1 ]] && command -v $$(go env CC) >/dev/null || { echo "the race detector needs a C compiler: apt-get install gcc libc6-dev; dnf install gcc; or xcode-select --install" >&2; exit 1; }

# Integration tests whose timings do not count: the others run alone.
untimed := /(console|demo|docs|observability|redistest|workflows)$$

.PHONY: test
test: compiler ## All tests of all modules under the race detector, on a real Redis; those whose timings count one package at a time, and the attacks without the detector, for its price
	@cd integration_test && go run ./redistest/ensure || true # what needs it says so again
	@export REDIS_REPORT=$$(mktemp) FIGURES=$$(mktemp); trap 'sort -u $$REDIS_REPORT; cat $$FIGURES; rm -f $$REDIS_REPORT $$FIGURES' EXIT; \
	$(call each,if [ $$m = ./integration_test ]; then \
		go test -race -shuffle=on $$(go list ./... | grep -E '$(untimed)') && go test -race -shuffle=on -p 1 $$(go list ./... | grep -vE '$(untimed)' | grep -v /attacks$$) && go test -shuffle=on ./attacks; \
		elif [ $$m = . ]; then go test -race -shuffle=on ./store/redisstore ./...; \
		else go test -race -shuffle=on ./...; fi)

.PHONY: race
race: compiler ## The tests of the concurrent packages, COUNT=20 times, under the race detector
	@go test -race -shuffle=on -timeout 60m -count=$(COUNT) ./swr/... ./store/... ./middleware/...

.PHONY: model
model: ## The model of the store protocol, STATES=12000000 states of each fleet: half an hour, 1 GiB
	@go test -v -timeout 6h ./internal/model -args -states $(STATES)

.PHONY: lint
lint: ## golangci-lint in all modules, tidy-check and api
	@$(MAKE) tidy-check api
	@$(lint); $(call each,$$linter run --config $(ROOT)/.golangci.yml ./...)

.PHONY: sec
sec: ## gosec over what ships; govulncheck over all modules, where its database can be reached
	@$(lint); $$linter run --config .golangci-gosec.yml ./...
	@check=$$(go -C tools tool -n govulncheck); for m in $(MODULES); do \
		echo "== govulncheck $$m"; out=$$(cd $$m && $$check ./... 2>&1) && { echo "$$out"; continue; }; \
		if grep -q 'fetching vulnerabilities' <<<"$$out"; then echo "NOT CHECKED: the vulnerability database cannot be reached"; else echo "$$out"; exit 1; fi; \
	done

.PHONY: fmt
fmt: ## Formats all modules
	@$(lint); $(call each,$$linter fmt --config $(ROOT)/.golangci.yml ./...)

.PHONY: tidy-check
tidy-check: ## Fails where go mod tidy would change something
	@$(call each,go mod tidy -diff)
	@cd tools && go mod tidy -diff

.PHONY: api
api: ## How the exported API differs from the last release's, and fails at breaks that api/breaks.txt does not list
	@cd internal/apicheck && go run . -C $(ROOT)

.PHONY: api-write
api-write: ## Makes the API as it is the baseline of VERSION=v0.2.0, as part of a release
	@cd internal/apicheck && go run . -C $(ROOT) -write $(VERSION)

# A tag cannot be taken back: the module proxy keeps what it has seen.
.PHONY: release-check
release-check: ## What has to hold before VERSION=v0.2.0 is tagged: a clean tree, its changelog, its API; no tests
	@[[ "$(VERSION)" =~ ^v[0-9]+\.[0-9]+\.[0-9]+$$ ]] || { echo "say which: make release-check VERSION=v0.2.0" >&2; exit 1; }
	@fail() { echo "NOT READY: $$*" >&2; exit 1; }; \
	[[ -z "$$(git status --porcelain)" ]] || fail "there are changes that are not committed"; \
	! git rev-parse -q --verify refs/tags/$(VERSION) >/dev/null || fail "$(VERSION) is tagged already"; \
	grep -qE '^## \[$(subst .,\.,$(VERSION:v%=%))\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$$' CHANGELOG.md || fail "CHANGELOG.md does not have $(VERSION) with its date"; \
	[[ -f api/$(VERSION).txt ]] || fail "no api/$(VERSION).txt: make api-write VERSION=$(VERSION)"; \
	diff -u api/$(VERSION).txt <(cd internal/apicheck && go run . -C $(ROOT) -print) || fail "api/$(VERSION).txt is not what the code exports"
	@$(MAKE) tidy-check
	@echo "ready: git tag -a $(VERSION)"

.PHONY: bench
bench: ## What the cache costs, each figure beside its bar: ONLY=hit for a part, some minutes for all
	@go run ./internal/bars -only "$(ONLY)"

.PHONY: bench-peers
bench-peers: ## The same work through reprise and through what users would pick instead, side by side: eight minutes, and some to compile it first
	@cd internal/bench && go run -tags peers .

.PHONY: fuzz
fuzz: ## Every fuzz target of every module for FUZZTIME=30s
	@{ grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . || true; } | sort | while IFS=: read -r file name; do \
		target=$${name#func }; echo "== $$(dirname $$file) $$target"; \
		(cd "$$(dirname $$file)" && go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x . </dev/null); \
	done

.PHONY: docs-test
docs-test: ## Executes every block of README and docs, compiles every fragment, follows every link
	@cd integration_test && go test -count=1 ./docs

.PHONY: faults
faults: ## Every row of the fault table on real servers, each figure beside its bar
	@cd integration_test && export FIGURES=$$(mktemp); trap 'cat $$FIGURES; rm -f $$FIGURES' EXIT; go test -count=1 -timeout 30m ./faults

.PHONY: attacks
attacks: ## The table of attacks, and that each succeeds where its defence is taken out, which make test leaves out
	@cd integration_test && ATTACKS_LONG=1 go test -count=1 -timeout 60m -tags mutants ./attacks

.PHONY: consistency
consistency: ## Checks a fleet's answers against its purges for DURATION=60s each, healthy and under faults, and that mutants are caught
	@cd integration_test && export FIGURES=$$(mktemp) CONSISTENCY_DURATION=$(DURATION); trap 'cat $$FIGURES; rm -f $$FIGURES' EXIT; \
		go test -count=1 -timeout 10h -v -run 'Healthy|Faults|SlowLinks|Memory|Typed$$' ./consistency | grep -v 'figures\|^=== \|figures.go'; \
		CONSISTENCY_DURATION= go test -count=1 -timeout 1h -tags mutants -run Mutants ./consistency

.PHONY: soak
soak: ## Mixed traffic and faults for DURATION (2m unless said): memory and goroutines must stay flat
	@cd integration_test && export FIGURES=$$(mktemp) SOAK_DURATION=$(if $(filter command environment,$(firstword $(origin DURATION))),$(DURATION),2m); trap 'cat $$FIGURES; rm -f $$FIGURES' EXIT; \
		go test -count=1 -timeout 24h ./soak

.PHONY: cover
cover: ## Statement coverage of the root module by its own tests and the integration tests
	@rm -rf coverage && mkdir -p coverage/data
	@go test -cover -coverpkg=./... ./... -args -test.gocoverdir=$(ROOT)/coverage/data
	@pkgs=$$(go list ./... | paste -sd,); cd integration_test && go test -cover -coverpkg=$$pkgs ./... -args -test.gocoverdir=$(ROOT)/coverage/data
	@go tool covdata textfmt -i=coverage/data -o coverage/cover.out
	@go tool cover -html=coverage/cover.out -o coverage/index.html
	@go tool covdata percent -i=coverage/data | sed 's|github.com/reprise-go/reprise|.|'
	@go tool cover -func=coverage/cover.out | tail -1
	@echo "line by line: coverage/index.html"

.PHONY: observe
observe: ## The dashboard's and the rules' queries, answered: a real Prometheus on examples/chi, under load for DURATION (30s unless said)
	@cd integration_test && go run ./observability/observe -duration $(if $(filter command environment,$(firstword $(origin DURATION))),$(DURATION),30s)

.PHONY: demo
demo: ## Starts the catalog, drives it and shows what the cache does (REDIS_URL: two processes on one Redis)
	@echo "building the catalog; the first time some minutes, for its SQLite"
	@cd examples/catalog && go run . demo

.PHONY: demo-serve
demo-serve: ## Keeps the catalog running
	@cd examples/catalog && go run . serve
