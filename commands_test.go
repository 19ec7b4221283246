package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// commandsTried are the commands that the documents have people type, and what tries each of them: a test, by its file
// and name, or a person, where the command needs what a test does not have. The few that nothing has tried say what is.
var commandsTried = map[string]string{
	"go run . demo":       "main_test.go TestDemo",
	"./hmp_exporter demo": "e2e/first_alert_test.go TestFirstAlert",
	"mkdir -m 700 secrets && touch secrets/playout.key secrets/playout.secret && chmod 600 secrets/*": "readme_test.go TestReadmeConfiguration",
	"./hmp_exporter demo --web.listen-address=127.0.0.1:8080":                                         "main_test.go TestDemo",

	"./hmp_exporter --web.external-url=https://proxy.example/hmp/": "main_test.go TestServeBehindProxy",
	"./hmp_exporter check":        "readme_test.go TestReadmeConfiguration",
	"./hmp_exporter probe studio": "scripts_test.go TestScripts",
	"make build":                  "e2e/reproducible_test.go TestReproducible",
	"make image ENGINE=podman":    "e2e/container_test.go TestContainer",
	"make lint":                   "what every change has to pass",
	"make test":                   "what every change has to pass",
	"go test ./collector -update": "collector/metrics_page_test.go TestMetricsPage",

	"go test ./collector ./internal/faults -update": "internal/faults/page_test.go TestPage",

	"curl -X POST http://localhost:10042/-/reload":       "main_test.go TestServeReloads",
	"curl 'http://<exporter>:10042/probe?target=studio'": "e2e/prometheus_test.go TestPrometheus",

	"HMP_URL=https://hmp.studio.example HMP_API_KEY_FILE=secrets/playout.key HMP_API_SECRET_FILE=secrets/playout.secret ./hmp_exporter": "readme_test.go TestReadmeEnvironment",

	"podman run --read-only -p 10042:10042 -v ./hmp.yml:/etc/hmp_exporter/hmp.yml:ro -v ./secrets:/etc/hmp_exporter/secrets:ro hmp_exporter:0.0.0-dev": "e2e/container_test.go TestContainer",

	"prometheus --config.file=prometheus.yml --storage.tsdb.path=/tmp/hmp-demo-prometheus": "e2e/first_alert_test.go TestFirstAlert",
	"prometheus --config.file=prometheus.yml --storage.tsdb.path=data/prometheus":          "e2e/first_alert_test.go TestFirstAlertLeavesNothingBehind",
	"rm -r /tmp/hmp-demo-prometheus /tmp/hmp-demo-alertmanager":                            "e2e/first_alert_test.go TestFirstAlertLeavesNothingBehind",

	"promtool check config prometheus.yml":                     "e2e/promtool_test.go TestPrometheusConfigs",
	"amtool check-config deploy/alertmanager/alertmanager.yml": "e2e/alert_manager_test.go TestAlertmanagerHasNoDoubts",

	"source <(hmp_exporter --completion-script-bash)": "scripts_test.go TestScripts",
	"source <(hmp_exporter --completion-script-zsh)":  "scripts_test.go TestScripts",
	"hmp_exporter --help-man | man -l -":              "scripts_test.go TestScripts",

	// By hand: they need what is not there in a test.
	"sed -i 's|https://hmp-exporter.example/|https://wiki.example/|; s|http://localhost:3000/|https://grafana.example/|' dashboards/alerts/hmp*.yml": "by hand: it names the reader's own addresses",
	"docker compose -f deploy/compose.yaml up --build":                                                          "untried, as it needs Docker and its registry: the tests of e2e read the file as Docker does, and try what it mounts",
	"alertmanager --config.file=deploy/alertmanager/alertmanager.yml --storage.path=/tmp/hmp-demo-alertmanager": "e2e/alert_manager_test.go TestAlertmanagerHasNoDoubts",
	"alertmanager --config.file=deploy/alertmanager/alertmanager.yml --storage.path=data/alertmanager":          "e2e/alert_manager_test.go TestAlertmanagerHasNoDoubts",

	// One command of several lines.
	`touch secrets/playout.token && chmod 600 secrets/playout.token`:                                                                                   "token_by_hand_test.go TestTokenByHand",
	`printf '{"apiKey":"%s","apiSecret":"%s"}' "$(cat secrets/playout.key)" "$(cat secrets/playout.secret)" |`:                                         "token_by_hand_test.go TestTokenByHand",
	`curl --silent --show-error --fail --header 'Content-Type: application/json' --data @- https://hmp.studio.example/apis/authentication/login/key |`: "token_by_hand_test.go TestTokenByHand",
	`sed -n 's/.*"authToken": *"\([^"]*\)".*/\1/p' >secrets/playout.token`:                                                                             "token_by_hand_test.go TestTokenByHand",
	`printf 'Authorization: Bearer %s' "$(cat secrets/playout.token)" |`:                                                                               "token_by_hand_test.go TestTokenByHand",
	`curl --silent --show-error --header @- --output /dev/null --write-out '%{http_code}\n' https://hmp.studio.example/apis/authentication/login/key`:  "token_by_hand_test.go TestTokenByHand",
	"openssl s_client -connect <hmp>:443 -showcerts </dev/null 2>/dev/null | awk '":                                                                    "e2e/runbook_certificate_test.go TestRunbookCertificates",
	`/BEGIN CERTIFICATE/ { show = "openssl x509 -noout -subject -enddate" }`:                                                                           "e2e/runbook_certificate_test.go TestRunbookCertificates",
	"show { print | show }":                                                                                      "e2e/runbook_certificate_test.go TestRunbookCertificates",
	`/END CERTIFICATE/ { close(show); show = "" }'`:                                                              "e2e/runbook_certificate_test.go TestRunbookCertificates",
	"curl -i https://hmp.studio.example/apis/authentication/login/key":                                           "by hand: against a simulated HMP",
	"openssl x509 -in hmp.pem -noout -fingerprint -sha256":                                                       "by hand: against a simulated HMP",
	"openssl s_client -connect hmp.studio.example:443 -showcerts </dev/null 2>/dev/null | openssl x509 >hmp.pem": "by hand: against a simulated HMP",
}

var (
	shellBlock   = regexp.MustCompile("(?s)```sh\n(.*?\n) *```")
	consoleBlock = regexp.MustCompile("(?s)```console\n(.*?\n) *```")
	typed        = regexp.MustCompile(`(?m)^ *\$ (.*)$`)
)

// TestCommands is that no document has people type what nobody has tried.
func TestCommands(t *testing.T) {
	found := make(map[string]bool)
	files := []string{"README.md", "CONTRIBUTING.md"}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("there are no pages: %v", err)
	}
	for _, file := range append(files, pages...) {
		for _, command := range commandsIn(readFile(t, file)) {
			found[command] = true
			if commandsTried[command] == "" {
				t.Errorf("%s has a command that nothing tries; add it to commandsTried, with what does: %s", file, command)
			}
		}
	}
	for _, command := range slices.Sorted(maps.Keys(commandsTried)) {
		if !found[command] {
			t.Errorf("no document has the command %s", command)
		}
		file, test, byTest := strings.Cut(commandsTried[command], "_test.go ")
		if byTest && !strings.Contains(readFile(t, file+"_test.go"), fmt.Sprintf("\nfunc %s(", test)) {
			t.Errorf("%s has no %s, which is said to try %s", file+"_test.go", test, command)
		}
	}
}

// commandsIn lists what a document has people type, each on one line.
func commandsIn(text string) (commands []string) {
	for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(regexp.MustCompile(`\\\n *`).ReplaceAllString(block[1], "")) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "#") {
				commands = append(commands, line)
			}
		}
	}
	for _, block := range consoleBlock.FindAllStringSubmatch(text, -1) {
		for _, command := range typed.FindAllStringSubmatch(block[1], -1) {
			commands = append(commands, command[1])
		}
	}
	return commands
}
