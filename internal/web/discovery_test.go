package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// discoverable has targets of every kind that relabelling may tell apart.
const discoverable = `targets:
  - name: studio
    url: https://hmp.studio.example/behind/a/prefix/
    sessions:
      - {name: playout, api_key: CANARY-key, api_secret: CANARY-secret}
      - {name: archive, token: CANARY-archive}
  - name: lab-1
    url: http://[2001:db8::1]:8080
    labels: {site: berlin}
    sessions:
      - {name: relay, token_file: CANARY.token}
`

// TestDiscovery is the groups of /sd. It does not probe.
func TestDiscovery(t *testing.T) {
	e := newExporter(t, discoverable)
	// labels returns labels of a target and some more, as pairs of a name without its prefix and a value.
	labels := func(target map[string]string, more ...string) map[string]string {
		labels := maps.Clone(target)
		for pair := range slices.Chunk(more, 2) {
			labels[metaLabel+pair[0]] = pair[1]
		}
		return labels
	}
	studio := labels(map[string]string{}, "target", "studio", "url", "https://hmp.studio.example/behind/a/prefix",
		"scheme", "https", "host", "hmp.studio.example", "port", "443")
	lab := labels(map[string]string{"site": "berlin"}, "target", "lab-1", "url", "http://[2001:db8::1]:8080",
		"scheme", "http", "host", "2001:db8::1", "port", "8080", "session_count", "1", "credentials", ",token,")
	byTarget := []targetGroup{
		{[]string{"studio"}, labels(studio, "session_count", "2", "credentials", ",api_key,token,", "sessions", ",playout,archive,")},
		{[]string{"lab-1"}, labels(lab, "sessions", ",relay,")},
	}
	bySession := []targetGroup{
		{[]string{"studio/playout"}, labels(studio, "session_count", "1", "credentials", ",api_key,", "session", "playout")},
		{[]string{"studio/archive"}, labels(studio, "session_count", "1", "credentials", ",token,", "session", "archive")},
		{[]string{"lab-1/relay"}, labels(lab, "session", "relay")},
	}
	for path, want := range map[string][]targetGroup{
		"/sd": byTarget, "/sd?by=target": byTarget, "/sd?by=session": bySession, "/sd?anything=else": byTarget,
	} {
		if diff := cmp.Diff(want, e.get(path).groups(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if n := e.probes(); n != 0 {
		t.Errorf("the HMP had %d requests, want none", n)
	}
}

// groups returns the groups of an answer of /sd.
func (r reply) groups(t *testing.T) (groups []targetGroup) {
	t.Helper()
	r.want(t, http.StatusOK)
	if err := json.Unmarshal([]byte(r.body), &groups); err != nil {
		t.Fatalf("%v: %.300s", err, r.body)
	}
	return groups
}

// TestDiscoveryIsDocumented is that docs/scaling.md has the labels that there are.
func TestDiscoveryIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, name := range regexp.MustCompile(`__meta_hmp_[a-z_]+`).FindAllString(string(page), -1) {
		documented[name] = true
	}
	known := collector.Result{Target: "studio", Version: collector.NewVersion(hmp.Version{Version: "4.1.1", Build: "30242"})}
	handler := newHandler(t, &fake{results: []collector.Result{known}})
	answered := make(map[string]bool)
	for _, path := range []string{"/sd", "/sd?by=session"} {
		for _, group := range serve(t, handler, http.MethodGet, path).groups(t) {
			for name := range group.Labels {
				answered[name] = true
			}
		}
	}
	if diff := cmp.Diff(answered, documented); diff != "" {
		t.Errorf("labels (-answered +documented):\n%s", diff)
	}
}

// TestDiscoverySize is that no targets are an empty list, and that the names of many sessions are
// not a label.
func TestDiscoverySize(t *testing.T) {
	if got := newExporter(t, "target_files: ['none/*.yml']\n").get("/sd").body; got != "[]\n" {
		t.Errorf("got %q, want an empty list, because null is an error to Prometheus", got)
	}
	const sessions = 5000
	var configuration strings.Builder
	configuration.WriteString("targets:\n  - name: studio\n    url: HMP\n    sessions:\n")
	for i := range sessions {
		fmt.Fprintf(&configuration, "      - {name: s%04d, token: CANARY}\n", i)
	}
	e := newExporter(t, configuration.String())
	labels := e.get("/sd").groups(t)[0].Labels
	if names, ok := labels[metaLabel+"sessions"]; ok || labels[metaLabel+"session_count"] != fmt.Sprint(sessions) {
		t.Errorf("%s sessions have a label of %d bytes", labels[metaLabel+"session_count"], len(names))
	}
}
