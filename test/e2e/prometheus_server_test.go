package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"hmp_exporter/internal/exportertest"
)

// A prometheus is a Prometheus server.
type prometheus struct {
	*process
	config string // the path of its configuration
	api    string // the beginning of the URLs of its API
}

// startPrometheus starts a server with a configuration.
func startPrometheus(t *testing.T, config string) prometheus {
	t.Helper()
	file := write(t, t.TempDir(), "prometheus.yml", config)
	p := start(t, command(t, tool("prometheus"),
		"--config.file="+file,
		"--storage.tsdb.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0"))
	return prometheus{process: p, config: file, api: p.waitForURL(t) + "/api/v1"}
}

// A sample is an element of an instant vector.
type sample struct {
	Labels map[string]string `json:"metric"`
	Point  [2]any            `json:"value"` // time, value as text
}

func (s sample) value(t *testing.T) float64 {
	t.Helper()
	text, _ := s.Point[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("sample %v: %v", s.Labels, err)
	}
	return v
}

// query evaluates an expression now.
func (p prometheus) query(t *testing.T, expression string) []sample {
	t.Helper()
	var answer struct {
		Data struct{ Result []sample }
	}
	getJSON(t, p.api+"/query?query="+url.QueryEscape(expression), &answer)
	return answer.Data.Result
}

// expectNone checks that an expression returns nothing.
func (p prometheus) expectNone(t *testing.T, expression string) {
	t.Helper()
	for _, s := range p.query(t, expression) {
		t.Errorf("%s: found %v = %g", expression, s.Labels, s.value(t))
	}
}

// labels returns the values of a label in a vector, sorted.
func (p prometheus) labels(t *testing.T, expression, label string) []string {
	t.Helper()
	values := make(map[string]bool)
	for _, s := range p.query(t, expression) {
		values[s.Labels[label]] = true
	}
	return slices.Sorted(maps.Keys(values))
}

// sessions returns the "target/session" names in a vector, sorted.
func (p prometheus) sessions(t *testing.T, expression string) (names []string) {
	t.Helper()
	for _, s := range p.query(t, expression) {
		names = append(names, s.Labels["target"]+"/"+s.Labels["session"])
	}
	slices.Sort(names)
	return names
}

// waitForScrapes waits until every target of a server has been scraped three times.
func (p prometheus) waitForScrapes(t *testing.T, targets int) {
	t.Helper()
	exportertest.Eventually(t, "every target to be scraped three times", func() error {
		if n := len(p.query(t, `count_over_time(up[10m]) >= 3`)); n != targets {
			return fmt.Errorf("%d of %d have been", n, targets)
		}
		return nil
	})
}
