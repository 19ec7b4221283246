package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// A versioned collector knows the version of one HMP.
type versioned struct{ Collector }

func (versioned) Version(target string) *collector.Version {
	if target == "studio" {
		return collector.NewVersion(hmp.Version{Version: "4.1.1 <b>", Build: "30242"})
	}
	return nil
}

// TestVersion is where people see which version an HMP has.
func TestVersion(t *testing.T) {
	r := newRig(t, fleet, func(o *Options) { o.Collector = versioned{o.Collector} })
	var names []string
	for _, row := range r.get("/").page(t).rows() {
		names = append(names, row[0])
	}
	if diff := cmp.Diff([]string{"studio/archive HMP 4.1.1 <b>", "studio/playout HMP 4.1.1 <b>", "tower/relay"}, names); diff != "" {
		t.Errorf("on the status page (-want +got):\n%s", diff)
	}
	for path, want := range map[string]bool{playoutPage: true, "/session?target=tower&session=relay": false} {
		got := r.get(path)
		got.want(t, http.StatusOK)
		if shown := unspaced(text(got.page(t).root)); strings.Contains(shown, "Version4.1.1<b>build30242") != want {
			t.Errorf("%s: %s", path, shown)
		}
	}
	for _, path := range []string{"/sd", "/sd?by=session"} {
		for _, g := range groups(t, r.get(path)) {
			want := map[string]string{"studio": "4.1.1 <b>"}[g.Labels["__meta_hmp_target"]]
			if got := g.Labels["__meta_hmp_version"]; got != want {
				t.Errorf("%s: the version of %v is %q, want %q", path, g.Targets, got, want)
			}
		}
	}
}
