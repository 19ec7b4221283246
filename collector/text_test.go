package collector

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
)

// TestText has package expfmt write what [WriteText] writes without it.
func TestText(t *testing.T) {
	checkText(t, nil)
	checkText(t, manyResults())
	for _, r := range sampleResults() {
		checkText(t, []Result{r})
	}
}

// checkText compares both ways to write results.
func checkText(t *testing.T, results []Result) {
	t.Helper()
	for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics} {
		var want, got bytes.Buffer
		encoder := expfmt.NewEncoder(&want, expfmt.NewFormat(format))
		for _, f := range Families(results) {
			if err := encoder.Encode(f); err != nil {
				t.Fatal(err)
			}
		}
		w := bufio.NewWriter(&got)
		WriteText(w, results, format == expfmt.TypeOpenMetrics)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Errorf("(-expfmt +WriteText):\n%s", diff)
		}
	}
}
