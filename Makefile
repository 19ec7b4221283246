# What can be built, tested and checked here. `make` alone lists it.

BIN    ?= hmp_exporter
ENGINE ?= docker
AXE     = test/e2e/node_modules/axe-core/axe.min.js
E2E_TOOLS = $(addprefix .tools/,prometheus promtool alertmanager amtool)
PEERS   = $(addprefix .tools/,blackbox_exporter json_exporter)

# What the program says of itself. Nothing in it depends on who builds it, where or when: the date is the commit's (or
# SOURCE_DATE_EPOCH), so that the same commit gives the same bytes anywhere. The branch is left empty, as one commit can be
# on several, and an abbreviated commit always has 12 digits. Go's own stamping would add the state of the work tree, which
# an image or a source archive does not have; hence -buildvcs=false below.
VERSION    ?= $(or $(patsubst v%,%,$(shell git describe --tags --match='v*' --dirty --abbrev=12 2>/dev/null)),0.0.0-dev)
REVISION   ?= $(or $(shell git rev-parse --verify --quiet HEAD 2>/dev/null),unknown)
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
# The date of GNU and BusyBox, or that of macOS and BSD.
BUILD_DATE ?= $(shell date -u -d @$(SOURCE_DATE_EPOCH) $(DATE_FORMAT) 2>/dev/null || date -u -r $(SOURCE_DATE_EPOCH) $(DATE_FORMAT))
DATE_FORMAT = +%Y-%m-%dT%H:%M:%SZ

STAMP   = github.com/prometheus/common/version
LDFLAGS = -s -w \
	-X $(STAMP).Version=$(VERSION) -X $(STAMP).Revision=$(REVISION) \
	-X $(STAMP).BuildDate=$(BUILD_DATE)
STATIC  = CGO_ENABLED=0 go build -trimpath -buildvcs=false

# Every go.mod of the repository. Tests have theirs apart, so that the program's own lists what the program needs.
MODULES = . test test/kubernetes test/tools/peers

.DELETE_ON_ERROR:

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the static program, ./hmp_exporter; about 10 s, a minute at first
	$(STATIC) -ldflags='$(LDFLAGS)' -o $(BIN) .

.PHONY: man
man: ## write the man page, ./hmp_exporter.1
	go run . --help-man >hmp_exporter.1

.PHONY: image
image: ## build the container image with docker, or with ENGINE=…; minutes at first
	$(ENGINE) build -t hmp_exporter:$(VERSION) \
	  --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
	  --build-arg CREATED=$(BUILD_DATE) .

# Tests write what they cannot do on this machine to this file. With HMP_TEST_ALL they fail instead.
export LEFT_OUT = $(CURDIR)/.tools/left-out

.PHONY: test
test: ## build and test what can be tested here; 6 minutes, 12 at first. The last lines say what was left out
	@mkdir -p .tools
	@echo 'the Helm chart, as Helm takes minutes to compile' >$(LEFT_OUT)
	$(MAKE) --no-print-directory unit e2e
	@echo 'Left out:'
	@sort -u $(LEFT_OUT) | sed 's/^/  /'
	@echo '`make tools` installs what is missing, as root or with sudo. `make test-all` tests everything.'

.PHONY: test-all
test-all: export HMP_TEST_ALL = 1
test-all: ## the same with nothing left out: what cannot be tested here is a failure
	$(MAKE) --no-print-directory tools cross unit e2e e2e-chart

.PHONY: tools
tools: $(E2E_TOOLS) $(PEERS) .tools/benchstat $(AXE) buildah systemd-analyze chromium ## what tests need: programs in .tools, axe-core, and packages by apt as root or with sudo

.PHONY: unit
# GORACE: or every process that is built with the race detector waits a second before it ends.
unit: export GORACE = atexit_sleep_ms=50
unit: ## the packages' own tests, with the race detector, in random order; 3 minutes
	go test -race -shuffle=on -timeout=30m ./...
	go test -C test -race -shuffle=on -timeout=30m ./bench ./dashboards ./faults

# Tools that cannot be had are the tests' to tell of. -count=1: Go's test cache does not see that the program beside the
# tests has changed. -parallel: most of these tests wait for scrapes, whatever the machine has of processors.
.PHONY: e2e
e2e: build ## the program and its image against a real Prometheus; 3 minutes
	@mkdir -p .tools
	@$(MAKE) --no-print-directory --keep-going $(E2E_TOOLS) $(AXE) || echo 'Without these tools some tests are left out.'
	go test -C test/e2e -count=1 -timeout=30m -parallel=8 .

.PHONY: e2e-chart
e2e-chart: build ## the Helm chart
	go test -C test/kubernetes -count=1 .

# -tags: `make e2e` has no release to look at.
.PHONY: release-check
release-check: snapshot systemd-analyze rpm ## what `make snapshot` makes: installs the .deb, and compares the rest with what is built here
	go test -C test/e2e -count=1 -tags=release -run='^TestRelease' .

.PHONY: snapshot release
snapshot: .tools/goreleaser .tools/cyclonedx-gomod ## archives, .deb, .rpm, SBOMs and checksums of this commit, in dist/
release: .tools/goreleaser .tools/cyclonedx-gomod ## the same of the tag that is checked out
snapshot: FLAGS = --snapshot
snapshot release:
	.tools/goreleaser check
	PATH="$(CURDIR)/.tools:$$PATH" .tools/goreleaser release --clean $(FLAGS)

# What goreleaser packs beside the program. The packages have the program where a distribution does.
.PHONY: release-files
release-files: build
	mkdir -p .release
	./$(BIN) --help-man | gzip --best --no-name >.release/hmp_exporter.1.gz
	./$(BIN) --completion-script-bash >.release/completion.bash
	./$(BIN) --completion-script-zsh >.release/completion.zsh
	sed 's,/usr/local/bin/,/usr/bin/,' deploy/systemd/hmp_exporter.service >.release/hmp_exporter.service

# The status page is looked at in a browser, and its picture is taken from the demo with minutes behind it.
.PHONY: picture
picture: build chromium ## docs/status-page*.png: the status page of the demo, in two minutes
	go test -C test/e2e -count=1 -run=TestPicture -update .

# The revisions take turns, so that what disturbs the machine disturbs both.
BASE ?= HEAD
BENCHMARKS = ./internal/hmp ./collector ./internal/web
.PHONY: bench
bench: .tools/benchstat ## the steps of a scrape, compared with HEAD or with another revision: BASE=…; 10 minutes
	@set -e; base=$$(mktemp -d); trap 'git worktree remove --force '$$base EXIT; \
	git worktree add --quiet --detach $$base $(BASE); rm -f bench.out; \
	run() { go test -C $$1 -run='^$$' -bench=. -benchmem $(BENCHMARKS) >>$$1/bench.out || { cat $$1/bench.out; exit 1; }; }; \
	for round in 1 2 3 4 5 6; do run $$base; run .; done; \
	.tools/benchstat $(BASE)=$$base/bench.out here=bench.out

.PHONY: bench-peers
bench-peers: build $(PEERS) .tools/benchstat ## docs/performance.md: the program beside its peers, on Linux; 7 minutes
	@test -r /proc/self/clear_refs || { echo 'The CPU time and the memory of a process are measured on Linux only.'; exit 1; }
	go test -C test -run='^$$' -bench=. -benchtime=300ms -timeout=1h ./bench >bench.out || { cat bench.out; false; }
	go test -C test -run='^TestPage$$' ./bench -update=$(CURDIR)/bench.out

# One after the other, as go test fuzzes one target at a time. What it finds it writes to testdata/fuzz, where the
# ordinary tests try it from then on. It may try to shorten an input 1000 times, or there it spends the minute.
FUZZTIME ?= 1m
.PHONY: fuzz
fuzz: ## every fuzz target for a minute, or for FUZZTIME=…
	@set -e; for target in $$(grep -rEo --include='*_test.go' '^func Fuzz\w+' . | sed -E 's,/[^/]*:func ,:,'); do \
	  (set -x; go test -run='^$$' -fuzz="^$${target#*:}\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1000x "$${target%:*}"); done

.PHONY: lint
# `go mod verify` trips over a module that stands for this repository; what those modules use is verified with the others'
# or against go.sum when it is fetched.
lint: .tools/golangci-lint ## static checks, formatting, and that every go.mod is tidy and true; a minute, 5 at first
	.tools/golangci-lint config verify
	.tools/golangci-lint run
	cd test && ../.tools/golangci-lint run --build-tags=release
	cd test/kubernetes && ../../.tools/golangci-lint run
	@set -e; for module in $(filter-out test/tools/%,$(MODULES)); do (set -x; go mod tidy -C $$module -diff); done
	@set -e; for module in $$(grep -L '^replace hmp_exporter' $(MODULES:=/go.mod)); do (set -x; go mod verify -C $${module%/go.mod}); done

# goreleaser packs the program for these two as well.
.PHONY: cross
cross: ## that the program and its tests compile for Windows and macOS; a minute
	GOOS=windows go vet ./...
	GOOS=darwin go vet ./...

.PHONY: clean
clean: ## remove what was built here, the tools too
	rm -rf $(BIN) hmp_exporter.1 .tools .release dist test/e2e/node_modules bench.out

# The tools are built from their source, once for each change of their list; Go's cache has those that did not change.
# Whoever is offline and has built them before has them in the module cache, which serves as a proxy. The image is built
# without that list: its context is what the program needs.
-include test/tools/tools.mk
INSTALL = GOBIN=$(CURDIR)/.tools CGO_ENABLED=0 go install -trimpath
.tools/%: test/tools/tools.mk
	$(INSTALL) $(or $(PACKAGE.$*),$(error there is no tool $*)) || \
	  GOSUMDB=off GOPROXY="file://$$(go env GOMODCACHE)/cache/download" $(INSTALL) $(PACKAGE.$*)
	@touch $@

# Two that `go install` refuses, as their go.mod replaces modules.
.tools/blackbox_exporter: PACKAGE = github.com/prometheus/blackbox_exporter
.tools/json_exporter: PACKAGE = github.com/prometheus-community/json_exporter
$(PEERS): test/tools/peers/go.mod
	cd $(<D) && $(STATIC) -o $(CURDIR)/$@ $(PACKAGE)
	@touch $@

# axe-core looks for what keeps people from using the status page.
$(AXE): test/e2e/package.json test/e2e/package-lock.json
	npm ci --prefix test/e2e --ignore-scripts --no-audit --no-fund
	@touch $@

# buildah builds and runs images without an engine, which a test machine seldom has. systemd judges and runs the unit;
# its package starts nothing where it is not init. procps has the kill that the unit names. chromium opens the status page.
buildah: PACKAGES = buildah
systemd-analyze: PACKAGES = systemd procps
chromium: PACKAGES = chromium
rpm: PACKAGES = rpm

.PHONY: buildah systemd-analyze chromium rpm
buildah systemd-analyze chromium rpm:
	@command -v $@ >/dev/null || test/e2e/install_packages.sh $(PACKAGES)
