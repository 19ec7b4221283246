package collector

import (
	"fmt"
	"io"
	"testing"

	"github.com/prometheus/common/expfmt"

	"hmp_exporter/internal/hmp"
)

// BenchmarkFamilies makes metrics of results, and text of the metrics. What a whole
// scrape costs is measured in internal/web.
func BenchmarkFamilies(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
			results := make([]Result, n)
			for i := range results {
				results[i] = sampleResults()[hmp.Valid]
				results[i].Session = fmt.Sprintf("session-%d", i)
			}
			encoder := expfmt.NewEncoder(io.Discard, expfmt.NewFormat(expfmt.TypeTextPlain))
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range Families(results) {
					if err := encoder.Encode(f); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
