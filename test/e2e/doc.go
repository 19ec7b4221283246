// Package e2e tests the finished program from outside. `make e2e` builds the program and the
// tools first, then runs these tests:
//
//   - a real Prometheus and a real Alertmanager, with the shipped rules and configurations;
//   - the dashboards, the documents and the compose file;
//   - the status page in a browser;
//   - the image, the systemd unit and the packages.
package e2e
