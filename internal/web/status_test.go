package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// TestStatus is what the page shows before and after a scrape, and that it does not
// probe by itself.
func TestStatus(t *testing.T) {
	r := newRig(t, fleet)
	got := r.get("/")
	got.want(t, http.StatusOK, "3 sessions, not probed yet", "on 2 targets", "No probe has been made yet.", "Probe now")
	never := "No probe has been made yet. Let Prometheus scrape the exporter, or press Probe all."
	before := [][]string{
		{"studio/archive", "pending", never, "not probed yet", "", "", "", "", "never Probe now"},
		{"studio/playout", "pending", never, "not probed yet", "", "", "", "", "never Probe now"},
		{"tower/relay", "pending", never, "not probed yet", "", "", "", "", "never Probe now"},
	}
	if diff := cmp.Diff(before, got.page(t).rows()); diff != "" {
		t.Errorf("before a scrape (-want +got):\n%s", diff)
	}
	r.get("/session?target=studio&session=playout").want(t, http.StatusOK, "None yet.")
	if n := r.probed(); n != 0 {
		t.Errorf("the pages have made %d probes, want none", n)
	}

	r.get("/probe?target=studio").want(t, http.StatusOK)
	got = r.get("/")
	got.want(t, http.StatusOK, "1 of 3 sessions</a> is not valid", "1 not probed yet")
	rows := got.page(t).rows()
	for _, row := range [][]string{rows[0], rows[2]} {
		if !strings.Contains(row[4], "resolve 0 ms, connect ") {
			t.Errorf("%q is not how long a probe took", row[4])
		}
		row[3], row[4] = strings.TrimRight(row[3], "0123456789 s"), ""
	}
	after := [][]string{
		{"studio/archive", "no_roles", "HMP knows the user, but the user has no role. Assign a role to the user in HMP. Runbook", "1 probe, 0 valid, the oldest just now In this state for", "", "", "", "", "just now Probe now"},
		{"tower/relay", "pending", never, "not probed yet", "", "", "", "", "never Probe now"},
		{"studio/playout", "valid", "HMP confirmed the session.", "1 probe, 1 valid, the oldest just now In this state for", "", "", "", "1", "just now Probe now"},
	}
	if diff := cmp.Diff(after, rows); diff != "" {
		t.Errorf("after a scrape of studio (-want +got):\n%s", diff)
	}
	for _, path := range []string{"/", "/?target=tower&result=valid"} {
		tiles := r.get(path).page(t).tiles()
		if !slices.Equal(tiles, []string{"1 no_roles", "1 pending", "1 valid"}) {
			t.Errorf("%s: the counts are %q", path, tiles)
		}
	}
	if found := r.get("/?result=no_roles").page(t).rows(); len(found) != 1 {
		t.Errorf("a count of 1 leads to %d", len(found))
	}
}

// tiles returns the counts by result.
func (p page) tiles() []string {
	var tiles []string
	for ul := range all(p.root, "ul") {
		if attribute(ul, "class") == "tiles" {
			for li := range all(ul, "li") {
				tiles = append(tiles, text(li))
			}
		}
	}
	return tiles
}

// outcomesOf returns a result for each that there is, and one each of a crash, a hold and no
// probe.
func outcomesOf() []collector.Result {
	var results []collector.Result
	for i, o := range collector.Results() {
		results = append(results, collector.Result{
			Target: "t" + fmt.Sprint(i%3), Session: string(o.Result), Answer: hmp.Answer{Result: o.Result, Responded: true},
			Start: time.Now().Add(-time.Duration(i) * time.Minute), Duration: time.Duration(i) * time.Millisecond, Timeout: time.Second,
		})
	}
	return append(results,
		collector.Result{Target: "t0", Session: "crash", Panicked: true, Start: time.Now(), Answer: hmp.Answer{Reason: "*errors.errorString"}},
		collector.Result{Target: "t0", Session: "held", Skipped: true, Start: time.Now(), Answer: hmp.Answer{Result: hmp.LoginRejected, Reason: "the exporter tries this secret again at 12:00:00; a changed secret is tried at once"}},
		collector.Result{Target: "t0", Session: "new"})
}

// TestStatusOfResults is that each result is there in a word with its meaning and advice,
// and has a colour and a place in the order of gravity.
func TestStatusOfResults(t *testing.T) {
	got := pageOf(t, "/", outcomesOf()...)
	advice := make(map[string]string)
	for _, row := range got.rows() {
		advice[row[0]] = row[1] + ": " + row[2]
	}
	for i, o := range collector.Results() {
		name := fmt.Sprintf("t%d/%s", i%3, o.Result)
		want := string(o.Result) + ": " + sentence(o.Meaning) + " " + o.Advice + " Runbook"
		if o.Result == hmp.Valid {
			want = "valid: HMP confirmed the session."
		}
		if advice[name] != want {
			t.Errorf("%s has %q, want %q", name, advice[name], want)
		}
	}
	for name, want := range map[string]string{
		"t0/crash": "defect of the exporter", "t0/held": "Nothing was sent this time. the exporter tries this secret again at 12:00:00",
		"t0/new": "press Probe all", "t0/saturated": "--probe.max-concurrent",
	} {
		if name != "t0/saturated" && !strings.Contains(advice[name], want) {
			t.Errorf("%s has %q, want %q in it", name, advice[name], want)
		}
	}
	if !strings.HasPrefix(advice["t0/held"], "login_rejected nothing sent: ") {
		t.Errorf("the hold has %q", advice["t0/held"])
	}

	for word, v := range verdicts {
		if !strings.Contains(string(styleCSS), ".r-"+word+" {") {
			t.Errorf("%s has no colour", word)
		}
		if !slices.Contains(gravest, word) || v.Meaning == "" || v.Advice == "" {
			t.Errorf("%s has no place in the order, or nothing to say: %+v", word, v)
		}
	}
	if len(gravest) != len(verdicts) {
		t.Errorf("%d words have a place, and there are %d", len(gravest), len(verdicts))
	}
}

// pageOf returns a page of an exporter that has some results.
func pageOf(t *testing.T, path string, results ...collector.Result) page {
	t.Helper()
	server := httptest.NewServer(handlerOf(t, &fake{results: results}))
	t.Cleanup(server.Close)
	r := do(t, newClient(t), http.MethodGet, server.URL+path)
	r.want(t, http.StatusOK)
	return r.page(t)
}

// TestStatusOfReload is that the page says so when the configuration in force is not the
// one in the file.
func TestStatusOfReload(t *testing.T) {
	r := newRig(t, fleet)
	r.get("/").want(t, http.StatusOK, "Configuration loaded <time")
	r.configure("targets: 7")
	if err := r.store.Reload(); err == nil {
		t.Fatal("the reload did not fail")
	}
	for _, path := range []string{"/", "/session?target=studio&session=playout"} {
		r.get(path).want(t, http.StatusOK, "The last reload of the configuration failed.", "hmp_exporter check")
	}
	newRig(t, "").get("/").want(t, http.StatusOK, "No configuration has been loaded.", "No session is configured")
}
