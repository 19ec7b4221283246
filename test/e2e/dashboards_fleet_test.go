package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	fleetSessions = 1000
	fleetHMPs     = 100
)

// fleetConfig is two exporters that watch the same sessions, with the classic histogram only.
const fleetConfig = `
global:
  scrape_interval: 5s
  scrape_timeout: 5s
  evaluation_interval: 5s
rule_files: [%[2]q]
scrape_configs:
  - job_name: hmp
    static_configs:
      - targets: [127.0.0.1:%[1]s, localhost:%[1]s]
`

// TestDashboardsOfFleet has a real Prometheus evaluate every query with a thousand sessions that two exporters watch:
// no panel shows more than it can, and nothing counts twice.
func TestDashboardsOfFleet(t *testing.T) {
	t.Parallel()
	demo := start(t, command(t, exporterBinary, "demo", "--web.listen-address=127.0.0.1:0"))
	text := fleetOf(t, get(t, demo.url(t)+"/metrics", nil).body)
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write(text)
	}))
	defer exporter.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(exporter.URL, "http://"), ":")
	server := runPrometheus(t, fmt.Sprintf(fleetConfig, port, hastyRules(t)))

	within(t, 2*time.Minute, "both exporters have been scraped and alerts fire", func() error {
		if len(server.query(t, `count(hmp_session_valid) == 2000 and count(ALERTS{alertstate="firing"}) > 500`)) == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	for _, q := range boardQueries(t) {
		server.expectSeries(t, q, nil)
	}
	server.expectNumbers(t, map[string]string{
		"HMP Overview, Sessions not valid, A": `sum(1 - max by (target, session) (hmp_session_valid))`,
		"HMP Overview, Sessions not valid, B": `vector(1000)`,
		"HMP Overview, HMPs not answering, B": `vector(100)`,
		"HMP Overview, Sessions missing, A":   `vector(0)`,
	})
	server.stop(t)
	demo.stop(t)
}

var ofSession = regexp.MustCompile(`session="[^"]*",target="[^"]*"`)

// fleetOf makes of what the demo exports what a fleet would: the same sessions over and over, by other names.
func fleetOf(t *testing.T, exposition []byte) []byte {
	t.Helper()
	var text bytes.Buffer
	sessions, order := map[string][]string{}, []string{}
	for line := range strings.Lines(string(exposition)) {
		labels := ofSession.FindString(line)
		switch {
		case labels != "":
			if sessions[labels] == nil {
				order = append(order, labels)
			}
			sessions[labels] = append(sessions[labels], line)
		case strings.HasPrefix(line, "hmp_tls_"), strings.HasPrefix(line, "hmp_info{"): // of an HMP
		case strings.HasPrefix(line, "#"):
		default:
			text.WriteString(line)
		}
	}
	if len(order) < 20 {
		t.Fatalf("the demo has %d sessions only", len(order))
	}
	for i := range fleetSessions {
		name := fmt.Sprintf(`session="session-%d",target="hmp-%d"`, i, i%fleetHMPs)
		for _, line := range sessions[order[i%len(order)]] {
			text.WriteString(ofSession.ReplaceAllLiteralString(line, name))
		}
	}
	for i := range fleetHMPs {
		expiry := time.Now().Unix() + int64(i)
		fmt.Fprintf(&text, "hmp_tls_certificate_expiry_timestamp_seconds{target=\"hmp-%d\"} %d\n", i, expiry)
	}
	return text.Bytes()
}

// TestDashboardsOfNothing is that no panel shows anything before there is something, least of all that all is well.
func TestDashboardsOfNothing(t *testing.T) {
	t.Parallel()
	server := runPrometheus(t, "global: {}\n")
	for _, q := range boardQueries(t) {
		if got := server.expectSeries(t, q, nil); len(got) > 0 {
			t.Errorf("%s returns %v", q.where, got)
		}
	}
	server.stop(t)
}
