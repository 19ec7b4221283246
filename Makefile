# Builds, tests and checks. `make` lists the targets.

BIN    ?= hmp_exporter
ENGINE ?= docker
AXE     = test/e2e/node_modules/axe-core/axe.min.js
E2E_TOOLS = $(addprefix .tools/,prometheus promtool alertmanager amtool)
PEERS   = $(addprefix .tools/,blackbox_exporter json_exporter)

# The version of the program. The same commit must give the same bytes everywhere. So the date is the date of the commit (or
# SOURCE_DATE_EPOCH), the branch is empty, and an abbreviated commit has 12 digits. -buildvcs=false: an image or a source
# archive does not have the state of the work tree.
VERSION    ?= $(or $(patsubst v%,%,$(shell git describe --tags --match='v*' --dirty --abbrev=12 2>/dev/null)),0.0.0-dev)
REVISION   ?= $(or $(shell git rev-parse --verify --quiet HEAD 2>/dev/null),unknown)
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
# The date command of GNU and BusyBox, or of macOS and BSD.
BUILD_DATE ?= $(shell date -u -d @$(SOURCE_DATE_EPOCH) $(DATE_FORMAT) 2>/dev/null || date -u -r $(SOURCE_DATE_EPOCH) $(DATE_FORMAT))
DATE_FORMAT = +%Y-%m-%dT%H:%M:%SZ

STAMP   = github.com/prometheus/common/version
LDFLAGS = -s -w \
	-X $(STAMP).Version=$(VERSION) -X $(STAMP).Revision=$(REVISION) \
	-X $(STAMP).BuildDate=$(BUILD_DATE)
STATIC  = CGO_ENABLED=0 go build -trimpath -buildvcs=false

# Every go.mod of the repository. The go.mod of the program lists only what the program needs.
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

# Tests that cannot run on this machine write the reason to this file. With HMP_TEST_ALL they fail.
export LEFT_OUT = $(CURDIR)/.tools/left-out

.PHONY: test
test: ## build and run the tests that can run here; 5 minutes, 12 at first. The last lines list the others
	@mkdir -p .tools
	@echo 'the Helm chart: Helm takes minutes to compile' >$(LEFT_OUT)
	$(MAKE) --no-print-directory unit e2e
	@echo 'Left out:'
	@sort -u $(LEFT_OUT) | sed 's/^/  /'
	@echo '`make tools` installs what is missing, as root or with sudo. `make test-all` tests everything.'

.PHONY: test-all
test-all: export HMP_TEST_ALL = 1
test-all: ## run all tests: a test that cannot run here fails
	$(MAKE) --no-print-directory tools cross unit e2e e2e-chart

.PHONY: tools
tools: $(E2E_TOOLS) $(PEERS) .tools/benchstat $(AXE) buildah systemd-analyze chromium ## install what tests need: programs in .tools, axe-core, and packages by apt as root or with sudo

.PHONY: unit
# GORACE: without it, every process with the race detector waits a second before it ends.
unit: export GORACE = atexit_sleep_ms=50
unit: ## test the packages, with the race detector, in random order; 2 minutes
	@$(MAKE) --no-print-directory -j2 unit-program unit-test

# Both at once, because many tests wait.
.PHONY: unit-program unit-test
unit-program:
	go test -race -shuffle=on -timeout=30m ./...
unit-test:
	go test -C test -race -shuffle=on -timeout=30m ./bench ./dashboards ./faults

# Tests say which tools are missing. -count=1: Go's test cache does not see a change of the program. -parallel: most of
# these tests wait for scrapes, so the number of processors does not matter.
.PHONY: e2e
e2e: build ## test the program and its image with a real Prometheus; 3 minutes
	@mkdir -p .tools
	@$(MAKE) --no-print-directory --keep-going $(E2E_TOOLS) $(AXE) || echo 'Some tests cannot run without these tools.'
	go test -C test/e2e -count=1 -timeout=30m -parallel=8 .

.PHONY: e2e-chart
e2e-chart: build ## test the Helm chart
	go test -C test/kubernetes -count=1 .

# -tags: `make e2e` has no release.
.PHONY: release-check
release-check: snapshot systemd-analyze rpm ## test the files of `make snapshot`: install the .deb, compare the others with a build
	go test -C test/e2e -count=1 -tags=release -run='^TestRelease' .

.PHONY: snapshot release
snapshot: .tools/goreleaser .tools/cyclonedx-gomod ## make archives, .deb, .rpm, SBOMs and checksums of this commit, in dist/
release: .tools/goreleaser .tools/cyclonedx-gomod ## the same for the current tag
snapshot: FLAGS = --snapshot
snapshot release:
	.tools/goreleaser check
	PATH="$(CURDIR)/.tools:$$PATH" .tools/goreleaser release --clean $(FLAGS)

# Files that goreleaser packs beside the program. Packages have the program in /usr/bin.
.PHONY: release-files
release-files: build
	mkdir -p .release
	./$(BIN) --help-man | gzip --best --no-name >.release/hmp_exporter.1.gz
	./$(BIN) --completion-script-bash >.release/completion.bash
	./$(BIN) --completion-script-zsh >.release/completion.zsh
	sed 's,/usr/local/bin/,/usr/bin/,' deploy/systemd/hmp_exporter.service >.release/hmp_exporter.service

# A browser takes the pictures from the demo after two minutes.
.PHONY: picture
picture: build chromium ## update docs/status-page*.png from the demo; two minutes
	go test -C test/e2e -count=1 -run=TestPicture -update .

# The revisions take turns, so that other load affects both.
BASE ?= HEAD
BENCHMARKS = ./internal/hmp ./collector ./internal/web
.PHONY: bench
bench: .tools/benchstat ## compare the steps of a scrape with HEAD or another revision: BASE=…; 10 minutes
	@set -e; base=$$(mktemp -d); trap 'git worktree remove --force '$$base EXIT; \
	git worktree add --quiet --detach $$base $(BASE); rm -f bench.out; \
	run() { go test -C $$1 -run='^$$' -bench=. -benchmem $(BENCHMARKS) >>$$1/bench.out || { cat $$1/bench.out; exit 1; }; }; \
	for round in 1 2 3 4 5 6; do run $$base; run .; done; \
	.tools/benchstat $(BASE)=$$base/bench.out here=bench.out

.PHONY: bench-peers
bench-peers: build $(PEERS) .tools/benchstat ## update docs/performance.md: compare the program with others, on Linux; 7 minutes
	@test -r /proc/self/clear_refs || { echo 'Only Linux tells the CPU time and the memory of a process.'; exit 1; }
	go test -C test -run='^$$' -bench=. -benchtime=300ms -timeout=1h ./bench >bench.out || { cat bench.out; false; }
	go test -C test -run='^TestPage$$' ./bench -update=$(CURDIR)/bench.out

# go test fuzzes one target at a time. It writes failing inputs to testdata/fuzz, and the ordinary tests use them. The limit
# of 1000 keeps it from spending the minute on a shorter input.
FUZZTIME ?= 1m
.PHONY: fuzz
fuzz: ## run every fuzz target for a minute, or for FUZZTIME=…
	@set -e; for target in $$(grep -rEo --include='*_test.go' '^func Fuzz\w+' . | sed -E 's,/[^/]*:func ,:,'); do \
	  (set -x; go test -run='^$$' -fuzz="^$${target#*:}\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1000x "$${target%:*}"); done

.PHONY: lint
# `go mod verify` fails for a module that replaces this repository. Its modules are verified with those of the others, or by
# go.sum.
lint: .tools/golangci-lint ## check code, formatting and every go.mod; a minute, 5 at first
	.tools/golangci-lint config verify
	.tools/golangci-lint run
	cd test && ../.tools/golangci-lint run --build-tags=release
	cd test/kubernetes && ../../.tools/golangci-lint run
	@set -e; for module in $(filter-out test/tools/%,$(MODULES)); do (set -x; go mod tidy -C $$module -diff); done
	@set -e; for module in $$(grep -L '^replace hmp_exporter' $(MODULES:=/go.mod)); do (set -x; go mod verify -C $${module%/go.mod}); done

# goreleaser also packs the program for these systems.
.PHONY: cross
cross: ## check that the program and its tests compile for Windows and macOS; a minute
	GOOS=windows go vet ./...
	GOOS=darwin go vet ./...

.PHONY: clean
clean: ## remove what was built, also the tools
	rm -rf $(BIN) hmp_exporter.1 .tools .release dist test/e2e/node_modules bench.out

# The tools are built from source after each change of their list. Without a network, the module cache serves as a proxy.
# The context of the image does not have the list, so a missing one is no error.
-include test/tools/tools.mk
INSTALL = GOBIN=$(CURDIR)/.tools CGO_ENABLED=0 go install -trimpath
.tools/%: test/tools/tools.mk
	$(INSTALL) $(or $(PACKAGE.$*),$(error there is no tool $*)) || \
	  GOSUMDB=off GOPROXY="file://$$(go env GOMODCACHE)/cache/download" $(INSTALL) $(PACKAGE.$*)
	@touch $@

# `go install` refuses these two, because their go.mod replaces modules.
.tools/blackbox_exporter: PACKAGE = github.com/prometheus/blackbox_exporter
.tools/json_exporter: PACKAGE = github.com/prometheus-community/json_exporter
$(PEERS): test/tools/peers/go.mod
	cd $(<D) && $(STATIC) -o $(CURDIR)/$@ $(PACKAGE)
	@touch $@

# axe-core checks the accessibility of the status page.
$(AXE): test/e2e/package.json test/e2e/package-lock.json
	npm ci --prefix test/e2e --ignore-scripts --no-audit --no-fund
	@touch $@

# buildah builds and runs images without a container engine. systemd checks and runs the unit; its package starts nothing if
# systemd is not init. procps has the kill command of the unit. chromium opens the status page.
buildah: PACKAGES = buildah
systemd-analyze: PACKAGES = systemd procps
chromium: PACKAGES = chromium
rpm: PACKAGES = rpm

.PHONY: buildah systemd-analyze chromium rpm
buildah systemd-analyze chromium rpm:
	@command -v $@ >/dev/null || test/e2e/install_packages.sh $(PACKAGES)
