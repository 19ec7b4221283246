package collector

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"

	"hmp_exporter/internal/hmp"
)

// TestText has package expfmt write what [WriteText] writes without it.
func TestText(t *testing.T) {
	checkText(t, nil)
	checkText(t, manyResults())
	checkText(t, []Result{{Target: `a"b\c`, Session: "d\ne", Answer: hmp.Answer{CertificateExpiry: time.Unix(1748000000, 0)}}})
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

// TestTextTakesNoMemory is that nothing is allocated for a sample: a scrape of many
// sessions would take more time for that than for anything else.
func TestTextTakesNoMemory(t *testing.T) {
	results := slices.Repeat([]Result{{Target: "studio", Session: "playout", Answer: hmp.Answer{Result: hmp.Valid, Responded: true}}}, 1000)
	w := bufio.NewWriter(io.Discard)
	allocations := testing.AllocsPerRun(10, func() { WriteText(w, results, true) }) / float64(len(results))
	if allocations > 4 { // its labels take two, and it has more than forty samples
		t.Errorf("%.1f allocations for a session", allocations)
	}
}
