package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
)

func TestFamilies(t *testing.T) {
	results := sampleResults()
	for _, o := range hmp.Outcomes {
		t.Run(string(o.Outcome), func(t *testing.T) {
			r, ok := results[o.Outcome]
			if !ok {
				t.Fatal("there is no sample of this outcome")
			}
			golden(t, string(o.Outcome)+".prom", exposition(t, Families([]Result{r})))
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
	if diff := cmp.Diff(manyResults(), results); diff != "" {
		t.Errorf("results (-before +after):\n%s", diff)
	}
}
