package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

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

func TestDiscovery(t *testing.T) {
	r := newExporter(t, discoverable)
	studio := map[string]string{
		"__meta_hmp_target": "studio",
		"__meta_hmp_url":    "https://hmp.studio.example/behind/a/prefix",
		"__meta_hmp_scheme": "https",
		"__meta_hmp_host":   "hmp.studio.example",
		"__meta_hmp_port":   "443",
	}
	lab := map[string]string{
		"__meta_hmp_target":        "lab-1",
		"__meta_hmp_url":           "http://[2001:db8::1]:8080",
		"__meta_hmp_scheme":        "http",
		"__meta_hmp_host":          "2001:db8::1",
		"__meta_hmp_port":          "8080",
		"__meta_hmp_session_count": "1",
		"__meta_hmp_credentials":   ",token,",
		"site":                     "berlin",
	}
	byTarget := []targetGroup{
		{[]string{"studio"}, with(studio, "session_count", "2", "credentials", ",api_key,token,", "sessions", ",playout,archive,")},
		{[]string{"lab-1"}, with(lab, "sessions", ",relay,")},
	}
	bySession := []targetGroup{
		{[]string{"studio/playout"}, with(studio, "session_count", "1", "credentials", ",api_key,", "session", "playout")},
		{[]string{"studio/archive"}, with(studio, "session_count", "1", "credentials", ",token,", "session", "archive")},
		{[]string{"lab-1/relay"}, with(lab, "session", "relay")},
	}
	for path, want := range map[string][]targetGroup{
		"/sd": byTarget, "/sd?by=target": byTarget, "/sd?by=session": bySession, "/sd?anything=else": byTarget,
	} {
		t.Run(path, func(t *testing.T) {
			got := r.get(path)
			if diff := cmp.Diff(want, groups(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(got.body, r.get(path).body); diff != "" {
				t.Errorf("it is another one when asked again:\n%s", diff)
			}
		})
	}
	if n := r.probes(); n != 0 {
		t.Errorf("the HMP had %d requests, want none", n)
	}
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
	r := newExporter(t, discoverable, func(o *Options) { o.Collector = versioned{o.Collector} })
	answered := make(map[string]bool)
	for _, g := range append(groups(t, r.get("/sd")), groups(t, r.get("/sd?by=session"))...) {
		for name := range g.Labels {
			if name != "site" {
				answered[name] = true
			}
		}
	}
	if diff := cmp.Diff(answered, documented); diff != "" {
		t.Errorf("labels (-answered +documented):\n%s", diff)
	}
}

// with returns labels and some more, as pairs of a name without its prefix and a value.
func with(labels map[string]string, more ...string) map[string]string {
	all := maps.Clone(labels)
	for i := 0; i < len(more); i += 2 {
		all["__meta_hmp_"+more[i]] = more[i+1]
	}
	return all
}

// groups reads an answer as Prometheus does, and checks what it would refuse.
func groups(t *testing.T, r reply) []targetGroup {
	t.Helper()
	r.want(t, http.StatusOK)
	if got := r.header.Get("Content-Type"); got != jsonType {
		t.Errorf("Content-Type %q, want %q", got, jsonType)
	}
	var groups []targetGroup
	if err := json.Unmarshal([]byte(r.body), &groups); err != nil {
		t.Fatalf("%v: %.300s", err, r.body)
	}
	if groups == nil {
		t.Errorf("the list is null: %q", r.body)
	}
	for _, g := range groups {
		for name, value := range g.Labels {
			if !model.LegacyValidation.IsValidLabelName(name) || !model.LabelValue(value).IsValid() {
				t.Errorf("%s=%q is no label", name, value)
			}
		}
	}
	return groups
}

func TestDiscoveryOfNothing(t *testing.T) {
	r := newExporter(t, "target_files: ['none/*.yml']\n")
	if got := r.get("/sd").body; got != "[]\n" {
		t.Errorf("got %q, want an empty list", got)
	}
}

// TestDiscoveryErrors is that a query without sense gets an error.
func TestDiscoveryErrors(t *testing.T) {
	handler := newHandler(t, new(fake))
	for _, query := range []string{"by=", "by", "by=hmp", "by=target&by=session", "by=%ff", "by=%zz"} {
		serve(t, handler, http.MethodGet, "/sd?"+query).want(t, http.StatusBadRequest, "parameter")
	}
}

// TestDiscoveryIsBounded is that the names of many sessions are not a label.
func TestDiscoveryIsBounded(t *testing.T) {
	const sessions = 5000
	var configuration strings.Builder
	configuration.WriteString("targets:\n  - name: studio\n    url: HMP\n    sessions:\n")
	for i := range sessions {
		fmt.Fprintf(&configuration, "      - {name: s%04d, token: CANARY}\n", i)
	}
	r := newExporter(t, configuration.String())
	got := groups(t, r.get("/sd"))
	if names, ok := got[0].Labels["__meta_hmp_sessions"]; ok || got[0].Labels["__meta_hmp_session_count"] != fmt.Sprint(sessions) {
		t.Errorf("%s sessions have a label of %d bytes", got[0].Labels["__meta_hmp_session_count"], len(names))
	}
	each := r.get("/sd?by=session")
	if n, limit := len(groups(t, each)), 400*sessions; n != sessions || len(each.body) > limit {
		t.Errorf("%d groups have %d bytes, want %d groups of at most %d bytes", n, len(each.body), sessions, limit)
	}
}

// A versioned collector knows the version of one HMP.
type versioned struct{ Collector }

func (versioned) Version(target string) *collector.Version {
	if target == "studio" {
		return collector.NewVersion(hmp.Version{Version: "4.1.1 <b>", Build: "30242"})
	}
	return nil
}
