// Package e2e tests the finished program from outside. `make e2e` builds the program and the
// tools first, then runs these tests:
//
//   - a real Prometheus and a real Alertmanager, with the shipped rules and configurations;
//   - the dashboards, the documents and the compose file;
//   - the status page in a browser;
//   - the image, the systemd unit and the packages.
//
// kit_test.go starts programs and sends requests. exporter_test.go, prometheus_server_test.go,
// promtool_test.go, browser_test.go, buildah_test.go and machine_test.go build on it.
package e2e
