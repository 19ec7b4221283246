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
	r := newRig(t, discoverable)
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
	if n := r.probed(); n != 0 {
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
	r := newRig(t, discoverable, func(o *Options) { o.Collector = versioned{o.Collector} })
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
	r := newRig(t, "target_files: ['none/*.yml']\n")
	if got := r.get("/sd").body; got != "[]\n" {
		t.Errorf("got %q, want an empty list", got)
	}
}

func TestDiscoveryParameters(t *testing.T) {
	r := newRig(t, fleet)
	for _, query := range []string{"by=", "by", "by=hmp", "by=target&by=session", "by=%ff", "by=%zz"} {
		t.Run(query, func(t *testing.T) { r.get("/sd?"+query).want(t, http.StatusBadRequest, "parameter") })
	}
}

// TestDiscoveryFollowsReloads is that targets come and go without a restart.
func TestDiscoveryFollowsReloads(t *testing.T) {
	r := newRig(t, fleet, lifecycle)
	r.configure(strings.ReplaceAll(fleet, "name: tower", "name: attic"))
	r.do("POST", "/-/reload").want(t, http.StatusOK)
	got := groups(t, r.get("/sd"))
	if len(got) != 2 || got[1].Targets[0] != "attic" {
		t.Errorf("got %v, want studio and attic", got)
	}
}

// TestDiscoveryOfOddURLs is that what a configuration takes for a URL makes labels too.
func TestDiscoveryOfOddURLs(t *testing.T) {
	for _, url := range []string{"https://%ff%fe", "https://hmp.example/%ff", "http://[fe80::1%25eth0]", "https://bücher.example", "https://a/<script>&'"} {
		t.Run(url, func(t *testing.T) {
			r := newRig(t, fmt.Sprintf("targets: [{name: a, url: %q, sessions: [{name: b, token: CANARY}]}]", url))
			if got := groups(t, r.get("/sd")); len(got) != 1 {
				t.Errorf("got %v, want one group", got)
			}
		})
	}
}

// TestDiscoveryIsBounded is that the names of many sessions are not in every group: the
// answer grows as the configuration does, and a label that would be long is left out.
func TestDiscoveryIsBounded(t *testing.T) {
	const sessions = 5000
	var configuration strings.Builder
	configuration.WriteString("targets:\n  - name: studio\n    url: HMP\n    sessions:\n")
	for i := range sessions {
		fmt.Fprintf(&configuration, "      - {name: s%04d, token: CANARY}\n", i)
	}
	r := newRig(t, configuration.String())
	got := groups(t, r.get("/sd"))
	if len(got) != 1 || got[0].Labels["__meta_hmp_session_count"] != fmt.Sprint(sessions) {
		t.Fatalf("got %.300v, want one group of %d sessions", got, sessions)
	}
	if names, ok := got[0].Labels["__meta_hmp_sessions"]; ok {
		t.Errorf("the names of all sessions are a label of %d bytes", len(names))
	}
	each := r.get("/sd?by=session")
	if n := len(groups(t, each)); n != sessions {
		t.Errorf("got %d groups, want %d", n, sessions)
	}
	if most := 400 * sessions; len(each.body) > most {
		t.Errorf("the answer has %d bytes, want at most %d", len(each.body), most)
	}
}
