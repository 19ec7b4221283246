package web

import (
	"strings"
	"testing"
)

func TestTelemetryPath(t *testing.T) {
	const (
		good  = ""
		bad   = "is not a path: give one such as /metrics"
		taken = "serves something else: give another, such as /metrics"
	)
	for _, c := range []struct{ path, want string }{
		{"/metrics", good},
		{"/hmp/metrics", good},
		{"/metrics.txt", good},
		{"/-", good},
		{"/probes", good},
		{"", bad},
		{"metrics", bad},
		{"/metrics/", bad},
		{"//metrics", bad},
		{"/a/../metrics", bad},
		{"/./metrics", bad},
		{"/metrics?a=b", bad},
		{"/metrics#top", bad},
		{"/met%72ics", bad},
		{"/met rics", bad},
		{"/met\trics", bad},
		{"/met\nrics", bad},
		{"/\xff", bad},
		{"/métriques", bad},
		{"/{path}", bad},
		{"/{$}", bad},
		{"http://localhost/metrics", bad},
		{"/", taken},
		{"/probe", taken},
		{"/config", taken},
		{"/sd", taken},
		{"/style.css", taken},
		{"/live.js", taken},
		{"/session", taken},
		{"/retry-login", taken},
		{"/probe-all", taken},
		{"/runbook", taken},
		{"/sessions.json", taken},
		{"/-/healthy", taken},
		{"/-/ready", taken},
		{"/-/reload", taken},
		{"/-/metrics", taken},
		{"/debug/pprof", taken},
		{"/debug/pprof/heap", taken},
	} {
		t.Run(c.path, func(t *testing.T) {
			_, err := New(Options{Collector: new(fake), TelemetryPath: c.path, Pprof: true, MaxRequests: 1})
			switch {
			case c.want == good && err != nil:
				t.Errorf("failed: %v", err)
			case c.want != good && err == nil:
				t.Error("there is no error")
			case c.want != good && !strings.HasSuffix(err.Error(), c.want):
				t.Errorf("got %q, want it to end in %q", err, c.want)
			}
		})
	}
}
