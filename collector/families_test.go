package collector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

func TestFamilies(t *testing.T) {
	results := sampleResults()
	for _, o := range hmp.Results {
		t.Run(string(o.Result), func(t *testing.T) {
			r, ok := results[o.Result]
			if !ok {
				t.Fatal("there is no sample of this result")
			}
			golden(t, string(o.Result)+".prom", exposition(t, Families([]Result{r})))
		})
	}
	t.Run("many", func(t *testing.T) {
		golden(t, "many.prom", exposition(t, Families(manyResults())))
	})
	t.Run("none", func(t *testing.T) {
		if f := Families(nil); len(f) != 0 {
			t.Errorf("got %v", f)
		}
	})
}

// TestFamiliesKeepResults sees that the same results make the same metrics
// twice, and that neither call changed them.
func TestFamiliesKeepResults(t *testing.T) {
	results := manyResults()
	first := exposition(t, Families(results))
	if diff := cmp.Diff(first, exposition(t, Families(results))); diff != "" {
		t.Errorf("the second time (-want +got):\n%s", diff)
	}
	sameVersion := cmp.Comparer(func(a, b *Version) bool { return a == b || a != nil && b != nil && a.Version == b.Version })
	if diff := cmp.Diff(manyResults(), results, sameVersion); diff != "" {
		t.Errorf("results (-before +after):\n%s", diff)
	}
}

// TestCertificateExpiry is that each target has the earliest of its own sessions, if any
// of them has one.
func TestCertificateExpiry(t *testing.T) {
	at := func(target string, expiry int64) Result {
		r := Result{Target: target, Session: "playout"}
		if expiry != 0 {
			r.CertificateExpiry = time.Unix(expiry, 0)
		}
		return r
	}
	want := map[string]float64{"studio": 200, "tower": 100, "arena": 300}
	got := make(map[string]float64)
	for _, f := range Families([]Result{
		at("studio", 0), at("studio", 200), at("studio", 250), at("studio", 0),
		at("tower", 100), at("arena", 300), at("arena", 0), at("lab", 0),
	}) {
		if f.GetName() == TLSCertificateExpiry {
			for _, m := range f.Metric {
				got[labelOf(m, "target")] = m.GetGauge().GetValue()
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
