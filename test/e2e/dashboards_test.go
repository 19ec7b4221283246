package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
)

// waitForQueries waits until each query returns something, except the ones to skip. Some queries
// have a value for each full minute only, so this can take more than one.
func (p prometheus) waitForQueries(t *testing.T, c choice, skip func(dashboardQuery) bool) {
	t.Helper()
	pending := slices.DeleteFunc(dashboardQueries(t), skip)
	exportertest.Eventually(t, "all queries to return something", func() error {
		var missing []error
		pending = slices.DeleteFunc(pending, func(q dashboardQuery) bool {
			if len(p.evaluate(t, q, c)) > 0 {
				return true
			}
			missing = append(missing, fmt.Errorf("%s returns nothing", q.name))
			return false
		})
		return errors.Join(missing...)
	})
}

// checkDashboardsOfDemo evaluates every query of the dashboards. The demo has something to
// show in each.
func (p prometheus) checkDashboardsOfDemo(t *testing.T, demo *process) {
	t.Helper()
	p.waitForQueries(t, nil, rareInDemo)
	for name, c := range map[string]choice{
		"one": {"job": {jobMetrics}, "instance": {demo.address()}, "target": {"studio"}, "session": {"playout"}},
		"several": {
			"job": {jobMetrics, jobProbe}, "instance": {demo.address(), "studio", "arena"},
			"target": {"studio", "arena"}, "session": {"playout", "scoreboard", "visitor"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, q := range dashboardQueries(t) {
				for _, s := range p.evaluate(t, q, c) {
					c.check(t, q, s)
				}
			}
		})
	}
	t.Run("only /probe", func(t *testing.T) {
		p.waitForQueries(t, choice{"job": {jobProbe}}, func(q dashboardQuery) bool {
			return strings.HasPrefix(q.name, "HMP Exporter") || rareInDemo(q)
		})
	})
	t.Run("no data", func(t *testing.T) {
		none := []string{"no.such"}
		for _, q := range dashboardQueries(t) {
			if q.panel == "variable" && !strings.Contains(q.expr, "$") || strings.Contains(q.expr, "ALERTS") {
				continue // it does not depend on a variable; alerts without a session are always shown
			}
			if got := p.evaluate(t, q, choice{"job": none, "instance": none, "target": none, "session": none}); len(got) > 0 {
				t.Errorf("%s returns %v", q.name, got)
			}
		}
	})
	t.Run("numbers", func(t *testing.T) {
		p.checkNumbers(t, map[string]string{
			"HMP Exporter, Scrapes, A":       `sum(1 - up)`,
			"HMP Exporter, Scrapes, B":       `count(up)`,
			"HMP Exporter, Version, A":       `vector(1)`,
			"HMP Exporter, Configuration, A": `vector(1)`,
			"HMP Exporter, Panics, A":        `vector(0)`,
		})
	})
}

// rareInDemo tells whether a query returns nothing most of the time.
func rareInDemo(q dashboardQuery) bool { return strings.HasSuffix(q.name, "annotation HMP upgraded") }

// check checks that a query returns only what was chosen. A variable does not restrict itself.
func (c choice) check(t *testing.T, q dashboardQuery, s sample) {
	t.Helper()
	for label, values := range c {
		got, ok := s.Labels[label]
		if ok && label != q.label && !slices.Contains(values, got) {
			t.Errorf("%s returns %s %q, which was not chosen", q.name, label, got)
		}
	}
}

// checkNumbers compares panels with expressions. A panel counts each session once, however
// many jobs scrape it.
func (p prometheus) checkNumbers(t *testing.T, want map[string]string) {
	t.Helper()
	for name, expr := range want {
		got, expected := p.evaluate(t, findQuery(t, name), nil), p.query(t, expr)
		if len(got) != 1 || len(expected) != 1 || got[0].Point[1] != expected[0].Point[1] {
			t.Errorf("%s is %v, want %s: %v", name, got, expr, expected)
		}
	}
}

const manySessions, manyHMPs = 1000, 50

// TestDashboardsOfManySessions has two exporters that watch the same 1,000 sessions. No panel shows
// more than it can, and each session counts once.
func TestDashboardsOfManySessions(t *testing.T) {
	t.Parallel()
	demo := startExporter(t, "demo")
	text := manySessionsOf(t, get(t, demo.URL+"/metrics"))
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write(text)
	}))
	defer exporter.Close()
	_, port, _ := strings.Cut(exporter.Listener.Addr().String(), ":")
	rules := t.TempDir()
	for _, file := range ruleFiles(t) {
		var document map[string]any
		readYAML(t, file, &document)
		for _, group := range document["groups"].([]any) {
			group := group.(map[string]any)
			if group["interval"] != nil {
				group["interval"] = "5m" // with many sessions these groups take long
			}
			for _, rule := range group["rules"].([]any) {
				delete(rule.(map[string]any), "for")
			}
		}
		write(t, rules, filepath.Base(file), toYAML(t, document))
	}
	server := startPrometheus(t, toYAML(t, map[string]any{
		// On a busy machine, a scrape of many sessions takes seconds.
		"global":     map[string]any{"scrape_interval": "15s", "scrape_timeout": "15s", "evaluation_interval": "15s"},
		"rule_files": []string{rules + "/*.yml"},
		"scrape_configs": []scrapeJob{{"job_name": "hmp", "honor_labels": true, "static_configs": []any{
			map[string]any{"targets": []string{"127.0.0.1:" + port, "localhost:" + port}},
		}}},
	}))
	exportertest.WaitFor(t, "scrapes of both exporters and firing alerts", func() bool {
		return len(server.query(t, `count(hmp_session_valid) == 2000 and count(ALERTS{alertstate="firing"}) > 200`)) > 0
	})
	for _, q := range dashboardQueries(t) {
		server.evaluate(t, q, nil)
	}
	server.checkNumbers(t, map[string]string{
		"HMP Overview, Sessions not valid, A": `sum(1 - max by (target, session) (hmp_session_valid))`,
		"HMP Overview, Sessions not valid, B": `vector(1000)`,
		"HMP Overview, HMPs not answering, B": `vector(50)`,
		"HMP Overview, Sessions missing, A":   `vector(0)`,
	})
	server.stop(t)
}

var sessionLabels = regexp.MustCompile(`session="[^"]*",target="[^"]*"`)

// manySessionsOf repeats the sessions of the demo under other names.
func manySessionsOf(t *testing.T, exposition string) []byte {
	t.Helper()
	var text bytes.Buffer
	sessions, order := map[string][]string{}, []string{}
	for line := range strings.Lines(exposition) {
		labels := sessionLabels.FindString(line)
		switch {
		case labels != "":
			if sessions[labels] == nil {
				order = append(order, labels)
			}
			sessions[labels] = append(sessions[labels], line)
		case strings.HasPrefix(line, "hmp_tls_"), strings.HasPrefix(line, "hmp_info{"), strings.HasPrefix(line, "#"):
		default:
			text.WriteString(line)
		}
	}
	if len(order) < 20 {
		t.Fatalf("the demo has only %d sessions", len(order))
	}
	for i := range manySessions {
		name := fmt.Sprintf(`session="session-%d",target="hmp-%d"`, i, i%manyHMPs)
		for _, line := range sessions[order[i%len(order)]] {
			text.WriteString(sessionLabels.ReplaceAllLiteralString(line, name))
		}
	}
	for i := range manyHMPs {
		fmt.Fprintf(&text, "hmp_tls_certificate_expiry_timestamp_seconds{target=\"hmp-%d\"} %d\n", i, time.Now().Unix()+int64(i))
	}
	return text.Bytes()
}
