package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmp"
)

// A boardQuery is a query of a dashboard.
type boardQuery struct {
	where   string // the dashboard, the panel and the query
	panel   string // Grafana's type of panel, "annotation" or "variable"
	expr    string
	instant bool
	label   string // of a variable
}

// boardQueries returns every query of every dashboard.
func boardQueries(t *testing.T) (queries []boardQuery) {
	t.Helper()
	for _, file := range glob(t, "../../dashboards/*.json") {
		queries = append(queries, queriesOf(t, file)...)
	}
	return queries
}

func queriesOf(t *testing.T, file string) (queries []boardQuery) {
	t.Helper()
	type target struct {
		Expr, RefID    string
		Instant, Range bool
	}
	var board struct {
		Title  string
		Panels []struct {
			Type, Title string
			Targets     []target
		}
		Templating struct {
			List []struct{ Name, Type, Query string }
		}
		Annotations struct {
			List []struct {
				Name   string
				Target target
			}
		}
	}
	if err := json.Unmarshal([]byte(read(t, file)), &board); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, p := range board.Panels {
		for _, q := range p.Targets {
			where := fmt.Sprintf("%s, %s, %s", board.Title, p.Title, q.RefID)
			if q.Instant == q.Range {
				t.Errorf("%s is both instant and over a range, or neither", where)
			}
			queries = append(queries, boardQuery{where: where, panel: p.Type, expr: q.Expr, instant: q.Instant})
		}
	}
	for _, a := range board.Annotations.List {
		queries = append(queries, boardQuery{where: board.Title + ", annotation " + a.Name, panel: "annotation", expr: a.Target.Expr})
	}
	for _, v := range board.Templating.List {
		if parts := labelValues.FindStringSubmatch(v.Query); parts != nil {
			queries = append(queries, boardQuery{where: board.Title + ", variable " + v.Name, panel: "variable", expr: parts[1], label: parts[2]})
		} else if v.Type == "query" {
			t.Errorf("%s, variable %s: the query is not label_values: %s", board.Title, v.Name, v.Query)
		}
	}
	if len(queries) < 15 {
		t.Errorf("%s has only %d queries", file, len(queries))
	}
	return queries
}

var (
	labelValues   = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	boardVariable = regexp.MustCompile(`\$(\w+)`)
)

// A choice has the values that a reader chose, by variable. An absent variable is All.
type choice map[string][]string

// interpolate replaces the variables as Grafana's Prometheus data source does, for a graph of
// 15 minutes with a step of one minute.
func (c choice) interpolate(t *testing.T, expr string) string {
	t.Helper()
	intervals := map[string]string{"__rate_interval": "4m", "__interval": "1m", "__range": "900s"}
	return boardVariable.ReplaceAllStringFunc(expr, func(name string) string {
		name = name[1:]
		if interval, ok := intervals[name]; ok {
			return interval
		}
		if !slices.Contains([]string{"job", "instance", "target", "session"}, name) {
			t.Errorf("there is no variable %s: %s", name, expr)
		}
		var escaped []string
		for _, value := range c[name] {
			escaped = append(escaped, strings.ReplaceAll(regexp.QuoteMeta(value), `\`, `\\`))
		}
		switch len(escaped) {
		case 0:
			return ".+"
		case 1:
			return escaped[0]
		}
		return "(" + strings.Join(escaped, "|") + ")"
	})
}

// maxSeries is how many series a type of panel can show: distinguishable names in a graph,
// rows of a table that a reader can page through.
var maxSeries = map[string]int{
	"stat":           10,
	"timeseries":     20,
	"state-timeline": 10,
	"heatmap":        40, // buckets
	"table":          5000,
	"annotation":     40, // alerts
	"variable":       5000,
}

// A series is a result of a query of a dashboard.
type series struct {
	Metric map[string]string
	Value  [2]any // of an instant query
}

// evaluate evaluates a query of a dashboard as Grafana does. It must not return more than its
// panel can show.
func (p prometheus) evaluate(t *testing.T, q boardQuery, c choice) (list []series) {
	t.Helper()
	expr, now := c.interpolate(t, q.expr), time.Now()
	seconds := func(t time.Time) string { return fmt.Sprintf("%.3f", float64(t.UnixMilli())/1e3) }
	switch {
	case q.panel == "variable":
		var answer struct{ Data []string }
		getJSON(t, p.api+"/label/"+q.label+"/values?"+url.Values{"match[]": {expr}}.Encode(), &answer)
		for _, value := range answer.Data {
			list = append(list, series{Metric: map[string]string{q.label: value}})
		}
	default:
		path, form := "/query_range", url.Values{"query": {expr}}
		if q.instant {
			path = "/query"
			form.Set("time", seconds(now))
		} else {
			form.Set("start", seconds(now.Add(-15*time.Minute)))
			form.Set("end", seconds(now))
			form.Set("step", "60")
		}
		var answer struct {
			Data struct{ Result []series }
		}
		getJSON(t, p.api+path+"?"+form.Encode(), &answer)
		list = answer.Data.Result
	}
	if limit := maxSeries[q.panel]; len(list) > limit {
		t.Errorf("%s returns %d series, want at most %d", q.where, len(list), limit)
	}
	return list
}

// checkDashboardsOfDemo evaluates every query of the dashboards. The demo has something to
// show in each.
func (p prometheus) checkDashboardsOfDemo(t *testing.T, demo string) {
	t.Helper()
	// The mean of a day consists of full minutes, so this takes more than one.
	pending := boardQueries(t)
	exportertest.Eventually(t, "all queries to return something", func() error {
		var missing []error
		pending = slices.DeleteFunc(pending, func(q boardQuery) bool {
			if rareInDemo(q) || len(p.evaluate(t, q, nil)) > 0 {
				return true
			}
			missing = append(missing, fmt.Errorf("%s returns nothing", q.where))
			return false
		})
		return errors.Join(missing...)
	})
	for _, job := range []string{jobMetrics, jobProbe} {
		t.Run("upgrade in "+job, func(t *testing.T) { p.checkUpgrade(t, job) })
	}
	address := strings.TrimPrefix(demo, "http://")
	for name, c := range map[string]choice{
		"one": {"job": {jobMetrics}, "instance": {address}, "target": {"studio"}, "session": {"playout"}},
		"several": {
			"job": {jobMetrics, jobProbe}, "instance": {address, "studio", "arena"},
			"target": {"studio", "arena"}, "session": {"playout", "scoreboard", "visitor"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, q := range boardQueries(t) {
				for _, s := range p.evaluate(t, q, c) {
					c.check(t, q, s)
				}
			}
		})
	}
	t.Run("only /probe", func(t *testing.T) {
		for _, q := range boardQueries(t) {
			got := p.evaluate(t, q, choice{"job": {jobProbe}})
			if len(got) == 0 && !strings.HasPrefix(q.where, "HMP Exporter") && !rareInDemo(q) {
				t.Errorf("%s returns nothing", q.where)
			}
		}
	})
	t.Run("no data", func(t *testing.T) {
		none := []string{"no.such"}
		for _, q := range boardQueries(t) {
			if q.panel == "variable" && !strings.Contains(q.expr, "$") || strings.Contains(q.expr, "ALERTS") {
				continue // it does not depend on a variable; alerts without a session are always shown
			}
			if got := p.evaluate(t, q, choice{"job": none, "instance": none, "target": none, "session": none}); len(got) > 0 {
				t.Errorf("%s returns %v", q.where, got)
			}
		}
	})
	t.Run("numbers", func(t *testing.T) {
		p.checkNumbers(t, map[string]string{
			"HMP Overview, Sessions not valid, B": `count(hmp_session_valid{job="hmp-demo"})`,
			"HMP Overview, HMPs not answering, B": `count(count by (target) (hmp_session_valid{job="hmp-demo"}))`,
			"HMP Overview, Sessions missing, A":   `vector(0)`,
			"HMP Exporter, Scrapes, A":            `sum(1 - up)`,
			"HMP Exporter, Scrapes, B":            `count(up)`,
			"HMP Exporter, Version, A":            `vector(1)`,
			"HMP Exporter, Configuration, A":      `vector(1)`,
			"HMP Exporter, Panics, A":             `vector(0)`,
		})
	})
}

// rareInDemo tells whether a query returns nothing most of the time.
func rareInDemo(q boardQuery) bool { return strings.HasSuffix(q.where, "annotation HMP upgraded") }

// check checks that a query returns only what was chosen. A variable does not restrict itself.
func (c choice) check(t *testing.T, q boardQuery, s series) {
	t.Helper()
	for label, values := range c {
		got, ok := s.Metric[label]
		if ok && label != q.label && !slices.Contains(values, got) {
			t.Errorf("%s returns %s %q, which was not chosen", q.where, label, got)
		}
	}
}

// checkNumbers compares panels with expressions. A panel counts each session once, however
// many jobs scrape it.
func (p prometheus) checkNumbers(t *testing.T, want map[string]string) {
	t.Helper()
	for where, expr := range want {
		got, expected := p.evaluate(t, findQuery(t, where), nil), p.query(t, expr)
		if len(got) != 1 || len(expected) != 1 || got[0].Value[1] != expected[0].Point[1] {
			t.Errorf("%s is %v, want %s: %v", where, got, expr, expected)
		}
	}
}

// findQuery returns a query of a dashboard.
func findQuery(t *testing.T, where string) boardQuery {
	t.Helper()
	queries := boardQueries(t)
	i := slices.IndexFunc(queries, func(q boardQuery) bool { return q.where == where })
	if i < 0 {
		t.Fatalf("there is no query %s", where)
	}
	return queries[i]
}

// checkUpgrade waits until the demo upgrades an HMP. Then Prometheus has seen both versions,
// but never at the same time, and an alert fires.
func (p prometheus) checkUpgrade(t *testing.T, job string) {
	t.Helper()
	info := fmt.Sprintf(`hmp_info{job=%q,target="museum"}`, job)
	alert := fmt.Sprintf(`count_over_time(ALERTS{alertname="HMPUpgraded",alertstate="firing",job=%q}[10m])`, job)
	exportertest.Eventually(t, "the alert about the upgrade", func() error {
		if now, alerts := p.labels(t, info, "version"), p.labels(t, alert, "version"); !slices.Equal(now, []string{"4.1.1"}) || !slices.Equal(now, alerts) {
			return fmt.Errorf("the version is %v, alerts about %v", now, alerts)
		}
		return nil
	})
	if versions := p.labels(t, `count_over_time(`+info+`[10m])`, "version"); !slices.Equal(versions, []string{"4.1.0", "4.1.1"}) {
		t.Errorf("the versions were %v", versions)
	}
	p.expectNone(t, fmt.Sprintf(`max_over_time((count by (target) (hmp_info{job=%q}))[10m:1s]) > 1`, job))
}

const manySessions, manyHMPs = 1000, 50

// TestDashboardsOfManySessions has two exporters that watch the same 1,000 sessions. No panel shows
// more than it can, and each session counts once.
func TestDashboardsOfManySessions(t *testing.T) {
	t.Parallel()
	_, demo := startExporter(t, "demo")
	text := manySessionsOf(t, get(t, demo+"/metrics"))
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write(text)
	}))
	defer exporter.Close()
	_, port, _ := strings.Cut(exporter.Listener.Addr().String(), ":")
	rules := t.TempDir()
	for _, file := range ruleFiles(t) {
		speedUp(t, file, rules, func(document map[string]any) {
			for _, group := range document["groups"].([]any) {
				if group := group.(map[string]any); group["interval"] != nil {
					group["interval"] = "5m" // with many sessions these groups take long
				}
			}
		})
	}
	server := startPrometheus(t, toYAML(t, map[string]any{
		"global":     map[string]any{"scrape_interval": "4s", "scrape_timeout": "4s", "evaluation_interval": "4s"},
		"rule_files": []string{rules + "/*.yml"},
		"scrape_configs": []scrapeJob{{"job_name": "hmp", "honor_labels": true, "static_configs": []any{
			map[string]any{"targets": []string{"127.0.0.1:" + port, "localhost:" + port}},
		}}},
	}))
	exportertest.WaitFor(t, "scrapes of both exporters and firing alerts", func() bool {
		return len(server.query(t, `count(hmp_session_valid) == 2000 and count(ALERTS{alertstate="firing"}) > 200`)) > 0
	})
	for _, q := range boardQueries(t) {
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

// boardExpression expects samples of a query of a dashboard, with All chosen.
func boardExpression(t *testing.T, where, at string, want ...ruleSample) ruleExpression {
	t.Helper()
	return ruleExpression{Expression: choice{}.interpolate(t, findQuery(t, where).expr), Time: at, Samples: want}
}

// TestDashboardsWorstResult checks the numbers by which tables and graphs sort results. The
// best is valid. The worst is no result, after a panic. If two exporters disagree, the
// dashboard shows the worse result.
func TestDashboardsWorstResult(t *testing.T) {
	none := float64(len(hmp.Results) + 1)
	connect := float64(slices.IndexFunc(hmp.Results, func(o hmp.ResultInfo) bool { return o.Result == hmp.Connect }) + 1)
	var series []ruleSeries
	var want []ruleSample
	for _, n := range []struct {
		session string
		results []hmp.Result // by exporter
		number  float64
	}{
		{"valid", []hmp.Result{hmp.Valid, hmp.Valid}, 1},
		{"disputed", []hmp.Result{hmp.Valid, hmp.Connect}, connect},
		{"panics", []hmp.Result{""}, none},
		{"disputed-panics", []hmp.Result{"", hmp.Connect}, none},
	} {
		want = append(want, ruleSample{fmt.Sprintf(`{target="studio", session=%q}`, n.session), n.number})
		for exporter, result := range n.results {
			for _, r := range hmp.Results {
				value := "0x4"
				if r.Result == result {
					value = "1x4"
				}
				series = append(series, ruleSeries{fmt.Sprintf(
					`hmp_session_probe_result{job="hmp", instance="exporter-%d", target="studio", session=%q, result=%q}`,
					exporter, n.session, r.Result), value})
			}
		}
	}
	runRuleTest(t, ruleTest{Interval: "15s", Series: series, Expressions: []ruleExpression{
		boardExpression(t, "HMP Overview, Sessions, A", "1m", want...),
		boardExpression(t, "HMP Session, Result, A", "1m", want...),
	}})
}

// TestDashboardsMissing checks that an exporter that has been down for hours still counts as
// missing. A session that was removed counts for one hour.
func TestDashboardsMissing(t *testing.T) {
	runRuleTest(t, ruleTest{
		Interval: "2m",
		Series: []ruleSeries{
			{`up{job="hmp", instance="up"}`, "1x150"},
			{`up{job="hmp", instance="down"}`, "1x29 0x120"},
			{`hmp_session_valid{job="hmp", instance="up", target="studio", session="playout"}`, "1x150"},
			{`hmp_session_valid{job="hmp", instance="up", target="studio", session="removed"}`, "1x29 stale"},
			{`hmp_session_valid{job="hmp", instance="down", target="campus", session="playout"}`, "1x29 stale"},
		},
		Expressions: []ruleExpression{
			boardExpression(t, "HMP Overview, Sessions missing, A", "50m", ruleSample{"{}", 0}),
			boardExpression(t, "HMP Overview, Sessions missing, A", "70m", ruleSample{"{}", 2}),
			boardExpression(t, "HMP Overview, Sessions missing, A", "4h", ruleSample{"{}", 1}),
			boardExpression(t, "HMP Exporter, Scrapes, A", "4h", ruleSample{"{}", 1}),
		},
	})
}

// TestDashboardsVersion checks that the dashboards show the newest version of an HMP, or
// "unknown". An upgrade is marked once.
func TestDashboardsVersion(t *testing.T) {
	const labels = `job="hmp", instance="exporter", target=`
	runRuleTest(t, ruleTest{
		Interval: "1m",
		Series: []ruleSeries{
			{`hmp_session_valid{` + labels + `"studio", session="playout"}`, "1x10"},
			{`hmp_session_valid{` + labels + `"campus", session="playout"}`, "0x10"},
			{`hmp_info{` + labels + `"studio", version="4.1", build="7"}`, "1x4 stale"},
			{`hmp_info{` + labels + `"studio", version="4.2", build="9"}`, "_x5 1x5"},
		},
		Expressions: []ruleExpression{
			boardExpression(t, "HMP Overview, HMPs, F", "8m",
				ruleSample{`{target="studio", version="4.2", build="9"}`, 1},
				ruleSample{`{target="campus", version="unknown"}`, 0}),
			boardExpression(t, "HMP Session, annotation HMP upgraded", "4m"),
			boardExpression(t, "HMP Session, annotation HMP upgraded", "5m", ruleSample{"{}", 1}),
			boardExpression(t, "HMP Session, annotation HMP upgraded", "6m"),
		},
	})
}
