# The tools of the Makefile: what `go install` builds, and in which version. Go compares what it downloads with the
# public checksum database.
#
# remove_all_sd, a tag of Prometheus, leaves out the cloud discoveries and most of the build. This Alertmanager is the
# newest that builds as it is: later ones lack the files of their page.
PACKAGE.prometheus = -tags=remove_all_sd github.com/prometheus/prometheus/cmd/prometheus@v0.316.0
PACKAGE.promtool = -tags=remove_all_sd github.com/prometheus/prometheus/cmd/promtool@v0.316.0
PACKAGE.alertmanager = github.com/prometheus/alertmanager/cmd/alertmanager@v0.31.1
PACKAGE.amtool = github.com/prometheus/alertmanager/cmd/amtool@v0.31.1
PACKAGE.benchstat = golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
PACKAGE.golangci-lint = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
PACKAGE.goreleaser = github.com/goreleaser/goreleaser/v2@v2.15.1
PACKAGE.cyclonedx-gomod = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
